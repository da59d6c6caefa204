"""Random plans as readers make them, with texts that try to look like structure."""

from collections.abc import Iterable

from hypothesis import strategies as st

from orchestrator.core.plans.plan import (
    BatchSpec,
    GateSpec,
    Need,
    Plan,
    Question,
    StageSpec,
    StepSpec,
    ThreadSpec,
)
from orchestrator.core.terms import GateKind, StageKind

WORDS = ["ledger", "API", "追跡", "é", "(parallel)", "(needs A1)", "**bold**", "`code`", "a:b", "T001", "→"]
LINE = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
#: Lines that look like structure and have to come back as text.
LOOKALIKES = [
    "- Role: nobody",
    "Exit: never",
    "# Heading",
    "### Stage 9: no",
    "- A1: not a step",
    "**Tasks:**",
    "---",
]
LOOKALIKES += [
    "```",
    "~~~",
    "<!-- hidden",
    "\\Role: kept",
    "\\# kept",
    "\\begin{x}",
    "  indented",
    "> quoted",
    "* * *",
]
LOOKALIKES += [
    "- [ ] box",
    "1. first",
    "| a | b |",
    "Last updated: never",
    "- Task B7: no",
    "Kind: fix",
    "WS-A: lane",
]
LOOKALIKES += ["\\\\- Exit: twice"]
TRICKS = st.sampled_from(LOOKALIKES)
TEXT = st.lists(st.one_of(LINE, TRICKS, st.just("")), max_size=6).map(lambda lines: _kept("\n".join(lines)))
NAME = LINE.map(lambda text: text.strip("-–—:. "))
ITEM = st.sampled_from(["src/**", "docs/a b.md", "x,y", "db", "staging db"])


def _kept(text: str) -> str:
    """As a reader keeps a text: no blank lines around it, no common indent, no blanks at line ends."""
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    full = [line for line in lines if line]
    indent = min((len(line) - len(line.lstrip()) for line in full), default=0)
    return "\n".join(line[indent:] for line in lines).strip("\n")


@st.composite
def steps(draw: st.DrawFn, key: str, before: Iterable[str]) -> StepSpec:
    known = sorted(before)
    needs = draw(st.lists(st.sampled_from(known), max_size=3, unique=True)) if known else []
    lines = st.lists(LINE, max_size=2).map(tuple)
    items = st.lists(ITEM, max_size=2, unique=True).map(tuple)
    return StepSpec(
        key=key,
        title=draw(LINE),
        details=draw(TEXT),
        parallel=draw(st.booleans()),
        needs=tuple(Need(name) for name in needs),
        role=draw(st.sampled_from(["", "contributor", "reviewer"])),
        tool=draw(st.sampled_from(["", "pytest"])),
        run=draw(st.sampled_from(["", "pytest -q", "a `b` c"])),
        files=draw(items),
        resources=draw(items),
        entry=draw(lines),
        exit=draw(lines),
        done_when=draw(lines),
        estimate=draw(st.integers(0, 5000)),
        outcomes=draw(st.sampled_from([(), ("passed", "failed")])),
        max_attempts=draw(st.integers(0, 9)),
        may_add=draw(st.integers(0, 9)),
        added_by=draw(st.sampled_from(["", *known])),
    )


@st.composite
def gates(draw: st.DrawFn, key: str, before: Iterable[str]) -> BatchSpec:
    known = sorted(before)
    name = draw(st.one_of(NAME, st.sampled_from(["Merge point", "Gate"])))
    merge = name == "Merge point"
    kind = (
        GateKind.MERGE
        if merge
        else draw(st.sampled_from([GateKind.REVIEW, GateKind.RELEASE, GateKind.EVALUATION]))
    )
    title = {"Merge point": f"Merge point {key}", "Gate": key}.get(name, name)
    needs = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
    gate = GateSpec(
        kind=kind,
        reviewers=draw(st.sampled_from([(), ("reviewer",), ("rita", "approver")])),
        action=draw(st.lists(LINE, max_size=2).map("\n".join)),
        signatures=draw(st.integers(0, 3)),
    )
    needed = tuple(Need(name) for name in needs)
    step = StepSpec(key=key, title=title, details=draw(TEXT), needs=needed, gate=gate, exit=draw(st.just(())))
    return BatchSpec(key, name, threads=(ThreadSpec(key, title, steps=(step,)),))


@st.composite
def batches(draw: st.DrawFn, stage: int, number: int, before: set[str]) -> BatchSpec:
    if before and draw(st.integers(0, 3)) == 0:
        return draw(gates(f"G{stage}-{number}", before))
    threads = []
    for lane in draw(st.sampled_from([("01",), ("01", "02"), ("A", "main"), ("WS2", "c-d")])):
        keys = [f"{lane}.{stage}{number}{n}" for n in range(draw(st.integers(1, 3)))]
        threads.append(
            ThreadSpec(
                lane,
                draw(NAME),
                steps=tuple(draw(steps(key, before)) for key in keys),
                summary=draw(TEXT),
                role=draw(st.sampled_from(["", "contributor"])),
                files=draw(st.lists(ITEM, max_size=2, unique=True).map(tuple)),
                worktree=draw(st.sampled_from(["", ".worktrees/a"])),
            )
        )
    return BatchSpec(f"{number:02}", draw(NAME), threads=tuple(threads), summary=draw(TEXT))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    known: set[str] = set()
    stages = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        made = []
        for position in range(1, draw(st.integers(1, 3)) + 1):
            made.append(draw(batches(number, position, known)))
            known |= {step.key for thread in made[-1].threads for step in thread.steps}
        kind = draw(st.sampled_from(StageKind))
        stages.append(StageSpec(number, draw(NAME), kind=kind, batches=tuple(made), definition=draw(TEXT)))
    return Plan(
        name=draw(NAME),
        stages=tuple(stages),
        summary=draw(TEXT),
        domain=draw(st.sampled_from(["", "payments", "a: b # c"])),
        owner=draw(st.sampled_from(["", "ines"])),
        priority=draw(st.integers(-9, 99)),
        repository=draw(st.sampled_from(["", "sample"])),
        base_branch=draw(st.sampled_from(["main", "trunk"])),
        questions=tuple(draw(st.lists(st.builds(Question, LINE, st.just(0), st.booleans()), max_size=2))),
        parameters=draw(st.sampled_from([(), (("name", "x y"), ("n", "3"))])),
        needs=draw(st.sampled_from([(), ("other-work", "more")])),
        approvers=draw(st.sampled_from([(), ("anna",), ("o.mar@example.org", "zoë-1")])),
        approvals=draw(st.integers(0, 20)),
    )
