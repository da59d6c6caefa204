"""Which roles do which work (FR-011): the rule that the claim asks, and every list that offers work.

A role is one of ours or it is nothing: a group of another name gives nobody anything.
"""

from typing import Final

from orchestrator.core.terms import Role

#: Who does work that names no role, or one that nobody can have.
WORKING: Final = frozenset({Role.CONTRIBUTOR, Role.REVIEWER, Role.APPROVER})
#: The roles that a step or a thread can be given to; observers look on.
DOERS: Final = WORKING | {Role.INITIATOR}


def doers(step_role: str, thread_role: str) -> frozenset[Role]:
    """The roles of which one is needed to do a step: its own `Role:`, else its thread's, else any working
    role.
    """
    named = step_role or thread_role
    return frozenset({Role(named)}) if named in DOERS else WORKING
