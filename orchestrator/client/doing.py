"""Doing: `orchestrator work` takes steps, one after another, and has a coding agent do them (AD-6, FR-027).

It holds one step at a time. What it holds when it dies it takes up again when it is started next: the server
says what is held.
"""

import os
import signal
import tempfile
import time
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from orchestrator.client.agent import Agent, Ending, find_agent
from orchestrator.client.brief_text import conflict_lines
from orchestrator.client.connection import Connection, ServerRefused, Unreachable
from orchestrator.client.elsewhere import Elsewhere, NotCheckedOut, check_out, hold
from orchestrator.client.held import HeldStep, send, take_next
from orchestrator.client.login import Misconfigured
from orchestrator.client.prompts import merge_prompt, step_prompt
from orchestrator.client.reply import Exit, Reply
from orchestrator.client.running import Ran, lines_of, run
from orchestrator.client.usage import summed
from orchestrator.client.words import command
from orchestrator.client.work import LONGEST_WAIT, is_pending, verified

if TYPE_CHECKING:
    from orchestrator.client.words import Commands

#: Seconds that one call waits for work, between two looks whether the step is still held, and for an answer.
WAIT, LOOK = 50, 10
#: So many steps in a row of which nothing came, each within so many seconds, are no fault of the steps.
IN_A_ROW, QUICK = 3, 20
#: Minutes that an agent may be given.
LONGEST: Final = 1440
#: Characters of a failure's log that are sent.
TAIL: Final = 3_000
#: Words to the server that say what was used since the word before.
TELLING: Final = frozenset({"complete", "fail", "release", "report"})
STANDS: Final = "What was done stands in the worktree."
LEFT: Final = f"The worker was stopped. {STANDS}"
ASKED: Final = "A person was asked; the agent goes on with the answer."
#: A result stands and waits while a person or a lost file is in the way.
IN_THE_WAY: Final = {"wrong-state", "held-back", "workspace-unavailable", "workspace-diverged"}


def add_to(commands: "Commands") -> None:
    parser = command(commands, "work", work, "Take steps one after another and have a coding agent do them.")
    parser.add_argument(
        "--agent", default="", metavar="NAME", help="claude, codex, gemini, aider, opencode, generic"
    )
    parser.add_argument("--agents", default="", metavar="FILE", help="describes more agents, in TOML")
    parser.add_argument(
        "--command",
        default="",
        help="any program; {prompt} or {file} in it is the brief, else its input is",
    )
    parser.add_argument("--workstream", default="", metavar="NAME", help="only of this workstream")
    parser.add_argument("--repository", default="", metavar="NAME", help="only of plans of this repository")
    parser.add_argument(
        "--folder", default="", help="where it works, or checks out what it needs, on another machine"
    )
    parser.add_argument(
        "--env", action="append", default=[], metavar="NAME", help="give it this variable; repeat"
    )
    parser.add_argument("--minutes", type=_minutes, default=30, help="the longest that it may run; 30")
    parser.add_argument("--once", action="store_true", help="one step, or none when there is none")
    parser.add_argument("--log", default="", metavar="FOLDER", help="keep what it prints here")


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0
    if not 0 < minutes <= LONGEST:
        raise ArgumentTypeError(f"{text!r} is no number of minutes from above 0 to {LONGEST}")
    return minutes


@dataclass
class Worker:
    """One agent at work. `stopping` is set when the process was asked to leave."""

    connection: Connection
    agent: Agent
    options: Namespace
    stopping: bool = False
    looked: float = 0.0
    #: Why the step is to be given back although it is held, empty while it is not.
    leaving: str = ""
    done: list[str] = field(default_factory=list)
    #: Which steps failed last, and why.
    failed: list[str] = field(default_factory=list)
    #: What was said last of a server that is away.
    away: str = ""
    #: What the runs used that the server was not told of yet.
    used: list[dict[str, Any]] = field(default_factory=list)
    #: The clones that are its own while it works, by repository.
    clones: dict[str, IO[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A server that is away is waited for: what was done is handed over when it is back."""
        self.impatient = self.connection
        self.connection = replace(self.connection, goes_on=self._goes_on)

    def _goes_on(self, problem: Unreachable | ServerRefused) -> bool:
        if self.stopping:
            return False
        if str(problem) != self.away:
            print(f"{problem} It is tried again.", flush=True)
        self.away = str(problem)
        return True

    def take(self) -> dict[str, Any] | None:
        """The claim of the next step, or of the one that is held already; None when none came."""
        wanted = {"workstream": self.options.workstream, "repository": self.options.repository}
        server, wait = (self.impatient, 0) if self.options.once else (self.connection, WAIT)
        claim: dict[str, Any] | None = None
        try:
            claim = take_next(server, wanted, wait)["claim"]
        except ServerRefused as refusal:
            if self.options.once or refusal.code != "not-found" or not self._goes_on(refusal):
                raise
            time.sleep(LOOK)  # its workstream may be submitted later
        return claim

    def do(self, claim: dict[str, Any]) -> None:
        """Have the agent do the step, and say how it ended. A claim that was taken away ends it."""
        held, self.leaving = _held(claim), ""
        print(f"{held.key}: {self.agent.name} begins", flush=True)
        answer, folder, there = "", *self._folder(claim)
        if there is None and not self._fits(claim, held, folder):
            return
        while True:
            ran = self._ran(step_prompt(claim, answer), held, folder)
            if left := self._left():
                self._post(held, "release", breadcrumb=left)
                return
            ending = self.agent.ending(ran.output)
            if ran.code or ran.stopped or not ending.question:
                self._tell(claim, held, ran, ending, there)
                return
            answer = self._ask(held, ending.question)

    def _fits(self, claim: dict[str, Any], held: HeldStep, folder: Path) -> bool:
        """Have the agent resolve what earlier work left of a merge, one merge after another; whether all of
        it fits now. One that it cannot resolve fails the attempt, so that a person sees to it."""
        place = claim["brief"].get("place") or {}
        while place.get("conflict"):
            ran = self._ran(merge_prompt(place["conflict"]), held, folder)
            if left := self._left():
                self._post(held, "release", breadcrumb=left)
                return False
            before = place["conflict"]
            place = self._post(held, "place")
            if place.get("conflict") and place["conflict"]["theirs"] == before["theirs"]:
                files = "\n".join(conflict_lines(before))
                problem = f"{self.agent.name} did not resolve the merge of earlier work:\n{files}"
                self._post(held, "fail", error=f"{problem}\n\n{ran.output[-TAIL:]}".strip())
                return False
        return True

    def _ran(self, prompt: str, held: HeldStep, where: Path) -> Ran:
        folder = Path(self.options.log or tempfile.mkdtemp(prefix="orchestrator-"))
        folder.mkdir(parents=True, exist_ok=True)
        log, file = folder / f"{held.key}-{held.attempt}.log", folder / f"{held.key}-{held.attempt}.md"
        file.write_text(prompt, encoding="utf-8")
        environment = self.agent.environment(os.environ, tuple(self.options.env))
        begun = time.monotonic()
        ran = run(
            self.agent.words(prompt, file),
            folder=where,
            environment=environment,
            prompt=prompt if self.agent.prompt == "stdin" else "",
            log=log,
            seconds=self.options.minutes * 60,
            stop=lambda: self._why_stop(held),
            mask=lambda text: self.agent.without_secrets(text, environment),
        )
        self.used.append(self.agent.used(ran.output, time.monotonic() - begun, lines_of(log)))
        return ran

    def _folder(self, claim: dict[str, Any]) -> tuple[Path, Elsewhere | None]:
        """Where the agent works: the step's worktree where it stands on this machine, else a clone below
        `--folder` with the work before it. A step without a repository has that folder itself."""
        place = claim["brief"].get("place") or {}
        named = place.get("path") or ""
        if named and Path(named).is_dir():
            return Path(named), None
        if not self.options.folder and not place.get("repository"):
            empty = Path(tempfile.mkdtemp(prefix="orchestrator-"))
            print(f"The plan has no repository: it works in {empty}, which is empty.", flush=True)
            return empty, None
        if not self.options.folder:
            raise Misconfigured("The step has no worktree on this machine: say with --folder where to work.")
        root = Path(self.options.folder)
        if not place.get("checkout"):
            return root, None
        if place.get("conflict"):
            raise NotCheckedOut(
                "The work before the step does not fit together. It is resolved where the repository is:\n"
                + "\n".join(conflict_lines(place["conflict"]))
            )
        self._hold(root, str(place["repository"]))
        there = check_out(place, root)
        return there.folder, there

    def _hold(self, root: Path, repository: str) -> None:
        if repository not in self.clones:
            try:
                self.clones[repository] = hold(root, repository)
            except BlockingIOError:
                raise Misconfigured(
                    f"Another worker works in {root / repository}: name another --folder."
                ) from None

    def _why_stop(self, held: HeldStep) -> str:
        """Whether somebody took the step away, its budget is used up, or this process has to leave. What runs
        when the plan's budget is used up may end: its result is paid for."""
        if self.stopping:
            return "The worker was stopped."
        if time.monotonic() - self.looked < LOOK:
            return ""
        self.looked = time.monotonic()
        try:
            items = self.impatient.get("mine")["items"]
        except Unreachable:
            return ""  # it goes on; the server may be back when it is done
        mine = next((item for item in items if item["attempt"] == held.attempt), None)
        if mine is None:
            return "The step is no longer held."
        spent = mine.get("spent")
        self.leaving = f"{spent['sentence']} {STANDS}" if spent and not spent["whole"] else ""
        return self.leaving

    def _left(self) -> str:
        """Why the step is given back now, with what stands in its worktree."""
        return LEFT if self.stopping else self.leaving

    def _tell(
        self, claim: dict[str, Any], held: HeldStep, ran: Ran, ending: Ending, there: Elsewhere | None
    ) -> None:
        asked = [str(criterion["id"]) for criterion in claim["criteria"] if criterion["asked"]]
        missing = [pk for pk in asked if pk not in ending.proofs]
        problem = ran.stopped or (f"{self.agent.name} ended with exit code {ran.code}." if ran.code else "")
        if not problem and missing:
            problem = f"{self.agent.name} did not say how it proved criterion {', '.join(missing)}."
        if problem:
            self._post(held, "fail", error=f"{problem}\n\n{ran.output[-TAIL:]}".strip())
            return
        name = f"{held.key}-attempt-{claim['attempt']['number']}.log"
        proofs = {pk: ending.proofs[pk] for pk in asked}
        commit = there.push(f"{held.key}: {ending.outcome}"[:200]) if there else ""
        self._hand_over(
            held, outcome=ending.outcome, evidence=proofs, outputs={name: ran.output}, commit=commit
        )

    def _hand_over(self, held: HeldStep, **body: object) -> None:
        while True:
            try:
                facts = self._post(held, "complete", **body)
                proved = self._is_proved(held, facts)
            except ServerRefused as refusal:
                if refusal.code not in IN_THE_WAY or self.stopping:
                    raise
                print(f"{held.key} waits: {refusal.message}", flush=True)
                time.sleep(LOOK)
            else:
                if proved:
                    self.done.append(held.key)
                return

    def _is_proved(self, held: HeldStep, facts: dict[str, Any]) -> bool:
        """Whether what was handed in counts, once that is known; where it is red the step fails."""
        try:
            while is_pending(facts) and not self.stopping:
                facts = verified(self.connection, held.attempt, LONGEST_WAIT)
        except ServerRefused as refusal:
            if refusal.code != "verification-failed":
                raise
            self._post(held, "fail", error=refusal.message)
            return False
        return not is_pending(facts)

    def _ask(self, held: HeldStep, question: str) -> str:
        """Ask a person, and wait for the answer."""
        self.connection.post(f"tasks/{held.task}/flag", {"intervention_note": question})
        self._post(held, "report", breadcrumb=ASKED)
        while not self.stopping:
            time.sleep(LOOK)
            brief = self.connection.get(f"tasks/{held.task}/")
            if not brief["task"]["needs_human"]:
                asked = max(
                    brief["interventions"], key=lambda one: str(one["raised_at"]), default={"answer": ""}
                )
                return str(asked["answer"])
        return ""

    def _post(self, held: HeldStep, act: str, **body: object) -> dict[str, Any]:
        usage = summed(self.used) if act in TELLING else {}
        facts = send(self.connection, held, act, body | ({"usage": usage} if usage else {}))
        if usage:
            self.used.clear()
        self.told(held.key, act, str(body.get("error", "")))
        return facts

    def told(self, key: str, act: str, error: str) -> None:
        why = error.partition("\n")[0]
        print(f"{key}: {act}{f' ({why})' if why else ''}", flush=True)
        if act == "fail":
            self.failed = [*self.failed[1 - IN_A_ROW :], f"{key} failed: {why}"]


def work(connection: Connection, options: Namespace) -> Reply:
    """Until it is asked to leave (SIGINT, SIGTERM), or with `--once` for one step."""
    agent = find_agent(options.agent, options.agents, options.command)
    if not agent.is_installed(os.environ.get("PATH")):
        raise Misconfigured(f"{agent.name} is not installed here: there is no program {agent.command[0]!r}.")
    worker = Worker(connection, agent, options)
    _listen(lambda: setattr(worker, "stopping", True))
    in_a_row = 0
    try:
        while not worker.stopping:
            claim = worker.take()
            if claim is not None:
                in_a_row = 0 if _do(worker, claim) else in_a_row + 1
            if in_a_row == IN_A_ROW:
                raise Misconfigured(_hopeless(worker))
            if options.once:
                break
    finally:
        for lock in worker.clones.values():
            lock.close()
    if worker.done:
        return Reply(worker.done, (f"Done: {', '.join(worker.done)}.",))
    return Reply([], ("Nothing was done.", *worker.failed), Exit.NOTHING)


def _hopeless(worker: Worker) -> str:
    told = "\n".join(("", *worker.failed))
    return (
        f"Nothing came of {IN_A_ROW} steps in a row, each within {QUICK} seconds, so no more are taken. Look "
        f"how {worker.agent.name} is started.{told}"
    )


def _do(worker: Worker, claim: dict[str, Any]) -> bool:
    """Whether something came of it, or it took its time."""
    begun, before = time.monotonic(), len(worker.done)
    _try(worker, claim)
    return len(worker.done) > before or time.monotonic() - begun > QUICK


def _try(worker: Worker, claim: dict[str, Any]) -> None:
    try:
        worker.do(claim)
    except ServerRefused as refusal:
        print(f"{refusal.message} {refusal.recovery}", flush=True)
        if refusal.code != "stale-token":
            _give_up(worker, claim, f"{refusal.message} {refusal.recovery}")
    except OSError as problem:
        # It would be the same with the next step.
        worker.connection.post(*_release(claim))
        raise Misconfigured(f"{worker.agent.name} could not be started: {problem}.") from problem
    except NotCheckedOut as problem:
        _give_up(worker, claim, f"{problem}")
    except Misconfigured:
        worker.connection.post(*_release(claim))
        raise


def _give_up(worker: Worker, claim: dict[str, Any], why: str) -> None:
    """Say that it failed; where not even that is taken, the claim has ended."""
    held = _held(claim)
    try:
        worker.connection.post(f"attempts/{held.attempt}/fail", held.with_token(error=why))
    except ServerRefused as refusal:
        print(f"{held.key}: {refusal.message}", flush=True)
    else:
        worker.told(held.key, "fail", why)


def _release(claim: dict[str, Any]) -> tuple[str, dict[str, object]]:
    held = _held(claim)
    why = "Whoever took it was set up wrongly and did not begin."
    return f"attempts/{held.attempt}/release", held.with_token(breadcrumb=why)


def _listen(leave: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: leave())


def _held(claim: dict[str, Any]) -> HeldStep:
    attempt = claim["attempt"]
    return HeldStep(attempt["id"], claim["token"], attempt["task"], attempt["key"])
