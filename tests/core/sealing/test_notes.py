"""FR-009: keys, notes and checkpoints read as C2SP writes them; the vectors are those of Go's
`sumdb/note`."""

import pytest

from orchestrator.core.sealing.notes import BadNote, Head, read_head, read_note, read_private, read_public
from orchestrator.services.sealing.keys import is_right, new_key, public_of, signed

VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
LINE = f"\u2014 PeterNeumann {SIGNATURE}"


def test_fr009_the_published_note() -> None:
    key = read_public(VERIFIER)
    assert str(key) == VERIFIER
    note = read_note(f"{TEXT}\n{LINE}\n")
    assert note.signed_by([key], is_right) == [key]
    assert str(note) == f"{TEXT}\n{LINE}\n"
    private = read_private(SIGNER, public_of)
    assert (str(private), private.public) == (SIGNER, key)
    assert str(signed(TEXT, private)) == f"{LINE}\n"


def test_fr009_a_changed_text_is_refused_and_an_unknown_key_ignored() -> None:
    key, other = read_public(VERIFIER), new_key("somebody").public
    with pytest.raises(BadNote, match="wrong"):
        read_note(f"X{TEXT}\n{LINE}\n").signed_by([key], is_right)
    assert read_note(f"{TEXT}\n{LINE}\n").signed_by([other], is_right) == []


@pytest.mark.parametrize("place", range(0, len(VERIFIER), 3))
def test_fr009_a_key_with_one_character_changed_is_none(place: int) -> None:
    turned = chr(ord(VERIFIER[place]) ^ 1)
    with pytest.raises(BadNote):
        read_public(f"{VERIFIER[:place]}{turned}{VERIFIER[place + 1 :]}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "text\n\n",
        "text\n\nx\n",
        f"{TEXT}\n{LINE}",
        f"{TEXT}{LINE}\n",
        f"{TEXT}\n{LINE}\n\n",
        f"a\x01\n\n{LINE}\n",
    ],
)
def test_fr009_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        read_note(text)


def test_fr009_a_checkpoint_says_origin_size_and_root() -> None:
    head = Head("example.org/log", 20852163, bytes(range(32)))
    assert head.text == "example.org/log\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert read_head(head.text) == head
    assert read_head(f"{head.text}an extension\n") == head


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "a\n1\nAAAA\n",
        "a\n01\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "a\n-1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    ],
)
def test_fr009_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        read_head(text)
