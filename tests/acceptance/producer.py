"""A producer that commits its results itself, with git's own commands, to `refs/inbox/<executor>`
(FR-029).
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.models import Assignment

TIMESTAMP = "2026-03-04T11:59:00Z"


class Producer:
    def __init__(self, root: Path, executor: str) -> None:
        self.root, self.ref = root, f"refs/inbox/{executor}"
        self.tip = ""

    def git(self, *words: str, send: bytes = b"") -> str:
        mine = ["-c", "user.name=Producer", "-c", "user.email=producer@localhost"]
        done = subprocess.run(
            ["git", "-C", self.root, *mine, *words], input=send, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", send=content)

    def push(self, files: Mapping[str, bytes], *, parent: str | None = None, mode: str = "100644") -> str:
        """One commit that holds these files, on top of the last one unless another `parent` is named."""
        entries = {
            path: (mode if path.endswith("result.json") else "100644", self.blob(c))
            for path, c in files.items()
        }
        return self.commit(self.tree(entries), self.tip if parent is None else parent)

    def tree(self, entries: Mapping[str, tuple[str, str]]) -> str:
        """Folders one level deep are enough here."""
        flat = {path: entry for path, entry in entries.items() if "/" not in path}
        folders = {path.split("/")[0] for path in entries if "/" in path}
        lines = [f"{mode} blob {blob}\t{path}\0" for path, (mode, blob) in flat.items()]
        for folder in sorted(folders):
            inside = {p.split("/", 1)[1]: e for p, e in entries.items() if p.startswith(f"{folder}/")}
            lines.append(f"040000 tree {self.tree(inside)}\t{folder}\0")
        return self.git("mktree", "-z", send="".join(lines).encode())

    def commit(self, tree: str, parent: str = "") -> str:
        self.tip = self.git("commit-tree", tree, *(["-p", parent] if parent else []), "-m", "result")
        self.git("update-ref", self.ref, self.tip)
        return self.tip


def told(held: Assignment, **members: Any) -> bytes:
    """A result file for a claim; a member that is None is left out."""
    attempt = held.attempt
    value = {
        "schemaVersion": "1.0",
        "attemptId": f"{attempt.task.workstream.slug}/{attempt.task.step.key}/{attempt.number}",
        "token": held.token,
        "eventType": "attempt-completed",
        "timestamp": TIMESTAMP,
        **members,
    }
    return json.dumps({name: one for name, one in value.items() if one is not None}).encode()
