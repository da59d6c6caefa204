"""Source: what is read of a file, or of standard input, that a call names; never without an end."""

import sys
from pathlib import Path
from typing import Final

#: Bytes of a plan or of a file that is handed over; the server's own limit is lower. Bytes of a token.
LARGEST: Final = 50_000_000
LARGEST_TOKEN: Final = 10_000


def read_source(name: str, most: int = LARGEST) -> bytes:
    """All of it; `-` is standard input, and a pipe is read to its end. OSError, also for what is larger."""
    if name == "-":
        content = sys.stdin.buffer.read(most + 1)
    else:
        with Path(name).open("rb") as file:
            content = file.read(most + 1)
    if len(content) > most:
        raise OSError(f"{name} has more than {most:,} bytes")
    return content


def read_plain_file(path: Path) -> bytes:
    """As `read_source`, of a file of a folder only: a pipe or a device has no content of its own."""
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no file that can be handed over")
    return read_source(str(path))
