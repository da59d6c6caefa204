#!/usr/bin/env python3
"""Checks proofs, reports and exports of the orchestrator's history, offline (FR-009).

    python verify.py FILE [FILE ...] [--key KEY ...] [--checkpoint OLD]

FILE is a proof (JSON or text), a workstream report (HTML) or an export of the whole history (JSON lines).
KEY is a public key that you kept, or a file with keys, a line each; without one the keys in the file itself
are used, and named, so that you can compare them. OLD is a checkpoint that you kept: the history has to begin
with what it says. Ends with 0 when everything is proved, else with 1 and the first thing that is not.

One file, for Python 3.9 and newer; it needs nothing but the package `cryptography`. It shares no code with
the program that makes the proofs. Formats: RFC 6962, C2SP signed-note, tlog-checkpoint and tlog-proof.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import sys
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DASH = "\u2014 "
TEXT_PROOF = "c2sp.org/tlog-proof@v1"
SEAL = "<!-- sealed by the orchestrator\n"
SEAL_END = "-->\n"
#: All that a report's seal may say, because it stands behind the bytes that are signed.
SEALED = {"format", "keys", "note", "proof"}
PROOF, ENTRY = {"format", "keys", "checkpoint", "entries"}, {"leaf", "index", "inclusion"}
LINES = ({"checkpoint"}, {"leaf"}, {"row"})
#: What JSON holds; rows of an export by kind and id, with the digest of those that change and the entry that
#: said it last; the roots of two trees.
Read = dict[str, Any]
Rows = dict[tuple[str, int], Read]
Spoken = dict[tuple[str, int], tuple[str, int]]
Roots = tuple[bytes, bytes]


class NotProved(Exception):
    """The first thing that is not as it should be, in a sentence."""


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that an inclusion path leads to, or None (RFC 6962, 2.1.1)."""
    return climb(leaf, index, size, list(path)) if 0 <= index < size else None


def climb(hashed: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """Recursive, as the definition of the path is: its last hash is the sibling nearest to the root."""
    if size == 1:
        return None if path else hashed
    if not path:
        return None
    half = 1
    while half * 2 < size:
        half *= 2
    sibling = path.pop()
    if index < half:
        left = climb(hashed, index, half, path)
        return None if left is None else node_hash(left, sibling)
    right = climb(hashed, index - half, size - half, path)
    return None if right is None else node_hash(sibling, right)


def roots_from_growth(old: int, new: int, old_root: bytes, path: list[bytes]) -> Roots | None:
    """The roots of both trees that a consistency proof leads to, or None (RFC 6962, 2.1.2)."""
    return grow(old, new, old_root, list(path), True) if 0 < old <= new else None


def grow(old: int, new: int, old_root: bytes, path: list[bytes], whole: bool) -> Roots | None:
    if old == new:
        if whole:
            return None if path else (old_root, old_root)
        return (path[0], path[0]) if len(path) == 1 else None
    if not path:
        return None
    half = 1
    while half * 2 < new:
        half *= 2
    sibling = path.pop()
    if old <= half:
        found = grow(old, half, old_root, path, whole)
        return None if found is None else (found[0], node_hash(found[1], sibling))
    found = grow(old - half, new - half, old_root, path, False)
    return None if found is None else (node_hash(sibling, found[0]), node_hash(sibling, found[1]))


class Tree:
    """Roots of a tree that grows leaf by leaf."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def append(self, hashed: bytes) -> None:
        self.peaks.append(hashed)
        size = self.size
        while size & 1:
            right, left = self.peaks.pop(), self.peaks.pop()
            self.peaks.append(node_hash(left, right))
            size >>= 1
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def unpacked(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise NotProved(f"{what} is not base64") from None


class Key:
    """A public key: name+hash+base64."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        name, _, rest = self.text.partition("+")
        known, _, data = rest.partition("+")
        raw = unpacked(data, f"the key {self.text}")
        self.name = name
        self.hash = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        if len(raw) != 33 or raw[0] not in (1, 4) or self.hash.hex() != known or not name:
            raise NotProved(f"{self.text} is no key")
        self.kind, self.public = raw[0], Ed25519PublicKey.from_public_bytes(raw[1:])

    def signed(self, text: str, signature: bytes) -> bool:
        message = text.encode()
        if self.kind == 4:  # a witness: C2SP tlog-cosignature
            when = int.from_bytes(signature[:8], "big")
            message, signature = b"cosignature/v1\ntime %d\n" % when + message, signature[8:]
        try:
            self.public.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def open_note(note: str, keys: list[Key]) -> tuple[str, list[Key]]:
    """The text of a signed note, and those of the keys that signed it. Raises NotProved."""
    body, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise NotProved("this is no signed note")
    text = body + "\n"
    signers: list[Key] = []
    for line in lines[:-1].split("\n"):
        name, _, data = line[len(DASH) :].partition(" ")
        raw = unpacked(data, "a signature")
        if not line.startswith(DASH) or len(raw) < 5:
            raise NotProved("a line of the note is no signature")
        for key in keys:
            if (key.name, key.hash) == (name, raw[:4]):
                if not key.signed(text, raw[4:]):
                    raise NotProved(f"the signature of {key.text} is wrong")
                signers.append(key)
    return text, signers


class Checkpoint:
    """A checkpoint that a known key signed."""

    def __init__(self, note: str, keys: list[Key]) -> None:
        text, signers = open_note(note, keys)
        lines = text.split("\n")
        if len(lines) < 4 or not lines[1].isdigit():
            raise NotProved("this is no checkpoint")
        self.origin, self.size, self.root = lines[0], int(lines[1]), unpacked(lines[2], "the root")
        self.signers = [key for key in signers if key.kind == 1 and key.name == self.origin]
        self.witnesses = [key for key in signers if key.kind == 4]
        if not self.signers:
            raise NotProved(
                f"none of the known keys of {self.origin} signed the checkpoint over {self.size} entries"
            )

    def __str__(self) -> str:
        said = f"the checkpoint over {self.size} entries of {self.origin}, signed by {self.signers[0].text}"
        return said + "".join(f", witnessed by {key.name}" for key in self.witnesses)


def facts(leaf: str) -> str:
    try:
        read = json.loads(leaf)
        who, when = f"{read['actor']}, {read['action']}, {read['subject']}", read["recordedAt"]
        return f"entry {read['sequence']}, {when}: {who}"
    except (ValueError, KeyError, TypeError):
        raise NotProved("an entry cannot be read") from None


def check_entry(one: Read, head: Checkpoint) -> str:
    """One entry with its inclusion proof; what it says."""
    leaf = one["leaf"].encode()
    path = [unpacked(text, "a hash") for text in one["inclusion"]]
    if root_from_path(leaf_hash(leaf), one["index"], head.size, path) != head.root:
        raise NotProved(f"it is not proved that the history has {facts(one['leaf'])}")
    said = facts(one["leaf"])
    if json.loads(one["leaf"])["sequence"] != one["index"] + 1:
        raise NotProved(f"{said}: it stands at place {one['index'] + 1}")
    return said


def check_growth(proof: Read, old: Checkpoint, head: Checkpoint) -> str:
    """That the history begins with what a kept checkpoint says."""
    if old.origin != head.origin:
        raise NotProved(f"the checkpoint that you kept is one of {old.origin}")
    hashes = proof.get("consistency", {}).get("hashes", []) if old.size != head.size else []
    path = [unpacked(text, "a hash") for text in hashes]
    if roots_from_growth(old.size, head.size, old.root, path) != (old.root, head.root):
        raise NotProved(
            f"it is not proved that the history begins with the {old.size} entries of the checkpoint you kept"
        )
    return f"it begins with the {old.size} entries of the checkpoint that you kept"


def check_proof(proof: Read, keys: list[Key], kept: str | None) -> list[str]:
    """A proof of one or several entries."""
    keys = keys or [Key(text) for text in proof.get("keys", [])]
    head = Checkpoint(proof["checkpoint"], keys)
    said = [check_entry(one, head) for one in proof["entries"]]
    if kept:
        said.append(check_growth(proof, Checkpoint(kept, keys), head))
    return [*said, f"by {head}"]


def read_text_proof(text: str) -> Read:
    """C2SP tlog-proof, whose extra data is the entry."""
    top, _, checkpoint = text.partition("\n\n")
    lines = top.split("\n")
    if len(lines) < 3 or not lines[1].startswith("extra ") or not re.fullmatch("index [0-9]+", lines[2]):
        raise NotProved("this text proof lacks its entry or its index")
    leaf = unpacked(lines[1][6:], "the entry").decode()
    entry = {"leaf": leaf, "index": int(lines[2][6:]), "inclusion": lines[3:]}
    return {"checkpoint": checkpoint, "entries": [entry]}


def check_report(html: str, keys: list[Key], kept: str | None) -> list[str]:
    """A report: its bytes are those that were signed, and every entry that it cites is in the history."""
    body, mark, rest = html.rpartition(SEAL)
    if not mark or not rest.endswith(SEAL_END):
        raise NotProved("the report has no seal")
    seal = read_seal(rest[: -len(SEAL_END)])
    keys = keys or [Key(text) for text in seal.get("keys", [])]
    text, signers = open_note(seal["note"], keys)
    if not signers or not text.startswith("orchestrator-report/1 "):
        raise NotProved("none of the known keys signed the report")
    if text.split("\n")[1] != hashlib.sha256(body.encode()).hexdigest():
        raise NotProved("the report was changed after it was signed")
    said = check_proof(seal["proof"], keys, kept)
    return [f"the report is unchanged, signed by {signers[0].text}", *said]


def read_seal(written: str) -> Read:
    """The seal, if it is written in the one way in which it is made: a browser shows what gets out of it."""
    seal: Read = json.loads(written)
    plain = json.dumps(seal, ensure_ascii=False, separators=(",", ":")) + "\n"
    members = [(seal, SEALED), (seal["proof"], PROOF)]
    members += [(entry, ENTRY) for entry in seal["proof"]["entries"]]
    known = all(set(one) == names for one, names in members)
    if not known or plain.replace("<", "\\u003c").replace(">", "\\u003e") != written:
        raise NotProved("the seal of the report is not written as seals are")
    return seal


def check_export(text: str, keys: list[Key], kept: str | None) -> list[str]:
    """A whole history: chain, hashes, tree, every checkpoint, and the rows that entries speak of."""
    lines = [json.loads(line) for line in text.split("\n") if line.strip()]
    odd = next((number for number, line in enumerate(lines[1:], 2) if set(line) not in LINES), 0)
    if odd:
        raise NotProved(f"line {odd} is none that an export has")
    keys = keys or [Key(one) for one in lines[0].get("keys", [])]
    heads = [Checkpoint(one["checkpoint"], keys) for one in lines if "checkpoint" in one]
    heads += [Checkpoint(kept, keys)] if kept else []
    leaves = [one["leaf"] for one in lines if "leaf" in one]
    rows = {(line["row"]["kind"], line["row"]["id"]): line["row"] for line in lines if "row" in line}
    claims = sorted(heads, key=lambda head: head.size)
    tree, spoken = Tree(), Spoken()
    tips: dict[str, tuple[int, str]] = {}
    for leaf in leaves:
        check_link(leaf, tree, tips, rows, spoken)
        while claims and claims[0].size <= tree.size:
            head = claims.pop(0)
            if head.size == tree.size and head.root != tree.root():
                raise NotProved(f"up to entry {tree.size} the history is another one than {head} says")
    if claims:
        raise NotProved(f"entries are missing at the end: there are {tree.size}, and {claims[-1]}")
    if not heads:
        raise NotProved("the export has no checkpoint")
    for (kind, one), (digest, sequence) in spoken.items():
        if digest and row_hash(rows[kind, one]).hex() != digest:
            raise NotProved(f"the {kind} {one} is another one than entry {sequence} speaks of")
    if rows and len(spoken) != len(rows):
        raise NotProved(f"the export has {len(rows)} rows, and its entries speak of {len(spoken)}")
    last = max(heads, key=lambda head: head.size)
    return [f"{len(leaves)} entries, {len(rows)} rows, {len(heads)} checkpoints", f"by {last}"]


def check_link(leaf: str, tree: Tree, tips: dict[str, tuple[int, str]], rows: Rows, spoken: Spoken) -> None:
    """The next entry of an export, with what it says of rows."""
    read = json.loads(leaf)
    number, tip = tips.get(read["workstream"], (0, ""))
    if read["sequence"] != tree.size + 1:
        raise NotProved(f"entry {tree.size + 1} is missing: the next one is {read['sequence']}")
    if (read["number"], read["previous"]) != (number + 1, tip):
        raise NotProved(f"entry {read['sequence']} does not name the one before it")
    hashed = leaf_hash(leaf.encode())
    tips[read["workstream"]] = (number + 1, hashed.hex())
    tree.append(hashed)
    for kind, said in read.get("rows", {}).items() if rows else ():
        check_rows(read["sequence"], kind, said, rows, spoken)


def check_rows(sequence: int, kind: str, said: Read, rows: Rows, spoken: Spoken) -> None:
    """The rows that an entry speaks of: of what changes the last word counts, and is looked at in the end."""
    tree, digests = Tree(), said.get("digests", "")
    parts = [part.partition("-") for part in said["ids"].split(",")]
    ids = [one for first, _, last in parts for one in range(int(first), int(last or first) + 1)]
    for place, one in enumerate(ids):
        if (kind, one) not in rows:
            raise NotProved(f"the {kind} {one}, which entry {sequence} speaks of, is missing")
        tree.append(row_hash(rows[kind, one]))
        spoken[kind, one] = digests[64 * place : 64 * place + 64], sequence
    if not digests and tree.root().hex() != said["root"]:
        raise NotProved(f"a {kind} of {said['ids']} is another one than entry {sequence} speaks of")


def row_hash(row: Read) -> bytes:
    return leaf_hash(json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def check(text: str, keys: list[Key], kept: str | None) -> list[str]:
    """Whatever the file is; the sentences that are proved. Raises NotProved."""
    try:
        if text.startswith(TEXT_PROOF):
            return check_proof(read_text_proof(text), keys, kept)
        if text.lstrip()[:1] == "<":
            return check_report(text, keys, kept)
        first = json.loads(text.split("\n", 1)[0]) if text.startswith('{"export"') else None
        return check_export(text, keys, kept) if first else check_proof(json.loads(text), keys, kept)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as problem:
        raise NotProved(f"the file cannot be read: {problem!r}") from None


def text_of(name: str) -> str:
    """The text of a file, its line ends as they stand."""
    with open(name, encoding="utf-8", newline="") as file:
        return file.read()


def keys_of(given: list[str]) -> list[Key]:
    """Keys as they were given, or the lines of files."""
    lines = [line for one in given for line in ([one] if "+" in one else text_of(one).split("\n"))]
    return [Key(line) for line in lines if line.strip()]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--key", action="append", default=[], help="a key that you kept, or a file of them")
    parser.add_argument("--checkpoint", help="a file with a checkpoint that you kept")
    given = parser.parse_args(arguments)
    said, problem = [], ""
    try:
        keys = keys_of(given.key)
        kept = text_of(given.checkpoint) if given.checkpoint else None
        for name in given.files:
            said += [f"{name}: PROVED", *(f"  {one}" for one in check(text_of(name), keys, kept))]
        if not keys:
            said.append("The keys came with the file: compare them with those that you kept, or give --key.")
    except (NotProved, OSError, UnicodeError) as found:
        problem = f"NOT PROVED: {found}."
    try:
        print("\n".join([*said, *([problem] if problem else [])]), flush=True)
    except BrokenPipeError:  # whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
