"""What the consistency check found and what was done about it (LC-12)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InconsistencyFacts:
    """One finding, with its `code` and what fixing does about it. `place` is the repository that it is in; ""
    is the workspace. `severity` is error or warning."""

    code: str
    title: str
    severity: str
    subject: str
    detail: str
    place: str
    fix: str


@dataclass(frozen=True)
class FixFacts:
    """What was done about one finding: where the thing that was replaced is kept now ("" when nothing stood
    there), or why it could not be fixed (`problem`)."""

    code: str
    subject: str
    place: str
    kept: str
    problem: str


@dataclass(frozen=True)
class ConsistencyFacts:
    """`consistent` says that nothing but warnings was found; `unread` names what could not be looked at;
    `fixes` what was done before this look, if anything was."""

    consistent: bool
    errors: int
    warnings: int
    findings: tuple[InconsistencyFacts, ...]
    unread: tuple[str, ...]
    fixes: tuple[FixFacts, ...] = ()
