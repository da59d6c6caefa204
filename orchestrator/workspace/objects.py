"""Git's loose objects, looked at without git: a flipped bit is found by comparing, and mended by writing anew
(F21).
"""

import os
import zlib
from pathlib import Path

from orchestrator.workspace import files
from orchestrator.workspace.files import disk_errors


def holds(folder: Path, name: str, content: bytes) -> bool | None:
    """Whether the loose blob of this name holds these bytes; None when there is no loose object
    of the name.
    """
    try:
        packed = (folder / name[:2] / name[2:]).read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        return False
    expected = _blob(content)
    try:
        # One byte more than expected shows what is too long, and no more is unpacked.
        return zlib.decompressobj().decompress(packed, len(expected) + 1) == expected
    except zlib.error:
        return False


def replace(folder: Path, name: str, content: bytes) -> None:
    """Put the right object in the place of a damaged one, in one step."""
    path = folder / name[:2] / name[2:]
    with disk_errors(path):
        path.parent.mkdir(exist_ok=True)
    fresh = path.with_name(f"tmp_obj_{os.getpid()}")
    files.write_durably(fresh, zlib.compress(_blob(content)))
    with disk_errors(path):
        fresh.chmod(0o444)
        fresh.replace(path)


def _blob(content: bytes) -> bytes:
    return b"blob %d\0" % len(content) + content
