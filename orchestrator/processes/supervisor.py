"""Starts the web server, the queue's cluster and the executors, keeps them running, and stops all of it."""

import fcntl
import math
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Final

from orchestrator.adapters.pool import PooledExecutor
from orchestrator.core import limits
from orchestrator.processes import forked
from orchestrator.processes.child import Child, Undertaker
from orchestrator.processes.queue_watch import QueueWatch
from orchestrator.processes.service_manager import READY, STOPPING, ServiceManager

TICK: Final = 0.1
#: Seconds that stopping may take before the rest is killed; the web server needs the most of them.
STOP_WITHIN: Final = limits.STOP_SECONDS + 2.0
#: Seconds to wait for the web server before the rest is started all the same.
WEB_WITHIN: Final = 15.0
#: Seconds to wait for what a killed predecessor left; its undertaker needs about one.
PREDECESSOR_WITHIN: Final = 4.0
QUEUE: Final = "queue"
WEB: Final = "web"
MCP: Final = "mcp"
#: How `orchestrator work` ends when it is set up wrongly; started again it would end the same way.
SET_UP_WRONGLY: Final = 2
#: Variables that no worker of the pool is given.
SECRETS: Final = frozenset({"SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "EMAIL_HOST_PASSWORD"})
NOTHING_FORKED: Final[Mapping[str, Callable[[], None]]] = {}
NOTHING_ELSE: Final[Mapping[str, Mapping[str, str]]] = {}


def port_is_taken(host: str, port: int) -> bool:
    """Whether somebody listens there already; tried the way the web server will bind."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError:
            return True
    return False


def only_supervisor(folder: Path) -> IO[str] | None:
    """The lock of this data folder, held while the file is open; None when another supervisor has it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "serve.lock").open("w", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def wait_for_predecessor(folder: Path) -> None:
    """A killed supervisor's processes may still be ending; they hold the port and the executors' locks."""
    groups = [
        int(text) for path in folder.glob("*.pid") if (text := path.read_text(encoding="ascii")).isdigit()
    ]
    deadline = time.monotonic() + PREDECESSOR_WITHIN
    while any(_alive(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(TICK)


def pool_commands(pool: Iterable[PooledExecutor], logs: Path) -> dict[str, list[str]]:
    """The same for the executors of the file: tools run beside the database, agents speak REST. What these
    print stands in the folder `logs`, where their steps' pages find it."""
    manage = [sys.executable, str(Path(sys.argv[0]).resolve())]
    found = {}
    for one in pool:
        tools = [*manage, "run_executor", "--name", one.name, "--tools", ",".join(one.tools)]
        agent = [sys.executable, "-m", "orchestrator.processes.agent_worker", *one.words, "--log", str(logs)]
        found[one.name] = agent if one.is_agent else tools
    return found


def agent_environment(whole: Mapping[str, str], root: Path, address: str, token: str) -> dict[str, str]:
    """What a worker is given: where it signs in, and nothing that is the server's own secret. What of this
    its coding agent gets is named one by one (`client/agent.py`)."""
    kept = {name: value for name, value in whole.items() if name not in SECRETS}
    return {**kept, "ORCHESTRATOR_URL": address, "ORCHESTRATOR_TOKEN": token, "PYTHONPATH": str(root)}


def _alive(group: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, 0)
        return True
    return False


def commands(host: str, port: int, executors: Sequence[str], mcp_port: int = 0) -> dict[str, list[str]]:
    """What is supervised, by name, in the order it is started; MCP over HTTP where it has a port."""
    manage = [sys.executable, str(Path(sys.argv[0]).resolve())]
    web = [sys.executable, "-m", "orchestrator.processes.web_server", host, str(port)]
    named = {name: [*manage, "run_executor", "--name", name] for name in executors}
    agents = {MCP: [*manage, "mcp", "--http", "--port", str(mcp_port)]} if mcp_port else {}
    return {WEB: web, QUEUE: [*manage, "qcluster"], **agents, **named}


def parts_to_fork(wanted: Mapping[str, Sequence[str]]) -> dict[str, Callable[[], None]]:
    """Those of `commands` and `pool_commands` that are this program's own and need no environment of theirs,
    where the system can."""
    if not forked.POSSIBLE:
        return {}
    forked.load()
    found: dict[str, Callable[[], None]] = {}
    for name, (_, *words) in wanted.items():
        if name == WEB:
            found[name] = forked.web(words[-2], int(words[-1]))
        elif words[1:2] in (["qcluster"], ["run_executor"]):
            found[name] = forked.command(*words[1:])
    return found


class Supervisor:
    """`say` prints a short line for the operator; `stopping` says when to leave. `environments` are those of
    children that are not given the supervisor's own. `manager` is who started it. What is in `runs` is
    done by a copy of this process."""

    def __init__(
        self,
        wanted: dict[str, list[str]],
        folder: Path,
        watch: QueueWatch,
        say: Callable[[str], None],
        stopping: Callable[[], bool],
        environments: Mapping[str, Mapping[str, str]] = NOTHING_ELSE,
        manager: ServiceManager | None = None,
        runs: Mapping[str, Callable[[], None]] = NOTHING_FORKED,
    ) -> None:
        self.say, self.stopping, self.watch = say, stopping, watch
        self.manager, self.ready = manager or ServiceManager({}, 0), False
        self.undertaker = Undertaker()
        self.children = {
            name: Child(name, argv, folder, self.undertaker, environments.get(name), runs.get(name))
            for name, argv in wanted.items()
        }

    def run(self, address: tuple[str, int]) -> None:
        """Start everything, the web server first, and keep it running until asked to stop."""
        try:
            self._wait_for_web(address)
            while not self.stopping():
                now = time.monotonic()
                self._tick(now)
                self._be_ready(address)
                self.manager.alive(now)
                time.sleep(TICK)
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop everything; nothing is left over when this returns. Requests under way are answered, what the
        queue has begun is finished, and what is not done when the time is over is sent again at the next
        start."""
        self.say("Stopping.")
        self.manager.tell(STOPPING)
        for child in self.children.values():
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_WITHIN
        for child in self.children.values():
            child.finish(deadline - time.monotonic())
        self.watch.put_back()
        self.undertaker.dismiss()

    def _tick(self, now: float) -> None:
        if self.undertaker.process.poll() is not None:
            self._replace_undertaker()
        for child in self.children.values():
            self._keep(child, now)
        if self.watch.look():
            self.say("The queue is stuck; restarting it.")
            self.children[QUEUE].kill()
            self.watch.restarted()

    def _keep(self, child: Child, now: float) -> None:
        """Say that it ended, and start it when its time has come."""
        code = child.ended(now)
        if code == SET_UP_WRONGLY and child.environment is not None:
            child.next_start = math.inf
            self.say(
                f"{child.name} is set up wrongly and stays away until the next start: {child.last_word()}"
            )
        elif code is not None:
            self.say(f"{child.name} ended ({_how(code)}); starting it again. Its log: {child.log}")
        if not child.running and now >= child.next_start:
            child.start(now)
            if child.name == QUEUE:
                self.watch.restarted()

    def _replace_undertaker(self) -> None:
        self.undertaker = Undertaker()
        for child in self.children.values():
            child.undertaker = self.undertaker
            if child.process is not None:
                self.undertaker.note("+", child.process.pid)

    def _be_ready(self, address: tuple[str, int]) -> None:
        """Told once, when everything was started and the web server answers."""
        if not self.ready and _answers(address):
            self.ready = True
            self.manager.tell(READY, f"Open {own_address(*address)}/")

    def _wait_for_web(self, address: tuple[str, int]) -> None:
        """Give the web server the processor until it answers, so that the first page comes soon."""
        deadline = time.monotonic() + WEB_WITHIN
        while not self.stopping() and time.monotonic() < deadline:
            self._keep(self.children[WEB], time.monotonic())
            if _answers(address):
                self.say(f"Open {own_address(*address)}/  (Ctrl-C stops everything)")
                return
            time.sleep(TICK)
        if not self.stopping():
            self.say(f"The web server does not answer yet. Its log: {self.children[WEB].log}")


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _answers(address: tuple[str, int]) -> bool:
    host, port = address
    try:
        socket.create_connection((_reached(host), port), 1).close()
    except OSError:
        return False
    return True


def own_address(host: str, port: int) -> str:
    """What this machine reaches the web server by."""
    reach = _reached(host)
    return f"http://[{reach}]:{port}" if ":" in reach else f"http://{reach}:{port}"


def _reached(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
