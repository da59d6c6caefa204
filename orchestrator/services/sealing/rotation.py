"""Another key for the history: rotated while the old one is at hand, replaced when it is lost (FR-009,
F33)."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, WrongState
from orchestrator.core.people.roles import APPROVERS
from orchestrator.core.sealing.notes import BadNote, PublicKey, read_note, read_public
from orchestrator.queries.base.sealed import entries_sealed, newest_checkpoint
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.sealing.anchors import seal_and_anchor
from orchestrator.services.sealing.keys import (
    KeyRing,
    is_right,
    key_file,
    key_ring,
    new_key,
    replace_file,
    rotated,
)

WHY = "Say why the key of the history changes."


@act(
    roles=APPROVERS,
    reason=why("reason", WHY),
    person="The key of the history is changed by a person.",
    in_steps=True,
    locks=(Lock.SEALER,),
    records=(Action.HISTORY_KEY_ROTATED,),
)
def rotate_key(*, reason: str, actor: Actor, now: datetime) -> PublicKey:
    """Sign with a new key from now on; answers with its public half, which people have to keep. The old key
    signs the entry that names the new one, so whoever trusts the old one can trust the new.

    A kill in between leaves the old key at work. WrongState when the key file is not the right one.
    """
    seal_and_anchor(now=now)
    ring = rotated(key_ring(make=not entries_sealed()))
    _recorded(ring, reason, actor, now)
    seal_and_anchor(now=now)
    replace_file(ring)
    return ring.private.public


@act(
    roles=APPROVERS,
    reason=why("reason", WHY),
    person="The key of the history is changed by a person.",
    in_steps=True,
    locks=(Lock.SEALER,),
    records=(Action.HISTORY_KEY_REPLACED,),
)
def replace_key(*, old: Sequence[str], reason: str, actor: Actor, now: datetime) -> PublicKey:
    """Begin with a new key because the file is lost; `old` are the public keys that signed, from wherever
    they were kept.

    Nothing but this entry says that the new key may go on: people compare it with whoever did this.
    WrongState while the file is there; InvalidInput when the old keys did not sign the newest checkpoint.
    """
    if key_file().exists():
        raise WrongState("The key file is there.", recovery="Rotate the key instead.")
    try:
        known = tuple(read_public(one) for one in old)
    except BadNote as problem:
        raise InvalidInput(f"{problem}", field="old") from problem
    newest = newest_checkpoint()
    signers = read_note(newest.note).signed_by(known, is_right) if newest else []
    if not signers:
        raise InvalidInput("None of these keys signed the newest checkpoint.", field="old")
    others = (one for one in known if one not in signers)
    ring = KeyRing(new_key(signers[0].name), (*signers, *others))
    # Recorded first: no key ever signs that no entry names.
    _recorded(ring, reason, actor, now, Action.HISTORY_KEY_REPLACED)
    replace_file(ring)
    seal_and_anchor(now=now)
    return ring.private.public


def _recorded(
    ring: KeyRing, reason: str, actor: Actor, now: datetime, action: Action = Action.HISTORY_KEY_ROTATED
) -> None:
    before, after = ring.retired[0], ring.private.public
    with unit_of_work():
        record(
            workstream=None,
            actor=actor,
            action=action,
            subject=f"{after.name}+{after.hash.hex()}",
            reason=reason,
            now=now,
            data={"from": str(before), "to": str(after)},
        )
