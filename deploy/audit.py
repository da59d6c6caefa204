"""Asks a source of known holes (OSV's interface) about every package of the hashed lock.

`python deploy/audit.py requirements.lock`. Ends with 1 where a package has a known hole, and with 0, saying
so, where no source answers: then nothing was learned. The standard library alone.
"""

import json
import os
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sbom import components

SOURCE = os.environ.get("AUDIT_URL") or "https://api.osv.dev"
#: Seconds for the answer.
PATIENCE = 20


def known_holes(lock: str, source: str) -> dict[str, list[str]]:
    """The names of known holes of each package that has some. OSError and ValueError when nobody answers."""
    parts = components(lock)
    asked = {"queries": [{"package": {"purl": part.reference}} for part in parts]}
    if not source.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError(f"{source} is no address of a source")
    request = Request(  # noqa: S310 - looked at just above
        f"{source}/v1/querybatch", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        results = json.load(answer)["results"]
    if len(results) != len(parts):
        raise ValueError("the source answered about other packages")
    named: dict[str, list[str]] = {}
    for part, found in zip(parts, results, strict=True):
        named[part.reference] = [one["id"] for one in found.get("vulns", [])]
    return {reference: holes for reference, holes in named.items() if holes}


def main() -> int:
    lock = Path(sys.argv[1]).read_text(encoding="utf-8")
    try:
        found = known_holes(lock, SOURCE)
    except (URLError, OSError, ValueError, KeyError, TypeError) as problem:
        print(f"Skipped: no source of known holes answers at {SOURCE} ({problem}). Name one in AUDIT_URL.")
        return 0
    for reference, holes in found.items():
        print(f"{reference}: {', '.join(holes)}")
    print(f"{len(components(lock))} packages; {len(found)} with known holes.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
