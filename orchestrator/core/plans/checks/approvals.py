"""Who has to approve a version: how many people, and those whom its plan names (WF-3)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import Plan

#: For the reviewer to see, so a plan that has them is stored; they block its approval.
APPROVER_FINDINGS: Final = frozenset({"unknown-approver", "approver-is-author"})


@dataclass(frozen=True, slots=True)
class Approvals:
    """`needed` people have to approve, `named` ones among them; `given` are those who did."""

    needed: int
    named: tuple[str, ...]
    given: tuple[str, ...]

    @property
    def awaited(self) -> tuple[str, ...]:
        """The named people who have not approved."""
        return tuple(name for name in self.named if name not in self.given)

    @property
    def missing(self) -> int:
        """How many more people have to approve; somebody who is not named does not stand for a named one."""
        return max(0, self.needed - len(self.given), len(self.awaited))

    @property
    def sentence(self) -> str:
        return f"{len(self.given)} of {len(self.given) + self.missing} approvals"

    @property
    def asked(self) -> str:
        """Whose approval is still needed, in words: "anna and another approver"."""
        return self.asked_of("")

    def asked_of(self, approver: str, *, alone: bool = False) -> str:
        """The same, told to an approver who could give one of them: "you or another approver".

        With an empty name, to anybody else. `alone`: nobody else may approve as things stand.
        """
        named = ["you" if name == approver else name for name in self.awaited]
        other = "other " if self.given or named else ""
        free = self.missing - len(named)
        words = list(named)
        if alone and free:
            if "you" not in named:
                words, free = [*words, "you"], free - 1
            if free:
                words.append(f"{free} more, whom nobody has the role for")
            return " and ".join(words)
        if free and approver and "you" not in named:
            words.append("you or another approver" if free == 1 else f"{free} {other}approvers, maybe you")
        elif free:
            one = "another approver" if other else "an approver"
            words.append(one if free == 1 else f"{free} {other}approvers")
        return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def approvals_of(plan: Plan | None, required: int, given: Collection[str]) -> Approvals:
    """The workflow's number is the least; a plan may ask for more people, never for fewer."""
    named = plan.approvers if plan else ()
    asked = plan.approvals if plan else 0
    return Approvals(max(required, asked, len(named)), named, tuple(given))


def approver_findings(plan: Plan, able: Collection[str], author: str = "") -> Iterator[Finding]:
    """Named approvers who could never approve.

    Not among the people who are `able` to, or the barred `author`.
    """
    for name in plan.approvers:
        if name not in able:
            message = f"The plan names the approver “{name}”, who is no user with the role approver."
            fix = "Correct the name, or have an administrator give that person the role approver."
            yield finding("unknown-approver", plan.approvers_line, message, fix)
        elif name == author:
            message = f"The plan names {name} as an approver, who wrote this version."
            fix = "Name somebody else, or allow self-approval on the workflow."
            yield finding("approver-is-author", plan.approvers_line, message, fix)
