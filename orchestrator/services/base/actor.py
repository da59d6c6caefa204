"""Who acts: a person, an executor on behalf of an account, or the orchestrator itself (FR-011)."""

from dataclasses import dataclass, field
from typing import Self

from django.contrib.auth.models import User

from orchestrator.core.errors import NotAllowed
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
    _roles: list[frozenset[Role]] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def person(cls, user: User, roles: frozenset[Role] | None = None) -> Self:
        """Somebody in the browser; whoever has read the roles already gives them."""
        return cls(user.get_username(), user, None, [] if roles is None else [roles])

    @classmethod
    def operator(cls, user: User) -> Self:
        """Somebody at the server's own command line, for this account.

        Whoever it is has the database anyway.
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
        """Whether a person acts, in the browser or through an executor of their own.

        Agents and tools are none.
        """
        return self.user is not None and (self.executor is None or self.executor.kind == ExecutorKind.PERSON)

    def roles(self) -> frozenset[Role]:
        """The roles of the account, read once: an actor is made for one call or one request."""
        if not self._roles:
            self._roles.append(roles_of(self.user) if self.user is not None else frozenset())
        return self._roles[0]


ORCHESTRATOR = Actor(ORCHESTRATOR_NAME)
