"""The keys that sign the history: a file of its own, outside the database and the workspace (FR-009, F33).

Its first line signs; lines behind it are public halves of keys that signed before, and verify what they
signed. Whoever has the database alone can sign nothing, and whoever has the file alone can change nothing.
"""

import os
import secrets
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from orchestrator.core.errors import WrongState
from orchestrator.core.sealing.notes import (
    ED25519,
    BadNote,
    PrivateKey,
    PublicKey,
    Signature,
    read_private,
    read_public,
)

#: After which a half-written file is a leftover of a kill.
LEFT_OVER_SECONDS: Final = 60
RESTORE = 'Put the key file back from its backup, or see "A lost key" in the guide\'s chapter about proofs.'


class KeyRing(NamedTuple):
    """The key that signs now, and those that signed before it, newest first."""

    private: PrivateKey
    retired: tuple[PublicKey, ...] = ()

    @property
    def public(self) -> tuple[PublicKey, ...]:
        return (self.private.public, *self.retired)

    @property
    def origin(self) -> str:
        """The name of the log, which every key of it has."""
        return self.private.public.name

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in (self.private, *self.retired))


def public_of(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def new_key(name: str, kind: int = ED25519) -> PrivateKey:
    seed = secrets.token_bytes(32)
    return PrivateKey(PublicKey(name, kind, public_of(seed)), seed)


def signed(text: str, key: PrivateKey) -> Signature:
    """The key's line under a note."""
    bare = Ed25519PrivateKey.from_private_bytes(key.seed).sign(text.encode())
    return Signature(key.public.name, key.public.hash, bare)


def is_right(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is the key's, of this message."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_file() -> Path:
    return Path(settings.HISTORY_KEY_FILE)


def key_ring(*, make: bool = False) -> KeyRing:
    """The keys as the file holds them. With `make`, a first key where there is no file: only while nothing
    was signed yet. WrongState says what is wrong with the file, and nothing is signed until it is right."""
    path = key_file()
    if make:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = _fresh(path, str(KeyRing(new_key(f"orchestrator-{secrets.token_hex(4)}"))))
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink(missing_ok=True)
    return ring_in(path)


def ring_in(path: Path) -> KeyRing:
    """The keys that a file holds, such as a saved copy. WrongState as `key_ring` raises it."""
    try:
        text = path.read_text(encoding="ascii")
        open_to = path.stat().st_mode & 0o077
    except (OSError, ValueError) as problem:
        raise WrongState(f"The key of the history cannot be read: {problem}.", recovery=RESTORE) from problem
    if open_to:
        raise WrongState(
            f"Others than its owner may read the key of the history, {path}.", recovery=f"chmod 600 {path}"
        )
    try:
        first, *others = text.split()
        return KeyRing(read_private(first, public_of), tuple(read_public(line) for line in others))
    except (BadNote, ValueError) as problem:
        raise WrongState(f"{path} holds no key of the history: {problem}", recovery=RESTORE) from problem


def rotated(ring: KeyRing) -> KeyRing:
    """A ring whose new key signs; the old one's public half still verifies."""
    return KeyRing(new_key(ring.origin), ring.public)


def replace_file(ring: KeyRing) -> None:
    """Write the file anew, whole or not at all."""
    write_whole(key_file(), str(ring))


def write_whole(path: Path, text: str) -> None:
    """Put a file in place that only its owner reads: whole or not at all, and on the disk."""
    _fresh(path, text).replace(path)


def _fresh(path: Path, text: str) -> Path:
    """A file beside `path` that holds the text, whole on the disk. Its name is its own, so two who write at
    once do not meet, and what a kill left there is nobody's file."""
    for left in path.parent.glob(f"*{path.name}*.new"):
        if time.time() - left.stat().st_mtime > LEFT_OVER_SECONDS:
            left.unlink(missing_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(name)
        raise
    return Path(name)
