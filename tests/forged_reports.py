"""Reports that show what nobody signed: their seal, which no signature covers, says more than seals do."""

SHOWN = "--><style>body>*:not(#forged){display:none}</style><div id=forged>Approved by everybody</div><!--"


def forgeries(report: bytes) -> dict[str, bytes]:
    """By what was done, a report that must not be taken for the one that was signed."""
    text = report.decode()
    body, mark, seal = text.rpartition("<!-- sealed by the orchestrator\n")
    end = seal.index("-->")

    def with_seal(changed: str) -> bytes:
        return f"{body}{mark}{changed}".encode()

    quiet = SHOWN.replace("<", "\\u003c").replace(">", "\\u003e")
    return {
        "a member that ends the comment": with_seal(seal.replace("{", f'{{"x":"{SHOWN}",', 1)),
        "a member that is spelled quietly": with_seal(seal.replace("{", f'{{"x":"{quiet}",', 1)),
        "a member of the proof": with_seal(seal.replace('"checkpoint":', '"x":"","checkpoint":', 1)),
        "a member of an entry": with_seal(seal.replace('"index":', '"x":"","index":', 1)),
        "a member twice": with_seal(seal.replace("{", '{"format":"x",', 1)),
        "other spaces": with_seal(seal.replace(",", ", ", 1)),
        "a sign spelled out": with_seal(seal.replace("orchestrator-report", "orchestrator\\u002dreport", 1)),
        "more behind it": with_seal(f"{seal}<p>More</p>"),
        "more behind it, with an end": with_seal(f"{seal}<p>More</p>-->\n"),
        "more before its end": with_seal(f"{seal[:end]} {seal[end:]}"),
        "more before it": f"{body}<p>More</p>{mark}{seal}".encode(),
        "two seals": f"{text}{mark}{seal}".encode(),
    }
