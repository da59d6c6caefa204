"""Sources that are large and as awkward as they may be; the tests read them, the benchmarks time them."""

from typing import Final

#: Half of what a source may hold: the work is linear, and the tests stay short.
LARGE: Final = 2 * 1024 * 1024

BATCH: Final = "### Batch 1\n"


def filled(text: str, lines: int = 75_000) -> str:
    """A text repeated until the source is as large as it may be here."""
    return text * min(LARGE // len(text), lines // max(text.count("\n"), 1))


def numbered(template: str, count: int) -> str:
    return "\n".join(template.format(n=n, m=n + 1) for n in range(count))[:LARGE]


HOSTILE = {
    "blank lines": "\n" * 75_000 + "x" * 1_800_000,
    "hashes": "#" * LARGE,
    "headings": filled("# a\n"),
    "threads": numbered("###### Thread {n}: x", 70_000),
    "stages": filled("### Stage 1: x\n"),
    "stages without numbers": filled("### Stage: x\n"),
    "batches without numbers": filled("### Batch: x\n"),
    "batches outside stages": filled("### Stage 1\n## x\n### Batch 1\n"),
    "threads outside batches": filled("###### Thread: x\n## x\n"),
    "batches of one gate": filled("### Batch 1\n##### Gate: x\n"),
    "gates": "- A1: x\n" + filled("### Merge Point MP1\n- Unlocks: A1\n")[:-20],
    "bullets": filled("- "),
    "one long key": BATCH + "- " + "a-" * 1_000_000,
    "brackets": BATCH + "- A1: " + "(" * 2_000_000 + ")",
    "suffixes": BATCH + "- A1: " + "(parallel)" * 200_000,
    "needs of one step": BATCH + "- A1: x (needs " + "A1," * 600_000 + ")",
    "chain": BATCH + numbered("- A{m}: x (needs A{n})", 9_999),
    "loose chain": numbered("- A{m}: x (needs A{n})", 9_999),
    "circle": BATCH + numbered("- A{n}: x (needs A{m})", 9_998) + "\n- A9998: x (needs A0)",
    "unknown names": BATCH + numbered("- A{n}: x (needs B{n})", 9_999),
    "too many steps": BATCH + numbered("- A{n}: x (needs A{m})", 70_000),
    "one property": BATCH + "- A1: x\n" + filled("  - Exit: x\n")[:-100],
    "continuation": BATCH + "- A1: x\n  - Run: x\n" + filled("    y\n")[:-100],
    "file patterns": BATCH
    + "- A1: x\n  - Files: "
    + "a/*b," * 180_000
    + "\n- B1: x\n  - Files: "
    + "a/*c," * 180_000,
    "stars": BATCH + "- A1: x\n  - Files: " + "*a" * 400 + "\n- B1: x\n  - Files: " + "*b" * 400,
    "lanes": "## Workstream Decomposition\n" + numbered("**WS-L{n}: x**", 70_000),
    "fences": filled("```\n"),
    "backticks": "`" * LARGE,
    "comments": filled("<!-- x\n"),
    "labels": "###### Thread 01: x\n" + filled("**Details:** x\n")[:-100],
    "front matter": "---\n" + filled("a: b\n")[:-100] + "\n---\n",
    "digits": "### Stage " + "1" * 2_000_000,
    "names of threads": "##### Batch 01: x\n###### Thread 01: a\n**Tasks:**\n"
    + numbered("- k-{n}: x (parallel)", 4_000)
    + "\n###### Thread 02: b\n**Tasks:**\n"
    + numbered("- l-{n}: x (needs 01.01.01)", 4_000),
}
