"""The independent model: order rules and acts in their plainest form, without a line of the product's own
rules.

A step's predecessors are written out as a set: what it names, every step of an earlier batch, and what stands
before it in its thread and is not of its parallel run. Costs nothing to be slow here: plans have a dozen
steps.
"""

from copy import deepcopy
from dataclasses import dataclass, field

from orchestrator.core import errors
from tests.model.blueprint import MEET, Blueprint, Step

#: What an attempt is while, or because, nobody worked on it.
BEFORE_WORK = ("queued", "cancelled")
#: So many failures ask for a person.
FAILURES = 3
#: Who may sign gates.
SIGNERS = ("reviewer", "approver")

Refused = type[errors.Refusal] | None


@dataclass
class Task:
    """`attempts` are statuses by number - 1; `undecided` is a failure that waits for a person; `flag` is why
    the task asks for one (question, breaker, artifact); attempts up to number `forgiven` count for no
    breaker."""

    attempts: list[str] = field(default_factory=list)
    done: bool = False
    undecided: bool = False
    holder: str = ""
    token: int = 0
    blockers: set[int] = field(default_factory=set)
    flag: str = ""
    forgiven: int = 0
    rework: int = 0
    #: The word of the newest completion; who signed the gate that waits; whether the condition was false.
    result: str = ""
    signers: set[str] = field(default_factory=set)
    skipped: bool = False

    @property
    def over(self) -> bool:
        return self.done or self.skipped

    @property
    def stands(self) -> bool:
        """Nothing but its own state decides."""
        return self.over or self.live or self.undecided or self.flagged

    @property
    def free(self) -> bool:
        """Whoever has it may go on with it."""
        return self.live and not self.blockers and not self.flagged

    @property
    def flagged(self) -> bool:
        return bool(self.flag)

    @property
    def live(self) -> bool:
        return bool(self.attempts) and self.attempts[-1] in ("queued", "running")

    @property
    def running(self) -> bool:
        return self.live and self.attempts[-1] == "running"

    @property
    def queued(self) -> bool:
        return self.live and self.attempts[-1] == "queued"


@dataclass(frozen=True)
class Before:
    """What a migration found: attempts that it cancelled stay cancelled."""

    plan: Blueprint
    version: int
    tasks: dict[str, Task]


class Engine:
    """What the orchestrator should be after the same acts.

    Acts answer with the refusal that is due, or None.
    """

    def __init__(self, plan: Blueprint) -> None:
        self.plan = plan
        self.version = 1
        #: A version that was submitted, and whose approval was refused: it holds acceptance (LC-3).
        self.undecided_version = False
        self.status, self.integrated = "active", False
        self.tasks = {step.key: Task() for step in plan.steps}
        #: Keys whose latest result is not in the workspace yet; whose file is lost; whose loss has been
        #: noticed.
        self.unpublished: set[str] = set()
        self.lost: set[str] = set()
        self.damaged: set[str] = set()
        #: What the last migration found, and the tasks as it left them.
        self.undo: tuple[Before, dict[str, Task]] | None = None

    # -- what is so

    @property
    def steps(self) -> dict[str, Step]:
        return {step.key: step for step in self.plan.steps}

    def state_of(self, key: str) -> str:
        task = self.tasks[key]
        if task.over:
            return "complete" if task.done else "skipped"
        if task.blockers or task.undecided:
            return "blocked"
        if task.running:
            return "active"
        return "review" if task.queued and self.steps[key].gate else "pending"

    def awaited(self, step: Step) -> set[str]:
        """What it names, and every earlier batch."""
        return step.waits_for | {other.key for other in self.plan.steps if other.place[:2] < step.place[:2]}

    def lane_before(self, step: Step) -> set[str]:
        others = [other for other in self.plan.steps if other.lane == step.lane and other.place < step.place]
        return {other.key for other in others if not self._same_run(other, step)}

    def before(self, step: Step) -> set[str]:
        """Everything that has to be over first."""
        return self.awaited(step) | self.lane_before(step)

    def _same_run(self, one: Step, other: Step) -> bool:
        """Neighbouring parallel steps of a thread start together."""
        first, last = sorted((one.place[3], other.place[3]))
        between = [s for s in self.plan.steps if s.lane == one.lane and first <= s.place[3] <= last]
        return all(step.parallel for step in between)

    def behind(self, key: str) -> set[str]:
        """The step and everything that has to be done again when it is."""
        redo = {key}
        while more := {s.key for s in self.plan.steps if s.key not in redo and self.before(s) & redo}:
            redo |= more
        return redo

    def contend(self, one: Step, other: Step) -> bool:
        if set(one.resources) & set(other.resources):
            return True
        mine, theirs = self._holds(one), self._holds(other)
        if one.place[2] != other.place[2]:
            mine, theirs = mine | set(one.lane_files), theirs | set(other.lane_files)
        return any(frozenset({a, b}) in MEET for a in mine for b in theirs)

    @staticmethod
    def _holds(step: Step) -> set[str]:
        """A parallel step without files of its own shares those of its thread with its neighbours."""
        return set(step.files or (step.lane_files if step.parallel else ()))

    @property
    def finished(self) -> bool:
        return all(task.over for task in self.tasks.values())

    # -- the orchestrator's own part

    def publish(self) -> None:
        self.unpublished.clear()

    def notice(self) -> None:
        """An advance looks at the files that the front builds on, and further where a skipped step stands."""
        opened = [step for step in self.plan.steps if not self.tasks[step.key].over]
        if not opened:
            return
        first = min(step.place[:2] for step in opened)
        used = self._ground_of([step for step in opened if step.place[:2] == first])
        if any(self.tasks[key].skipped for key in used):
            used = {need for step in opened for need in step.waits_for} | self._batches_at(first)
        for key in self.lost - self.unpublished:
            if self.tasks[key].done and key in used:
                self.damaged.add(key)
                self.tasks[key].flag = self.tasks[key].flag or "artifact"

    def _ground_of(self, front: list[Step]) -> set[str]:
        """What open steps of the first open batch name, the run before the lowest open one of each thread,
        and the batch before while a first run is open.
        """
        used = {need for step in front for need in step.waits_for}
        for lane in {step.lane for step in front}:
            lowest = min((step for step in front if step.lane == lane), key=lambda step: step.place)
            before = [self.steps[key] for key in self.lane_before(lowest)]
            if before:
                last = max(before, key=lambda step: step.place)
                used |= {step.key for step in before if step is last or self._same_run(step, last)}
        if any(not self.lane_before(step) for step in front):
            used |= self._batches_at(front[0].place[:2]) - {
                step.key for step in self.plan.steps if step.place[:2] == front[0].place[:2]
            }
        return used

    def _batches_at(self, first: tuple[int, int]) -> set[str]:
        """The steps of this batch and of the one before it."""
        batches = sorted({step.place[:2] for step in self.plan.steps})
        place = batches.index(first)
        near = set(batches[max(place - 1, 0) : place + 1])
        return {step.key for step in self.plan.steps if step.place[:2] in near}

    def rounds(self) -> list[str]:
        """Rounds until one changes nothing; what they launched, in launch order."""
        launched: list[str] = []
        while True:
            skipped, started = self.round()
            launched += started
            if not skipped and not started:
                return launched

    def round(self) -> tuple[list[str], list[str]]:
        """Skip and launch what the state before allows; a skip shows only in the next round."""
        if self.status != "active":
            return [], []
        skipped = [step.key for step in self.plan.steps if self._reached(step) and not self._wanted(step)]
        held = [self.steps[key] for key, task in self.tasks.items() if task.live]
        launched: list[str] = []
        for step in sorted(self.plan.steps, key=lambda step: step.order):
            if self._may_start(step) and not any(self.contend(step, other) for other in held):
                held.append(step)
                launched.append(step.key)
        for key in skipped:
            self.tasks[key].skipped = True
        for key in launched:
            self.tasks[key].attempts.append("queued")
        return skipped, launched

    def _usable(self, key: str) -> bool:
        """Over, and what it handed over can be read."""
        task = self.tasks[key]
        return task.skipped or (task.done and key not in self.unpublished | self.damaged)

    def _reached(self, step: Step) -> bool:
        return not self.tasks[step.key].stands and all(map(self._usable, self.awaited(step)))

    def _wanted(self, step: Step) -> bool:
        """Whether the condition is true, once what it asks for is over."""
        if step.when is None:
            return True
        key, word, wanted = step.when
        task = self.tasks[key]
        so = {"skipped": task.skipped, "reworked": task.rework > 0, "complete": task.done}
        return so.get(word, task.done and task.result == word) is wanted

    def _may_start(self, step: Step) -> bool:
        if not self._reached(step) or not self._wanted(step) or self.tasks[step.key].blockers:
            return False
        return all(map(self._usable, self.lane_before(step)))

    # -- acts

    def claim(self, key: str, executor: str) -> Refused:
        task = self.tasks[key]
        if self.status != "active" or self.steps[key].gate:
            return errors.WrongState
        if task.running:
            # Who claims again what they hold, because the answer was lost, gets the same claim.
            return None if task.holder == executor else errors.AlreadyClaimed
        if not task.queued or task.flagged or task.blockers:
            return errors.WrongState
        if self._ground_lost(key):
            return errors.HeldBack
        if any(other.holder == executor for other in self.tasks.values()):
            return errors.ExecutorBusy
        task.attempts[-1] = "running"
        task.holder, task.token = executor, task.token + 1
        return None

    def _ground_lost(self, key: str) -> bool:
        """Something it builds on was found damaged after it was launched."""
        return bool(self.before(self.steps[key]) & self.damaged)

    def complete(self, key: str, *, held: bool, proved: bool, result: str) -> Refused:
        """`held` says that the caller holds the claim, `proved` that it brings evidence."""
        task = self.tasks[key]
        if self.status != "active":
            return errors.WrongState
        if not held:
            return errors.StaleToken
        if task.blockers or task.flagged:
            return errors.WrongState
        if self._ground_lost(key):
            return errors.HeldBack
        if not proved:
            return errors.CriteriaUnmet
        declared = self.steps[key].outcomes
        if result not in (declared or ("",)):
            return errors.InvalidInput
        task.result = result
        self._finish(key)
        return None

    def _finish(self, key: str) -> None:
        task = self.tasks[key]
        task.attempts[-1], task.holder, task.done, task.signers = "completed", "", True, set()
        self.unpublished.add(key)
        self.lost.discard(key)
        self.damaged.discard(key)

    def fail(self, key: str, *, held: bool) -> Refused:
        if self.status != "active":
            return errors.WrongState
        return self._fail(key) if held else errors.StaleToken

    def declare_failure(self, key: str) -> Refused:
        if self.status != "active" or not self.tasks[key].running:
            return errors.WrongState
        return self._fail(key)

    def _fail(self, key: str) -> None:
        task = self.tasks[key]
        task.attempts[-1], task.holder, task.undecided = "failed", "", True
        if task.attempts[task.forgiven :].count("failed") >= FAILURES:
            task.flag = "breaker"

    def requeue(self, key: str) -> Refused:
        if self.status != "active" or not self.tasks[key].undecided:
            return errors.WrongState
        if self.tasks[key].flag == "breaker":
            return errors.BreakerOpen
        self.tasks[key].undecided = False
        return None

    def approve(self, key: str, role: str) -> Refused:
        if refusal := self._unsignable(key, role):
            return refusal
        task = self.tasks[key]
        if task.flagged:
            return errors.WrongState
        if self._ground_lost(key):
            return errors.HeldBack
        task.signers.add(role)
        if len(task.signers) == self.steps[key].signatures:
            self._finish(key)
        return None

    def reject(self, key: str, back_to: str, role: str) -> Refused:
        if refusal := self._unsignable(key, role):
            return refusal
        target = self.steps.get(back_to)
        if target is None or target.gate:
            return errors.NotFound
        if target.place[:2] > self.steps[key].place[:2]:
            return errors.WrongState
        return self.send_back(back_to, rejecting=key)

    def _unsignable(self, key: str, role: str) -> Refused:
        task = self.tasks[key]
        if self.status != "active" or not self.steps[key].gate:
            return errors.WrongState
        if role not in SIGNERS:
            return errors.NotAllowed
        if role in task.signers or not task.queued or task.blockers:
            return errors.WrongState
        return None

    def send_back(self, key: str, rejecting: str = "") -> Refused:
        redo = self.behind(key)
        if self.status == "active" and self.integrated:
            return errors.BaselineIntegrated
        if self.status != "active" or any(self.tasks[k].running for k in redo):
            return errors.WrongState
        if "completed" not in self.tasks[key].attempts:
            return errors.WrongState
        if rejecting:
            self.tasks[rejecting].attempts[-1] = "rejected"
        for again in redo:
            if self.tasks[again].queued or self.state_of(again) != "pending" or again == rejecting:
                self._again(self.tasks[again])
        return None

    @staticmethod
    def _again(task: Task) -> None:
        """What is pending and was not launched has nothing to do again."""
        if task.queued:
            task.attempts[-1] = "cancelled"
        task.signers = set()
        if task.flag == "artifact":
            task.flag = ""
        task.forgiven = len(task.attempts)
        task.rework += task.done
        task.done = task.undecided = task.skipped = False

    def block(self, key: str, blocker: int) -> Refused:
        if self.status != "active" or self.tasks[key].over:
            return errors.WrongState
        self.tasks[key].blockers.add(blocker)
        return None

    def unblock(self, key: str, blocker: int) -> Refused:
        if self.status != "active" or blocker not in self.tasks[key].blockers:
            return errors.WrongState
        self.tasks[key].blockers.remove(blocker)
        return None

    def flag(self, key: str) -> Refused:
        task = self.tasks[key]
        if self.status != "active" or task.over or task.flagged:
            return errors.WrongState
        task.flag = "question"
        return None

    def clear(self, key: str) -> Refused:
        task = self.tasks[key]
        if self.status != "active" or task.flag in ("", "artifact"):
            return errors.WrongState
        if task.flag == "breaker":
            task.forgiven = len(task.attempts)
        task.flag = ""
        return None

    def migrate(self, plan: Blueprint, version: int) -> Refused:
        """Without a mapping: started steps are neither lost nor redefined; what was launched but not begun is
        launched again when it changes."""
        new = {step.key: step for step in plan.steps}
        changed = {key for key, step in self.steps.items() if key in new and new[key].title != step.title}
        for key, task in self.tasks.items():
            if key not in new and (self.started(key) or task.flagged or task.blockers):
                return errors.MigrationImpossible
            if key in changed and self.started(key):
                return errors.MigrationImpossible
        for key in changed | (self.tasks.keys() - new.keys()):
            if self.tasks[key].queued:
                self.tasks[key].attempts[-1] = "cancelled"
        before = Before(self.plan, self.version, dict(self.tasks))
        self.tasks = {key: self.tasks.get(key, Task()) for key in new}
        self.plan, self.version = plan, version
        self.undo = (before, deepcopy(self.tasks))
        return None

    @property
    def untouched(self) -> bool:
        """Whether nothing happened to any task since the last migration: then everything stands
        as before it.
        """
        return self.undo is not None and self.undo[1] == self.tasks

    def roll_back(self) -> Refused:
        if self.status != "active":
            return errors.WrongState
        assert self.undo is not None
        before, _ = self.undo
        self.plan, self.version, self.tasks, self.undo = before.plan, before.version, before.tasks, None
        return None

    def started(self, key: str) -> bool:
        """A queued attempt alone is no start: nobody has worked on it."""
        tried = any(status not in BEFORE_WORK for status in self.tasks[key].attempts)
        return tried or self.state_of(key) != "pending"

    def integrate(self) -> Refused:
        tasks = self.tasks.values()
        made = any("completed" in task.attempts for task in tasks)
        done = any(task.over for task in tasks)  # what was sent back is not complete any more
        if self.status not in ("active", "completed") or self.integrated or not (made and done):
            return errors.WrongState
        self.integrated = True
        return None

    def revert(self) -> Refused:
        if not self.integrated:
            return errors.WrongState
        self.integrated = False
        return None

    def accept(self) -> Refused:
        if self.status != "active":
            return errors.WrongState
        if not self.finished:
            return errors.NotFinished
        if self.undecided_version:
            return errors.WrongState
        self.status = "completed"
        return None

    def archive(self) -> Refused:
        if self.status == "archived" or any(task.running for task in self.tasks.values()):
            return errors.WrongState
        for task in self.tasks.values():
            if task.queued:
                task.attempts[-1], task.signers = "cancelled", set()
        self.status = "archived"
        return None

    def held(self, key: str) -> Refused:
        if self.status != "active":
            return errors.WrongState
        return None if self.tasks[key].running else errors.StaleToken

    def recover(self, key: str, way: str) -> Refused:
        """Files of a result that is known to be damaged."""
        if key not in self.damaged:
            return errors.WrongState
        if way == "retry":
            return errors.ArtifactDamaged
        if way == "withdraw" and (refusal := self.send_back(key)):
            return refusal
        if self.tasks[key].flag == "artifact":
            self.tasks[key].flag = ""
        self.damaged.discard(key)
        self.lost.discard(key)
        return None
