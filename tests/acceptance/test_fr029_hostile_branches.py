"""FR-029: whatever a producer's branch is called and holds, it is told there and holds up nobody else."""

import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.core.terms import ResultFileState, TaskStatus
from orchestrator.models import Assignment, HistoryEntry, ResultFile
from orchestrator.processes import tasks
from orchestrator.services.work import collector
from orchestrator.workspace.git import Git
from orchestrator.workspace.result_branches import ResultBranches
from tests.acceptance.producer import Producer, told
from tests.cast import Driver
from tests.web.pages import signed_in, words

EVIDENCE = {"unit tests pass": "42 passed"}
#: Between A and Z of the executors in these tests, so whatever it stops, somebody behind it is stopped.
NAMES = {
    "line separator": b"ev\xe2\x80\xa8il",
    "paragraph separator": b"ev\xe2\x80\xa9il",
    "next line": b"ev\xc2\x85il",
    "right to left": b"ev\xe2\x80\xaeil",
    "no text": b"ev\xff\xfeil",
    "a surrogate": b"ev\xed\xa0\x80il",
    "like an option": b"--all",
    "shell": b"$(touch${IFS}pwned);`x`'\"",
    "dots": b"a.b/-c",
    "long": b"x" * 200,
    "a tag character": b"ev\xf3\xa0\x81\x81il",
}


@pytest.fixture
def held(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> Assignment:
    """How long a run takes depends on the machine; here only the number of files ends a turn."""
    driver.start()
    monkeypatch.setattr(collector, "SECONDS", 60.0)
    return driver.claim("A1")


@pytest.fixture
def producer(held: Assignment, settings: Settings) -> Producer:
    return Producer(settings.WORKSPACE_DIR, held.executor.name)


def point(producer: Producer, ref: bytes, commit: str) -> None:
    """What a push does: git itself checks the name."""
    words = [b"git", b"-C", str(producer.root).encode(), b"update-ref", ref, commit.encode()]
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many processes of which git command were started."""
    asked: Counter[str] = Counter()
    command = Git.command

    def count(self: Git, *words: str) -> list[bytes]:
        asked[words[0]] += 1
        return command(self, *words)

    monkeypatch.setattr(Git, "command", count)
    return asked


@pytest.mark.parametrize("how", NAMES)
def test_fr029_a_branch_of_any_name_is_told_and_stops_nobody(
    driver: Driver, held: Assignment, producer: Producer, how: str
) -> None:
    junk = producer.push({"result.json": b"{"})
    producer.git("update-ref", "-d", producer.ref)
    point(producer, b"refs/inbox/" + NAMES[how], junk)
    producer.push({"result.json": told(held, evidence=EVIDENCE)}, parent="")

    tasks.sweep()
    driver.advance()

    assert driver.task("A1").status == TaskStatus.COMPLETE
    [row] = ResultFile.objects.filter(state=ResultFileState.QUARANTINED)
    assert "belongs to nobody" in row.problem
    page = signed_in(driver.cast.observer).get(reverse("collected"))
    assert page.status_code == 200
    assert "belongs to nobody" in words(page)
    driver.advance()
    assert HistoryEntry.objects.filter(action="result file quarantined").count() == 1, "it is told once"


@pytest.mark.parametrize("how", ["line separator", "next line", "no text", "like an option", "glob"])
def test_fr029_files_of_any_name_are_told_and_the_others_taken_in(
    driver: Driver, held: Assignment, producer: Producer, how: str
) -> None:
    name = {**NAMES, "glob": b":(glob)**"}[how] + b".result.json"
    good = producer.blob(told(held, evidence=EVIDENCE))
    lines = [
        b"100644 blob %s\t%s\0" % (producer.blob(b"{").encode(), name),
        f"100644 blob {good}\tz.result.json\0",
    ]
    listing = b"".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    producer.commit(producer.git("mktree", "-z", send=listing))
    driver.advance()
    assert driver.task("A1").status == TaskStatus.COMPLETE
    assert "is not JSON" in ResultFile.objects.get(state=ResultFileState.QUARANTINED).problem


def test_fr029_an_output_of_any_folder_is_found(driver: Driver, held: Assignment, producer: Producer) -> None:
    """The folder's name is no text and full of what git reads as patterns.

    The output beside the result is found.
    """
    result = producer.blob(told(held, evidence=EVIDENCE, outputs=["notes.md"]))
    inside = f"100644 blob {producer.blob(b'# N')}\tnotes.md\x00100644 blob {result}\tresult.json\0"
    tree = producer.git("mktree", "-z", send=inside.encode())
    outer = producer.git("mktree", "-z", send=b"040000 tree %s\t:(top)*\xff\0" % tree.encode())
    producer.commit(outer)
    driver.advance()
    assert ResultFile.objects.get().problem == ""
    assert driver.task("A1").status == TaskStatus.COMPLETE


def test_fr029_names_in_each_others_way_are_all_looked_at(
    driver: Driver, held: Assignment, producer: Producer, settings: Settings
) -> None:
    """A branch where a folder was, and twins that differ by their case: what was looked at last is known of
    each.
    """
    one = Producer(settings.WORKSPACE_DIR, "a")
    driver.cast.builder("a")
    first = one.push({"result.json": b"{"})
    driver.advance()
    one.git("update-ref", "-d", one.ref)
    point(one, b"refs/inbox/a/b", first)
    driver.advance()
    driver.advance()
    assert ResultFile.objects.get(executor="a/b").blob == "nobody"
    one.git("update-ref", "-d", "refs/inbox/a/b")
    one.push({"result.json": b"[]"})
    driver.cast.builder("Twin")  # which is why nobody else can be called twin
    for name in ("Twin", "twin"):
        Producer(settings.WORKSPACE_DIR, name).push({"result.json": f'"{name}"'.encode()})
    producer.push({"result.json": told(held, evidence=EVIDENCE)})
    driver.advance()

    assert driver.task("A1").status == TaskStatus.COMPLETE
    assert ResultFile.objects.filter(executor="a", state=ResultFileState.QUARANTINED).count() == 2
    assert ResultFile.objects.get(executor="Twin").path == "result.json"
    assert ResultFile.objects.get(executor="twin").blob == "nobody"
    unmarked = [branch.executor for branch in ResultBranches(collector.workspace()).moved()]
    assert unmarked == ["twin"], "all but nobody's, which is not read"


@pytest.mark.parametrize(
    "what", ["a folder of a name with a line feed", "a file that is no ref", "a dead link"]
)
def test_fr029_rubbish_beside_the_refs_is_told(
    driver: Driver, held: Assignment, producer: Producer, what: str
) -> None:
    inbox = producer.root / ".git" / "refs" / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    match what:
        case "a folder of a name with a line feed":
            (inbox / "x\ny").mkdir()
            (inbox / "x\ny" / "\udcff").write_text("no commit")
        case "a file that is no ref":
            (inbox / "bad name").write_bytes(b"\0")
        case "a dead link":
            (inbox / "dead").symlink_to("nowhere")
    producer.push({"result.json": told(held, evidence=EVIDENCE)})
    driver.advance()
    assert driver.task("A1").status == TaskStatus.COMPLETE
    assert "belongs to nobody" in ResultFile.objects.get(state=ResultFileState.QUARANTINED).problem


def test_fr029_junk_costs_the_others_a_turn_and_no_more(
    driver: Driver, held: Assignment, producer: Producer, settings: Settings, counted: Counter[str]
) -> None:
    """5,000 junk results in one commit of an executor that comes first: launches go on at once, work is
    bounded, no file is read twice, and git is asked for many files at a time."""
    driver.cast.builder("aaa")
    junk = Producer(settings.WORKSPACE_DIR, "aaa")
    junk.commit(
        junk.tree({f"{n:05}.result.json": ("100644", junk.blob(b"{")) for n in range(2)} | many(junk, 5000))
    )
    producer.push({"result.json": told(held, evidence=EVIDENCE)})

    counted.clear()
    driver.advance()

    assert driver.task("A1").status == TaskStatus.COMPLETE
    assert "A2" in driver.ready()
    first = ResultFile.objects.filter(executor="aaa").count()
    assert 0 < first <= collector.FILES
    assert counted["cat-file"] <= 12, counted
    counted.clear()
    driver.advance()
    second = ResultFile.objects.filter(executor="aaa").count()
    assert first < second <= 2 * collector.FILES, "it goes on where it was"
    assert sum(counted.values()) <= 12, counted
    assert HistoryEntry.objects.filter(action="result file quarantined").count() == second


def test_fr029_a_quiet_advance_asks_git_once_about_the_branches(
    driver: Driver, held: Assignment, producer: Producer, counted: Counter[str]
) -> None:
    producer.push({"result.json": told(held, evidence=EVIDENCE)})
    counted.clear()
    assert collector.collect(now=driver.tick()) == 1
    # The branches, the commits, what they change, sizes and contents of results, how far it came.
    assert counted == {"for-each-ref": 1, "rev-list": 1, "diff-tree": 1, "cat-file": 2, "update-ref": 1}
    counted.clear()
    assert collector.collect(now=driver.tick()) == 0
    assert counted == {"for-each-ref": 1}


def many(junk: Producer, count: int) -> dict[str, tuple[str, str]]:
    """Different files, written by one process."""
    stream = b"".join(b"blob\ndata %d\n%s\n" % (len(b"%d" % n), b"%d" % n) for n in range(count))
    junk.git("fast-import", "--quiet", send=stream)
    names = (hashlib.sha1(b"blob %d\0%d" % (len(b"%d" % n), n)).hexdigest() for n in range(count))
    return {f"{n:05}.result.json": ("100644", name) for n, name in enumerate(names)}


def test_fr029_what_a_run_leaves_the_queue_is_asked_to_go_on_with(
    driver: Driver, held: Assignment, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(collector, "go_on_later", lambda: sent.append(1))
    monkeypatch.setattr(collector, "FILES", 2)
    for number in range(5):
        producer.push(
            {f"{number}.result.json": told(held, eventType="breadcrumb", breadcrumb=f"step {number}")}
        )
    runs = 0
    while runs == len(sent):
        tasks.collect()
        runs += 1
    assert runs == 3
    left = (
        HistoryEntry.objects.filter(action="breadcrumb left")
        .order_by("sequence")
        .values_list("reason", flat=True)
    )
    assert list(left) == [f"step {number}" for number in range(5)]


def test_fr029_every_branch_has_its_turn(
    driver: Driver, held: Assignment, producer: Producer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no time for more than one branch in a run, those that come first in the alphabet do not keep the
    others waiting for ever."""
    monkeypatch.setattr(collector, "SECONDS", 0.0)
    monkeypatch.setattr(collector, "FILES", 1)
    for name in ("aaa", "aab"):
        driver.cast.builder(name)
        Producer(settings.WORKSPACE_DIR, name).push({f"{n}.result.json": b"%d" % n for n in range(9)})
    producer.push({"result.json": told(held, evidence=EVIDENCE)})
    for _ in range(4):
        collector.collect(now=driver.tick())
    assert driver.task("A1").status == TaskStatus.COMPLETE


def bomb(producer: Producer) -> str:
    """A tree of a few objects that lists 2^30 files."""
    tree = producer.git("mktree", "-z", send=b"100644 blob %s\tx\0" % producer.blob(b"x").encode())
    for _ in range(30):
        tree = producer.git(
            "mktree", "-z", send=f"040000 tree {tree}\ta\x00040000 tree {tree}\tb\x00".encode()
        )
    return producer.commit(tree)


def huge(producer: Producer) -> str:
    return producer.push({"result.json": b"x" * (collector.RESULT_BYTES + 1)})


def tagged(producer: Producer) -> str:
    producer.push({"result.json": b"{"})
    producer.git("tag", "-a", "-m", "tag", "name", producer.tip)
    producer.git("update-ref", producer.ref, producer.git("rev-parse", "refs/tags/name"))
    return producer.tip


@pytest.mark.parametrize(
    ("spoil", "said"), [(bomb, "too long to be looked at"), (huge, "is too large"), (tagged, "is not JSON")]
)
def test_fr029_what_would_never_end_is_cut_short(
    driver: Driver,
    held: Assignment,
    producer: Producer,
    settings: Settings,
    spoil: Callable[[Producer], str],
    said: str,
) -> None:
    driver.cast.builder("aaa")
    bad = Producer(settings.WORKSPACE_DIR, "aaa")
    bad.push({"note": b"x"})
    spoil(bad)
    producer.push({"result.json": told(held, evidence=EVIDENCE)})
    driver.advance()
    driver.advance()
    assert driver.task("A1").status == TaskStatus.COMPLETE
    assert said in ResultFile.objects.get(executor="aaa").problem
    assert not [
        branch for branch in ResultBranches(collector.workspace()).moved() if branch.executor == "aaa"
    ], "looked at"


def test_fr029_an_objects_replacement_is_not_believed(
    driver: Driver, held: Assignment, producer: Producer
) -> None:
    """`refs/replace` can be pushed like any branch; what was committed is read all the same."""
    result = producer.blob(told(held, evidence=EVIDENCE))
    producer.commit(producer.tree({"result.json": ("100644", result)}))
    producer.git("update-ref", f"refs/replace/{result}", producer.blob(b"{}"))
    driver.advance()
    assert driver.task("A1").status == TaskStatus.COMPLETE


def test_fr029_what_the_workspace_holds_itself_is_nobodys_result(
    driver: Driver, held: Assignment, producer: Producer
) -> None:
    """A branch that was started from the workspace's own is walked from there on."""
    producer.tip = producer.git("rev-parse", "main")
    producer.push({"result.json": told(held, evidence=EVIDENCE)})
    driver.advance()
    assert ResultFile.objects.get().state == ResultFileState.INGESTED


def test_fr029_a_mistake_of_ours_over_one_file_ends_no_advance(
    driver: Driver, held: Assignment, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong inside: the file is quarantined with it, and the next one is taken in."""
    read = collector.read_result

    def fails(content: bytes) -> object:
        if content == b"{}":
            raise LookupError("nobody thought of this")
        return read(content)

    monkeypatch.setattr(collector, "read_result", fails)
    producer.push({"1.result.json": b"{}", "2.result.json": told(held, evidence=EVIDENCE)})
    driver.advance()
    assert driver.task("A1").status == TaskStatus.COMPLETE
    assert "LookupError: nobody thought of this" in ResultFile.objects.get(path="1.result.json").problem


def test_fr029_a_mistake_of_ours_over_one_branch_ends_no_advance(
    driver: Driver, held: Assignment, producer: Producer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.cast.builder("aaa")
    Producer(settings.WORKSPACE_DIR, "aaa").push({"result.json": b"{}"})
    commits = ResultBranches.commits

    def fails(self: ResultBranches, branch: object) -> object:
        if branch.executor == "aaa":  # type: ignore[attr-defined]
            raise ValueError("nobody thought of this")
        return commits(self, branch)  # type: ignore[arg-type]

    monkeypatch.setattr(ResultBranches, "commits", fails)
    producer.push({"result.json": told(held, evidence=EVIDENCE)})
    driver.advance()
    assert driver.task("A1").status == TaskStatus.COMPLETE
    assert "ValueError: nobody thought of this" in ResultFile.objects.get(executor="aaa").problem


def test_b38_a_file_that_numbers_too_high_is_quarantined(
    driver: Driver, held: Assignment, producer: Producer
) -> None:
    producer.push({"1.result.json": told(held, token=2**63), "2.result.json": told(held, attemptId=2**70)})
    driver.advance()
    assert ResultFile.objects.filter(state=ResultFileState.QUARANTINED).count() == 2
    assert json.loads(HistoryEntry.objects.latest("sequence").leaf)["actor"] is not None


def remove(git: Path, name: str) -> None:
    (git / "objects" / name[:2] / name[2:]).unlink()


def test_fr029_one_damaged_file_among_many_is_the_only_one_told(
    driver: Driver, held: Assignment, producer: Producer
) -> None:
    """Git ends its process at a damaged object; the files behind it are taken in all the same."""
    files = {f"{n}.result.json": told(held, eventType="breadcrumb", breadcrumb=f"step {n}") for n in range(4)}
    producer.push({**files, "9.result.json": told(held, evidence=EVIDENCE)})
    git = producer.root / ".git"
    name = producer.git("rev-parse", f"{producer.tip}:1.result.json")
    path = git / "objects" / name[:2] / name[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-8] + b"\0" * 8)
    remove(git, producer.git("rev-parse", f"{producer.tip}:2.result.json"))
    driver.advance()
    bad = (
        ResultFile.objects.filter(state=ResultFileState.QUARANTINED)
        .order_by("path")
        .values_list("path", "problem")
    )
    assert [path for path, _ in bad] == ["1.result.json", "2.result.json"]
    assert all("cannot be read" in problem for _, problem in bad)
    assert driver.task("A1").status == TaskStatus.COMPLETE
