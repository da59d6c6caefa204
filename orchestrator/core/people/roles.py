"""Which roles do which work (FR-011): the groups of roles that acts name, and the rule that the claim asks.

A role is one of ours or it is nothing: a group of another name gives nobody anything.
"""

from collections.abc import Collection
from typing import Final

from orchestrator.core.terms import ExecutorKind, Role, Scope

#: Who does work and sees to what is in its way.
WORKERS: Final = (Role.CONTRIBUTOR, Role.REVIEWER, Role.APPROVER)
#: Everybody but observers, who look on.
PARTICIPANTS: Final = (Role.INITIATOR, *WORKERS)
#: Who brings plans in, and starts work from workflows.
SUBMITTERS: Final = (Role.INITIATOR, Role.APPROVER)
#: Who changes the plan of work that is under way, and keeps plans as workflows.
PROPOSERS: Final = (Role.INITIATOR, Role.REVIEWER, Role.APPROVER)
#: Who signs off work; gates that name nobody are theirs.
SIGNERS: Final = (Role.REVIEWER, Role.APPROVER)
#: Who decides about plans, workstreams and rules.
APPROVERS: Final = (Role.APPROVER,)

#: The tool whose steps a person does by hand.
HUMAN: Final = "human"
#: Who does work that names no role, or one that nobody can have.
WORKING: Final = frozenset(WORKERS)
#: The roles that a step or a thread can be given to.
DOERS: Final = frozenset(PARTICIPANTS)


def takes_part(roles: Collection[Role]) -> bool:
    """Whether somebody with these roles does anything here, or only looks on: they are shown no forms."""
    return not set(roles).isdisjoint(PARTICIPANTS)


def usable_scopes(roles: Collection[Role]) -> frozenset[Scope]:
    """What a token of an account with these roles can be used for: of one that only looks on it reads.

    What every role may do, such as to sign a gate that names the person, such an account does in the browser.
    """
    return frozenset(Scope) if takes_part(roles) else frozenset({Scope.READ})


def doers(step_role: str, thread_role: str) -> frozenset[Role]:
    """The roles of which one is needed to do a step.

    Its own `Role:`, else its thread's, else any working role.
    """
    named = step_role or thread_role
    return frozenset({Role(named)}) if named in DOERS else WORKING


def suits(kind: str, tool: str, runs: Collection[str] = ()) -> bool:
    """Whether an executor of this kind, which runs these tools, does a step with this tool (AD-6).

    What names a tool is done by one, by whoever runs it, or by a person by hand: no agent asserts what
    a tool was to prove. What names the tool `human` is done by a person alone, what names none by everybody.
    """
    if tool == HUMAN:
        return kind == ExecutorKind.PERSON
    return not tool or tool in runs or kind != ExecutorKind.AGENT


def is_awaited(kind: str, tool: str) -> bool:
    """Whether an executor of this kind is expected to claim a step with this tool: a tool its own, else an
    agent; a person for both."""
    return kind == ExecutorKind.PERSON or (tool != HUMAN and (kind == ExecutorKind.TOOL) == bool(tool))
