"""A witness: follows the log from outside, signs that it only ever grew, and refuses anything else
(FR-009).

It reads what everybody can: a folder in which the branch `history` is checked out, or the address of
`/log/`. It has a key of its own and remembers the newest checkpoint it signed; a log that shows it another
past gets no signature. Formats: C2SP `tlog-tiles` and `tlog-cosignature`.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from orchestrator.core.errors import WrongState
from orchestrator.core.sealing.merkle import Nodes, root_between
from orchestrator.core.sealing.notes import (
    COSIGNATURE,
    BadNote,
    Head,
    PrivateKey,
    PublicKey,
    Signature,
    SignedNote,
    read_head,
    read_note,
    read_private,
)
from orchestrator.core.sealing.tiles import CHECKPOINT, WIDTH, Tile, nodes_in
from orchestrator.services.sealing.keys import is_right, new_key, public_of, signed, write_whole

Read = Callable[[str], bytes]
SECONDS: Final = 20
REFUSED = "Nothing was signed. Ask who runs the log; keep both checkpoints, they prove it."


def reader(source: str) -> Read:
    """What reads the log's files: from an address, or from a folder."""
    if source.startswith(("https://", "http://")):
        return lambda path: _fetched(f"{source.rstrip('/')}/{path}")
    return lambda path: (Path(source) / path).read_bytes()


def _fetched(address: str) -> bytes:
    with urlopen(address, timeout=SECONDS) as answer:  # noqa: S310
        content: bytes = answer.read(1 << 20)
        kind = answer.headers.get_content_type()
    if kind == "text/html":
        raise ValueError(
            f"{address} is a page, as of somebody who has to sign in; PUBLIC_LOG=1 opens the log"
        )
    return content


def witness_key(folder: Path, name: str) -> PrivateKey:
    """The witness's own key; made in its folder the first time."""
    file = folder / "witness.key"
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(file, str(new_key(name, COSIGNATURE)) + "\n")
    return read_private(file.read_text(encoding="ascii").strip(), public_of)


def witness(
    *, read: Read, log: tuple[PublicKey, ...], key: PrivateKey, folder: Path, now: datetime
) -> SignedNote:
    """Co-sign the log's newest checkpoint, if one of the keys signed it and it goes on from the one signed
    last.

    It is remembered before it is answered. WrongState for a log that does not grow, or cannot be read.
    """
    note, head = _checkpoint(read, log)
    nodes = nodes_in(_tiles(read, head.size))
    try:
        _refuse_other_past(head, nodes, folder)
    except (OSError, URLError, ValueError) as problem:
        raise WrongState(
            f"The log's tiles cannot be read: {problem}.", recovery="Try again later."
        ) from problem
    said = SignedNote(note.text, (*note.signatures, cosigned(note.text, key, now)))
    write_whole(folder / f"checkpoint-{head.size}.txt", str(said))
    write_whole(folder / "newest.txt", str(said))
    return said


def cosigned(text: str, key: PrivateKey, now: datetime) -> Signature:
    """A witness's line: a time, and a signature over the time and the checkpoint."""
    when = int(now.timestamp())
    bare = signed(f"cosignature/v1\ntime {when}\n{text}", key)
    return Signature(bare.name, bare.hash, when.to_bytes(8, "big") + bare.signature)


def _checkpoint(read: Read, log: tuple[PublicKey, ...]) -> tuple[SignedNote, Head]:
    try:
        note = read_note(read(CHECKPOINT).decode())
        if not note.signed_by(log, is_right):
            raise BadNote("none of the given keys signed it")
        return note, read_head(note.text)
    except (BadNote, OSError, URLError, ValueError) as problem:
        said = f"The log has no checkpoint that can be signed: {problem}."
        raise WrongState(said, recovery=REFUSED) from problem


def _refuse_other_past(head: Head, nodes: Nodes, folder: Path) -> None:
    if head.size and root_between(nodes, 0, head.size) != head.root:
        raise WrongState("The log's tiles have another root than its checkpoint.", recovery=REFUSED)
    newest = folder / "newest.txt"
    if not newest.exists():
        return
    before = read_head(read_note(newest.read_text(encoding="utf-8")).text)
    if head.origin != before.origin:
        raise WrongState(f"This is the log {head.origin}, not {before.origin}.", recovery=REFUSED)
    if head.size < before.size:
        said = f"The log went back from {before.size} entries to {head.size}."
        raise WrongState(said, recovery=REFUSED)
    if before.size and root_between(nodes, 0, before.size) != before.root:
        said = f"The first {before.size} entries of the log are others than those that were signed."
        raise WrongState(said, recovery=REFUSED)


def _tiles(read: Read, size: int) -> Callable[[int, int], bytes]:
    def tile(level: int, number: int) -> bytes:
        there = (size >> 8 * level) - number * WIDTH
        width = min(there, WIDTH)
        content = read(Tile(level, number, width).path)
        if len(content) != width * 32:
            raise ValueError(f"a tile has {len(content)} bytes where {width * 32} are due")
        return content

    return tile
