"""The orders of core and those of the database are the same ones (EC-2, AD-3, BX-2)."""

from datetime import UTC, datetime, timedelta

from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.engine.order import OrderKey, Place, Rank, number_runs, run_around, runs_of
from orchestrator.core.plans.plan import BatchSpec, Plan, StageSpec, StepSpec, ThreadSpec
from orchestrator.models import Step, Task, WorkflowVersion, Workstream
from orchestrator.queries.base.order import launch_order, launch_order_of_tasks, plan_order, rank
from orchestrator.queries.work.tasks import tasks_in_order
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.history import record
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.plans.structure import create_structure
from tests.cast import Cast, Driver

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
#: Stages of batches of threads: for each step of a thread whether it is parallel.
SHAPES = st.lists(
    st.lists(
        st.lists(st.lists(st.booleans(), min_size=1, max_size=4), min_size=1, max_size=3),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=3,
)
START = datetime(2026, 3, 1, tzinfo=UTC)


def plan_of(shape: list[list[list[list[bool]]]], numbers: list[int]) -> Plan:
    """The keys are given out of order, so that they do not stand for the place."""
    keys = iter(f"K{number}" for number in numbers)

    def thread(lane: int, steps: list[bool]) -> ThreadSpec:
        specs = tuple(StepSpec(next(keys), "step", parallel=parallel) for parallel in steps)
        return ThreadSpec(f"{lane:02}", f"thread {lane}", steps=specs)

    def batch(number: int, threads: list[list[bool]]) -> BatchSpec:
        return BatchSpec(f"{number:02}", "batch", threads=tuple(map(thread, range(1, 9), threads)))

    stages = [
        StageSpec(number, "stage", batches=tuple(map(batch, range(1, 9), batches)))
        for number, batches in enumerate(shape, 1)
    ]
    return Plan("Any", tuple(stages))


def new_version(driver: Driver) -> WorkflowVersion:
    """One more version of one workflow; what its text says does not matter here."""
    first = (driver.workstream or driver.submit().workstream).version
    number = first.workflow.versions.count() + 1
    values = {"author": first.author, "source": "", "source_sha256": f"{number:064}", "submitted_at": START}
    return WorkflowVersion.objects.create(workflow=first.workflow, number=number, **values)


def structured(version: WorkflowVersion, plan: Plan) -> None:
    """As the act does it that submits a plan: some entry speaks of the rows."""
    with unit_of_work():
        create_structure(version, plan)
        record(workstream=None, actor=ORCHESTRATOR, action="x", subject="y", now=START)


@FEW
@given(shape=SHAPES, chance=st.randoms(use_true_random=False))
def test_steps_stand_in_the_same_orders_in_core_and_in_the_database(shape, chance, driver: Driver) -> None:
    numbers = list(range(3 * 3 * 3 * 4))
    chance.shuffle(numbers)
    plan = plan_of(shape, numbers)
    version = new_version(driver)
    structured(version, plan)
    steps = Step.objects.filter(version=version)
    assert tuple(Step._meta.ordering) == ("version", *launch_order(""))
    placed = list(plan.placed_steps())

    def launch_key(item) -> OrderKey:
        return Place(*item.place).launch_key(item.step.key)

    launched = [item.step.key for item in sorted(placed, key=launch_key)]
    assert list(steps.order_by(*launch_order("")).values_list("key", flat=True)) == launched
    written = [item.step.key for item in sorted(placed, key=lambda item: item.place)]
    assert list(steps.order_by(*plan_order("")).values_list("key", flat=True)) == written
    runs = number_runs((item.step.key, item.place[:3], item.step.parallel) for item in placed)
    assert dict(steps.values_list("key", "run_index")) == runs


@FEW
@given(rows=st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2)), min_size=1, max_size=6))
def test_workstreams_have_the_same_rank_in_core_and_in_the_database(rows, driver: Driver) -> None:
    version = new_version(driver)
    for number, (priority, day) in enumerate(rows):
        moment = START + timedelta(days=day)
        Workstream.objects.create(
            slug=f"other-{version.number}-{number}",
            title="Other",
            owner=version.author,
            version=version,
            priority=priority,
            flow_since=moment,
            created_at=moment,
            updated_at=moment,
        )
    ranked = sorted(Workstream.objects.all(), key=lambda row: Rank.of(row.priority, row.created_at, row.pk))
    assert list(Workstream.objects.order_by(*rank(""))) == ranked
    assert tuple(Workstream._meta.ordering) == rank("")


def test_neighbouring_parallel_steps_are_one_run() -> None:
    assert runs_of([]) == []
    assert runs_of([False, True, True, False, True, True]) == [0, 1, 1, 2, 3, 3]
    assert runs_of([True, False, False]) == [0, 1, 2]
    assert list(run_around([False, True, True, False], 2)) == [1, 2]
    assert list(run_around([False, True, True, False], 3)) == [3]


def test_ec2_lists_of_tasks_are_in_launch_order(cast: Cast) -> None:
    """Of two steps that stand equally far on in their threads, the one with the smaller key comes first."""
    source = (
        "# Plan: Any\n### Stage 1: s\n##### Batch 01: b\n"
        "###### Thread 01: t\n- Z1: late\n- A2: next\n###### Thread 02: u\n- B1: early\n"
    )
    workstream = Driver(cast).start(source.encode())
    assert [task.step.key for task in tasks_in_order(workstream)] == ["B1", "Z1", "A2"]


ALIKE = ["A-1", "A1", "B", "Z", "_x", "a", "a1", "aa", "b", "É", "é", "ﬀ", "😀"]


def speak_english() -> None:
    """Have PostgreSQL sort keys as a database does that was made for a language; `und` is in every ICU."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute('ALTER TABLE orchestrator_step ALTER COLUMN key TYPE varchar(80) COLLATE "und-x-icu"')
        cursor.execute("SELECT 'a' < 'B' COLLATE \"und-x-icu\"")
        assert cursor.fetchone() == (True,), "not by code point"


def test_ec2_keys_sort_by_code_point_whatever_the_language_of_the_database(driver: Driver) -> None:
    """Steps that stand equally far on are launched by their keys, as Python sorts them."""
    version = new_version(driver)
    speak_english()
    threads = tuple(
        ThreadSpec(f"{lane:02}", "thread", steps=(StepSpec(key, "step"),))
        for lane, key in enumerate(reversed(ALIKE), 1)
    )
    structured(version, Plan("Any", (StageSpec(1, "s", batches=(BatchSpec("01", "b", threads=threads),)),)))
    steps = Step.objects.filter(version=version)
    assert list(steps.order_by(*launch_order("")).values_list("key", flat=True)) == ALIKE
    assert [step.key for step in steps] == ALIKE, "the model's own order as well"
    rows = Task.objects.bulk_create(
        Task(workstream=driver.workstream, step=step, created_at=START, updated_at=START) for step in steps
    )
    tasks = Task.objects.filter(pk__in=[row.pk for row in rows])
    assert list(tasks.order_by(*launch_order_of_tasks("")).values_list("step__key", flat=True)) == ALIKE
