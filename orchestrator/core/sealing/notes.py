"""Signed notes and checkpoints, as C2SP writes them (`signed-note`, `tlog-checkpoint`), and their keys
(FR-009).

A note is a text that ends with a line break, an empty line, and signatures, a line each. A key has a name;
four bytes of a hash tell keys of one name apart. Signing and checking Ed25519 itself is done by whoever
calls, with `cryptography`.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

#: What a signature of the log's own key is, and what one of a witness is (`cosignature/v1`).
ED25519, COSIGNATURE = 1, 4
_DASH: Final = "\u2014 "
_PRIVATE: Final = "PRIVATE+KEY+"
#: (public key, message, signature) -> whether it is right.
Check = Callable[[bytes, bytes, bytes], bool]


class BadNote(ValueError):
    """A text that is no signed note, no checkpoint or no key; says why."""


class PublicKey(NamedTuple):
    """A verifier key: `name+hash+base64` in writing."""

    name: str
    kind: int
    key: bytes

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{_b64(bytes([self.kind]) + self.key)}"


class PrivateKey(NamedTuple):
    """A signer key; in writing it begins with `PRIVATE+KEY+`. `seed` are the 32 bytes of Ed25519."""

    public: PublicKey
    seed: bytes

    def __str__(self) -> str:
        written = _b64(bytes([self.public.kind]) + self.seed)
        return f"{_PRIVATE}{self.public.name}+{self.public.hash.hex()}+{written}"


def read_public(text: str) -> PublicKey:
    """A verifier key as it is written. Raises BadNote."""
    name, known, data = _parts(text)
    key = PublicKey(name, data[0], data[1:])
    if key.kind not in (ED25519, COSIGNATURE) or len(key.key) != 32 or key.hash.hex() != known:
        raise BadNote("This is no Ed25519 verifier key: its hash, its kind or its length is wrong.")
    return key


def read_private(text: str, public_of: Callable[[bytes], bytes]) -> PrivateKey:
    """A signer key as it is written; `public_of` makes the public half of a seed. Raises BadNote."""
    if not text.startswith(_PRIVATE):
        raise BadNote(f"A signer key begins with {_PRIVATE}")
    name, known, data = _parts(text.removeprefix(_PRIVATE))
    if data[0] not in (ED25519, COSIGNATURE) or len(data) != 33:
        raise BadNote("This is no Ed25519 signer key: its kind or its length is wrong.")
    key = PrivateKey(PublicKey(name, data[0], public_of(data[1:])), data[1:])
    if key.public.hash.hex() != known:
        raise BadNote("The signer key does not belong to its hash.")
    return key


def _parts(text: str) -> tuple[str, str, bytes]:
    name, _, rest = text.partition("+")
    known, _, data = rest.partition("+")
    try:
        decoded = base64.b64decode(data, validate=True)
    except binascii.Error as problem:
        raise BadNote("A key is name+hash+base64.") from problem
    if not name_is_good(name) or len(known) != 8 or not decoded or _b64(decoded) != data:
        raise BadNote("A key is name+hash+base64.")
    return name, known, decoded


def name_is_good(name: str) -> bool:
    """Neither spaces nor `+`, and not empty."""
    return bool(name) and "+" not in name and not any(sign.isspace() for sign in name)


class Signature(NamedTuple):
    """A line of a note: who signed, which of its keys, and the bytes."""

    name: str
    hash: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {_b64(self.hash + self.signature)}\n"

    def by(self, key: PublicKey) -> bool:
        """Whether it says that this key made it."""
        return (self.name, self.hash) == (key.name, key.hash)


class SignedNote(NamedTuple):
    """A text, with its last line break, and who signed it."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    def signed_by(self, keys: Iterable[PublicKey], check: Check) -> list[PublicKey]:
        """Those of the keys whose signature is there and right. BadNote for a wrong one of a known key.

        A witness's key signs no note itself, it co-signs what it saw: its lines count for nothing here."""
        found = []
        for key in (one for one in keys if one.kind == ED25519):
            for one in self.signatures:
                if not one.by(key):
                    continue
                if not check(key.key, self.text.encode(), one.signature):
                    raise BadNote(f"The signature of {key.name}+{key.hash.hex()} is wrong.")
                found.append(key)
        return found


def read_note(text: str) -> SignedNote:
    """A signed note. Raises BadNote."""
    body, gap, lines = text.rpartition("\n\n")
    if not gap or not lines.endswith("\n") or any(ord(sign) < 32 and sign != "\n" for sign in text):
        raise BadNote("This is no signed note: a text, an empty line, and signatures.")
    return SignedNote(f"{body}\n", tuple(_signature(line) for line in lines[:-1].split("\n")))


def _signature(line: str) -> Signature:
    name, _, data = line.removeprefix(_DASH).partition(" ")
    try:
        decoded = base64.b64decode(data, validate=True)
    except binascii.Error as problem:
        raise BadNote("A signature is a dash, a name and base64.") from problem
    if not line.startswith(_DASH) or not name_is_good(name) or len(decoded) < 5 or _b64(decoded) != data:
        raise BadNote("A signature is a dash, a name and base64.")
    return Signature(name, decoded[:4], decoded[4:])


class Head(NamedTuple):
    """What a checkpoint says: the log, its number of entries, and the root of its tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"


def read_head(text: str) -> Head:
    """The text of a checkpoint's note; lines behind the third are extensions. Raises BadNote."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise BadNote("This is no checkpoint: it has an origin, a size and a root, a line each.")
    origin, size, root = lines[:3]
    try:
        decoded = base64.b64decode(root, validate=True)
    except binascii.Error as problem:
        raise BadNote("The root of a checkpoint is base64.") from problem
    if not (size.isascii() and size.isdigit()) or str(int(size[:20])) != size or _b64(decoded) != root:
        raise BadNote("The size of a checkpoint is a whole number, its root 32 bytes of base64.")
    if len(decoded) != 32:
        raise BadNote("The root of a checkpoint has 32 bytes.")
    return Head(origin, int(size), decoded)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
