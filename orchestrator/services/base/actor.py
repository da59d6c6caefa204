"""Who acts: a person, an executor on behalf of an account, or the orchestrator itself (FR-011)."""

from dataclasses import dataclass, field
from typing import Self

from django.contrib.auth.models import User

from orchestrator.core.errors import NoRole, NotAllowed
from orchestrator.core.people.names import BY_COMMAND, ORCHESTRATOR_NAME, actor_label
from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.models import Executor
from orchestrator.queries.base.roles import roles_of


@dataclass(frozen=True, slots=True)
class Actor:
    """`label` is what history, artifacts and pages show; `user` is None only for the orchestrator's own acts.

    `kind` says who acted: a person, an agent or a tool. A person's own executor is no second name of theirs:
    they act as themselves in the browser, and "with a token" on the machine interfaces. The account's roles
    are asked for once: an actor lives as long as one call.
    """

    label: str
    user: User | None = None
    executor: Executor | None = None
    _roles: list[frozenset[Role]] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def person(cls, user: User) -> Self:
        return cls(user.get_username(), user)

    @classmethod
    def operator(cls, user: User) -> Self:
        """Somebody at the server's own command line, for this account: whoever it is has the
        database anyway.
        """
        return cls(f"{user.get_username()} {BY_COMMAND}", user)

    @classmethod
    def member(cls, executor: Executor) -> Self:
        """An executor on a machine interface."""
        account = executor.user
        return cls(actor_label(executor.name, executor.kind, account.get_username()), account, executor)

    @property
    def kind(self) -> str:
        """A word of `ExecutorKind`; empty for the orchestrator."""
        if self.executor is not None:
            return self.executor.kind
        return ExecutorKind.PERSON.value if self.user is not None else ""

    @property
    def account(self) -> User:
        """The account that answers for the act; refuses acts that only people and executors may do."""
        if self.user is None:
            raise NotAllowed("This act needs a person or an executor.")
        return self.user

    @property
    def is_person(self) -> bool:
        """Whether a person acts, in the browser or through an executor of their own; agents and tools are
        none.
        """
        return self.user is not None and (self.executor is None or self.executor.kind == ExecutorKind.PERSON)

    def roles(self) -> frozenset[Role]:
        if not self._roles:
            self._roles.append(roles_of(self.user) if self.user is not None else frozenset())
        return self._roles[0]

    def require(self, *allowed: Role) -> None:
        """Deny by default: one of the roles, or `NotAllowed` naming them (design section 7)."""
        if not self.roles() & set(allowed):
            wanted = " or ".join(role.value for role in allowed)
            raise NotAllowed(f"{self.label} may not do this: it needs the role {wanted}.")

    def require_some_role(self) -> None:
        """`NoRole` for an account that holds none: whatever it wants, it is nobody here."""
        if not self.roles():
            raise NoRole(f"{self.account.get_username()} holds no role here.")

    def require_person(self, refusal: str) -> None:
        """NotAllowed for agents and tools: some decisions are a person's, in the browser or through their own
        token.
        """
        if not self.is_person:
            raise NotAllowed(
                f"{refusal} {self.label} is none.",
                recovery="Ask a person to decide, on the page or with a token.",
            )


ORCHESTRATOR = Actor(ORCHESTRATOR_NAME)
