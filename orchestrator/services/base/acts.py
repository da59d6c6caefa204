"""Acts, each declared once where it is done: who may, its reason, what it locks, what it records (FR-011).

`@act(...)` above a service function makes an `Act` of it. Calling the act asks the actor's role and the
reason, masks what is secret in what it is given, then calls the function; it opens no transaction and takes
no lock. Pages, REST, MCP, the inbox and the commands ask the same declaration, so nobody says roles twice. A
rule about a row, such as whose signature a gate wants, stands beside its act as
`why_not_...(row, actor) -> Refusal | None`.
"""

import functools
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

from django.conf import settings

from orchestrator.core.actions import Action
from orchestrator.core.errors import MissingReason, NoRole, NotAllowed, Refusal
from orchestrator.core.invisible import says_nothing
from orchestrator.core.terms import Role, Scope
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.locks import Lock
from orchestrator.services.base.masking import masked_arguments, telling
from orchestrator.services.base.watched import Watched, watched

P = ParamSpec("P")
R = TypeVar("R")

#: For acts that everybody with a role may do, as far as the row allows it.
EVERY_ROLE: Final = tuple(Role)
#: For acts about an account: its own person does them, whatever role it has; `only` says who else.
NO_ROLE: Final[tuple[Role, ...]] = ()


@dataclass(frozen=True, slots=True)
class ReasonAsked:
    """The argument that has to say why, and what is said when it is blank.

    Of several arguments one is enough. The refusal names `field`, or the first argument where it is left out.
    """

    arguments: tuple[str, ...]
    missing: str
    recovery: str = ""
    field: str = ""
    refusal: type[Refusal] = MissingReason

    def refuse_blank(self, given: Mapping[str, Any]) -> None:
        if all(says_nothing(str(given.get(name) or "")) for name in self.arguments):
            field = self.field or self.arguments[0]
            raise self.refusal(self.missing, recovery=self.recovery or None, field=field)


def why(argument: str, missing: str, **more: Any) -> ReasonAsked:
    """The reason of an act that has one argument for it; `more` are fields of `ReasonAsked`."""
    return ReasonAsked((argument,), missing, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Everything that is known of an act before it is done.

    `roles`: one of them is needed. `only`: what else limits who may, in words; the act itself asks it.
    `person`: the sentence for agents and tools where a person has to act; empty where they may as well.
    `scope`: what a token needs; None for acts that no machine interface offers. `locks`: what it takes, in
    order. `records`: the actions that it writes itself. `in_steps`: it has several transactions, or reads
    files for long, so an idempotency key has a transaction of its own. `asked`: those of the roles whom the
    inbox asks; all of them when it is left out. `plain`: arguments in which no secret is masked, because they
    are one that is only compared or hashed, or a text that is decided about by its hash.
    """

    roles: tuple[Role, ...]
    scope: Scope | None = None
    reason: ReasonAsked | None = None
    person: str = ""
    only: str = ""
    locks: tuple[Lock, ...] = ()
    records: tuple[Action, ...] = ()
    in_steps: bool = False
    asked: tuple[Role, ...] = ()
    plain: tuple[str, ...] = ()


class Undeclared(RuntimeError):
    """An act locked or recorded what its declaration does not say. Only a mistake in the code does."""


class Act(Generic[P, R]):
    """A service function with its declaration: called like the function, and asked who may."""

    def __init__(self, function: Callable[P, R], declaration: Declaration) -> None:
        functools.update_wrapper(self, function)
        self.function, self.declaration = function, declaration
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"

    def __call__(self, *arguments: P.args, **given: P.kwargs) -> R:
        known = _with_actor(given)
        if self.declaration.roles != NO_ROLE:
            self.refuse(_actor_of(known))
        self.refuse_blank(**known)
        taken, masked = masked_arguments(known, self.declaration.plain)
        with telling(masked), watched() as done:
            answer = cast(Callable[..., R], self.function)(*arguments, **taken)
        if settings.STRICT_DECLARATIONS:
            self._keep_to_declaration(done)
        return answer

    def __repr__(self) -> str:
        return f"<act {self.name}>"

    def why_not(self, actor: Actor) -> Refusal | None:
        """Why this actor may not do it, whatever the row: role or person is lacking. None when they may."""
        return lacking(actor, self.declaration.roles) or self._why_no_person(actor)

    def refuse(self, actor: Actor) -> None:
        """Deny by default: raises what `why_not` says."""
        if refusal := self.why_not(actor):
            raise refusal

    def refuse_blank(self, **given: Any) -> None:
        """Raises what the declaration says of a reason that says nothing; for who asks before it is done."""
        if self.declaration.reason:
            self.declaration.reason.refuse_blank(given)

    def is_open_to(self, roles: Iterable[Role]) -> bool:
        """Whether one of these roles is enough."""
        return not set(self.declaration.roles).isdisjoint(roles)

    def asks(self, roles: Iterable[Role]) -> bool:
        """Whether the inbox of somebody with these roles shows what waits for the act."""
        return not set(self.declaration.asked or self.declaration.roles).isdisjoint(roles)

    def _keep_to_declaration(self, done: Watched) -> None:
        """A mistake of the code: the act took a lock, or wrote an entry of another act, undeclared."""
        own = done.actions - _declared_actions()
        steps = {Lock.KEY} if self.declaration.in_steps else set()  # what a call under a key did already
        wrong = [*(done.locks - {*self.declaration.locks, *steps, Lock.SEQUENCE})]
        wrong += [*(done.actions - own - {*self.declaration.records})]
        if wrong:
            raise Undeclared(f"{self.name} does not declare {', '.join(map(str, wrong))}.")

    def _why_no_person(self, actor: Actor) -> Refusal | None:
        if not self.declaration.person or actor.is_person:
            return None
        return NotAllowed(
            f"{self.declaration.person} {actor.label} is none.",
            recovery="Ask a person to decide, on the page or with a token.",
        )


def act(
    *,
    roles: Iterable[Role],
    scope: Scope | None = None,
    reason: ReasonAsked | None = None,
    person: str = "",
    only: str = "",
    locks: tuple[Lock, ...] = (),
    records: tuple[Action, ...] = (),
    in_steps: bool = False,
    asked: tuple[Role, ...] = (),
    plain: tuple[str, ...] = (),
) -> Callable[[Callable[P, R]], Act[P, R]]:
    """Declare the service function below as an act; the fields are those of `Declaration`.

    The function takes everything by name, and who acts among it: `actor`, `executor` or `user`.
    """
    declaration = Declaration(
        roles=tuple(dict.fromkeys(roles)),
        scope=scope,
        reason=reason,
        person=person,
        only=only,
        locks=locks,
        records=records,
        in_steps=in_steps,
        asked=asked,
        plain=plain,
    )

    def declare(function: Callable[P, R]) -> Act[P, R]:
        return Act(function, declaration)

    return declare


def lacking(actor: Actor, roles: Iterable[Role]) -> Refusal | None:
    """NotAllowed that names the roles of which this actor has none; NoRole where any role would do."""
    wanted = tuple(roles)
    if wanted == NO_ROLE or not actor.roles().isdisjoint(wanted):
        return None
    if set(wanted) == set(Role):
        return NoRole(f"{actor.account.get_username()} holds no role here.")
    named = " or ".join(wanted)
    return NotAllowed(f"{actor.label} may not do this: it needs the role {named}.", role=named)


def why_none(acts: Iterable[Act[..., Any]], actor: Actor) -> Refusal | None:
    """Why this actor may do none of the acts, as the first of them says it; None when they may do one."""
    refusals = [asked_act.why_not(actor) for asked_act in acts]
    return None if None in refusals else refusals[0]


def every_act() -> list[Act[..., Any]]:
    """Every act of every service, by module and in the order in which they are written there."""
    package = import_module("orchestrator.services")
    acts: list[Act[..., Any]] = []
    modules = pkgutil.walk_packages(package.__path__, "orchestrator.services.")
    for module in sorted(one.name for one in modules):
        values = vars(import_module(module)).values()
        acts += [value for value in values if isinstance(value, Act) and value.__module__ == module]
    return acts


@functools.cache
def _declared_actions() -> frozenset[Action]:
    """What some act records; every other action is recorded by the orchestrator itself."""
    return frozenset(action for one in every_act() for action in one.declaration.records)


def _with_actor(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where an executor acts and nobody said as whom: the actor whose roles are asked is the one that acts,
    so that they are read once."""
    if given.get("actor") or "user" in given or "executor" not in given:
        return given
    return {**given, "actor": Actor.member(given["executor"])}


def _actor_of(given: Mapping[str, Any]) -> Actor:
    """Who acts: an actor, or the account itself."""
    return Actor.person(given["user"]) if "user" in given else cast(Actor, given["actor"])
