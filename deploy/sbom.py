"""The bill of materials as CycloneDX JSON, made from the hashed lock; the same lock makes the same bytes.

`python deploy/sbom.py requirements.lock`. The standard library alone, and no network.
"""

import json
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: Names of the same package are written in one way (PEP 503).
SEPARATORS = re.compile(r"[-_.]+")
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==([^ ;\\]+)(?: *; *([^\\]*))?")
WANTED_BY = re.compile(r"^    # (?:via|  ) ?([A-Za-z0-9][^ ]*)(?: \(pyproject\.toml\))?$")
SPACE = uuid.UUID("6f6a2f2e-51a5-4c8e-9a53-6e2b1b0f7f55")


@dataclass
class Component:
    """A package of the lock, and what asked for it."""

    name: str
    version: str
    marker: str
    hashes: list[str] = field(default_factory=list)
    wanted_by: list[str] = field(default_factory=list)

    @property
    def reference(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"

    def as_dict(self) -> dict[str, object]:
        found: dict[str, object] = {
            "type": "library",
            "bom-ref": self.reference,
            "name": self.name,
            "version": self.version,
            "purl": self.reference,
            "hashes": [{"alg": "SHA-256", "content": one} for one in self.hashes],
        }
        if self.marker:
            found["properties"] = [{"name": "environment-marker", "value": self.marker}]
        return found


def components(lock: str) -> list[Component]:
    """What the lock pins, in its order."""
    found: list[Component] = []
    for line in lock.splitlines():
        if pinned := PINNED.match(line):
            name = SEPARATORS.sub("-", pinned[1]).lower()
            found.append(Component(name, pinned[2], (pinned[3] or "").strip()))
        elif found and (hashed := re.search(r"--hash=sha256:([0-9a-f]{64})", line)):
            found[-1].hashes.append(hashed[1])
        elif found and (named := WANTED_BY.match(line)):
            found[-1].wanted_by.append(named[1])
    return found


def bill(lock: str, name: str, version: str) -> dict[str, object]:
    """The whole document. What nothing in the lock asked for, the product itself did."""
    parts = components(lock)
    root = f"{name}@{version}"
    known = {part.name: part.reference for part in parts}
    wants: dict[str, list[str]] = {root: [], **{part.reference: [] for part in parts}}
    for part in parts:
        by = {known.get(SEPARATORS.sub("-", one).lower(), root) for one in part.wanted_by} or {root}
        for one in by:
            wants[one].append(part.reference)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(SPACE, lock)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": root, "name": name, "version": version}},
        "components": [part.as_dict() for part in parts],
        "dependencies": list(_dependencies(wants)),
    }


def _dependencies(wants: dict[str, list[str]]) -> Iterator[dict[str, object]]:
    for one, needed in wants.items():
        yield {"ref": one, "dependsOn": sorted(set(needed))}


def main() -> int:
    lock = Path(sys.argv[1])
    project = (lock.parent / "pyproject.toml").read_text(encoding="utf-8")
    name, version = (re.search(rf'^{key} = "(.+)"$', project, re.MULTILINE) for key in ("name", "version"))
    if name is None or version is None:
        raise SystemExit("pyproject.toml names no project.")
    print(json.dumps(bill(lock.read_text(encoding="utf-8"), name[1], version[1]), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
