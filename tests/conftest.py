"""Fixtures every test may use."""

import gc
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_django.plugin import DjangoDbBlocker

from orchestrator.models.base.guards import drop_guards
from orchestrator.workspace import git, store
from tests import starts
from tests.cast import Cast, Driver
from tests.emptying import Room, empty_by_deleting

# A test's repository is no loss after a power cut, so nobody waits for the disk; kills lose nothing either
# way.
git.SETTINGS = tuple((key, "none" if key == "core.fsync" else value) for key, value in git.SETTINGS)
store.wait_for_the_disk(False)
os.fsync = lambda descriptor: None


# How fast a machine makes examples says nothing about the rule that they try. Every day they are the same
# ones, so that nobody's change fails of what it did not touch; `make nightly` looks for new ones, and prints
# how to make them again.
settings.register_profile(
    "day", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile(
    "night", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("night" if os.environ.get("ENGINE_EXAMPLES") else "day")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Browser tests come last: the event loop that their driver leaves running is in the way of asyncio's
    own.

    With `DATABASE_TESTS_ONLY` what asks no database is left out: another one changes nothing about it. Where
    that is `first-cases`, so is what asks it by the same statements as another test that is run.
    """
    if which := os.environ.get("DATABASE_TESTS_ONLY"):
        others = [item for item in items if not _asks_the_database(item)]
        if which == FIRST_CASES:
            others += _further_cases([item for item in items if item not in set(others)])
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]
    items.sort(key=_turn)


def _further_cases(items: list[pytest.Item]) -> list[pytest.Item]:
    """All but the first case of each test, whose cases differ in values, and of acceptance the first tests of
    each file; and pages, commands and whole installations, which do the acts that the others do."""
    cases: set[str] = set()
    tests: Counter[str] = Counter()
    further = []
    for item in items:
        name, folder = item.nodeid.partition("[")[0], item.nodeid.split("/")[1]
        file = name.partition("::")[0]
        enough = folder == "acceptance" and tests[file] == OF_A_FILE
        if name in cases or enough or folder in SAME_STATEMENTS or item.get_closest_marker("installation"):
            further.append(item)
        else:
            cases.add(name)
            tests[file] += 1
    return further


def pytest_collection_finish() -> None:
    """What was imported stays until the end: the collector of circles need not look at it again and again."""
    gc.collect()
    gc.freeze()


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("installation"):
        return 0
    return 2 if item.get_closest_marker("browser") else 1


def _asks_the_database(item: pytest.Item) -> bool:
    used = set(getattr(item, "fixturenames", ()))
    marked = any(item.get_closest_marker(name) for name in ("django_db", "installation"))
    return marked or bool(used & {"db", "transactional_db", "live_server"})


#: The short choice of tests for a second database, and the folders that it leaves out.
FIRST_CASES = "first-cases"
SAME_STATEMENTS = frozenset({"web", "management", "client"})
#: Tests of an acceptance file in that choice.
OF_A_FILE = 2

room = Room()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    room.there_is_a_database(django_db_blocker)
    with django_db_blocker.unblock():
        empty_by_deleting()


def pytest_runtest_logfinish() -> None:
    room.next_test()


@pytest.fixture(autouse=True)
def folders(settings, tmp_path: Path) -> Path:
    """Each test has a workspace of its own."""
    settings.WORKSPACE_DIR = tmp_path / "workspace"
    settings.REPOSITORIES_DIR = tmp_path / "repositories"
    settings.WORKTREES_DIR = tmp_path / "worktrees"
    settings.TURNS_DIR = tmp_path / "turns"
    settings.HISTORY_KEY_FILE = tmp_path / "keys" / "history.key"
    return tmp_path


@pytest.fixture(autouse=True)
def plain_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts of plans may be put back from an earlier test where nothing in this one could change them."""
    starts.enter(monkeypatch)


@pytest.fixture
def cast(db) -> Cast:
    return Cast()


@pytest.fixture
def driver(cast: Cast) -> Driver:
    return Driver(cast)


@pytest.fixture(autouse=True)
def flushable(request: pytest.FixtureRequest, _django_db_marker: None):
    """The history's triggers refuse the flush after a transactional test.

    The flush puts them back (post_migrate).
    """
    marker = request.node.get_closest_marker("django_db")
    transactional = bool(marker and marker.kwargs.get("transaction")) or bool(
        {"transactional_db", "live_server"} & set(request.fixturenames)
    )
    if transactional:
        request.getfixturevalue("transactional_db")
    yield
    if transactional:
        drop_guards()
