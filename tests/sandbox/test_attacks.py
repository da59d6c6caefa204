"""What a script that a commit brought in can do to the installation from a tool step: nothing.

Each attack is run by a real tool with every set of protections that this kernel has (`protection`).
"""

import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.sandbox.conftest import SECRET, gone, running

pytestmark = pytest.mark.usefixtures("protection")

#: Tries each act and says how it ended; one that succeeds says so.
TRY = """
import os, shutil, sys

def attempt(name, act):
    try:
        act()
    except OSError as problem:
        print(name, "refused", type(problem).__name__)
    else:
        print(name, "SUCCEEDED")

"""


def refused(answers: list[str], number: int) -> bool:
    return len(answers) == number and all(" refused " in answer for answer in answers)


def test_nothing_of_the_data_folder_is_read(lane):
    names = ["secret-key", "orchestrator.sqlite3", "workspace/PLAN.md", "repositories/sample/.git/config"]
    names += ["worktrees/work/theirs/note.txt", "worktrees/work/.state/b1/note.txt"]
    acts = [f"attempt({name!r}, lambda: open({str(lane.data / name)!r}).read())\n" for name in names]
    folders = [
        "",
        "workspace",
        "worktrees/work/theirs",
        "worktrees/work/.state/b1",
        "repositories/sample/.git",
    ]
    acts += [f"attempt({name!r}, lambda: os.listdir({str(lane.data / name)!r}))\n" for name in folders]
    found = lane.attack(TRY + "".join(acts))
    # A folder that is on the way to the tool's own ones may be seen, with nothing in it but the way.
    seen = [line for line in found.output.splitlines() if "SUCCEEDED" in line]
    assert seen in ([], [" SUCCEEDED"]), found.output
    told = lane.answers(f"import os\ntry: print(os.listdir({str(lane.data)!r}))\nexcept OSError: print('no')")
    assert told[0] in ("no", "['worktrees']")


def test_nothing_outside_its_own_folders_is_written(lane):
    targets = ["secret-key", "orchestrator.sqlite3", "workspace/PLAN.md", "worktrees/work/theirs/note.txt"]
    before = {name: (lane.data / name).read_bytes() for name in targets}
    acts = []
    for name in targets:
        path = str(lane.data / name)
        acts += [
            f"attempt('write', lambda: open({path!r}, 'r+').write('x'))\n",
            f"attempt('empty', lambda: os.truncate({path!r}, 0))\n",
            f"attempt('remove', lambda: os.unlink({path!r}))\n",
            f"attempt('replace', lambda: os.rename('scripts/attack.py', {path!r}))\n",
            f"attempt('link', lambda: os.link({path!r}, 'mine'))\n",
            f"attempt('mode', lambda: os.chmod({path!r}, 0o777))\n",
            f"attempt('owner', lambda: os.chown({path!r}, os.getuid(), -1))\n",
            f"attempt('time', lambda: os.utime({path!r}, (1, 1)))\n",
            f"attempt('attribute', lambda: os.setxattr({path!r}, 'user.x', b'x'))\n",
        ]
    states = {name: (lane.data / name).stat() for name in targets}
    assert refused(lane.answers(TRY + "".join(acts)), 36)
    assert before == {name: (lane.data / name).read_bytes() for name in targets}
    assert [(told.st_mode, told.st_mtime) for told in states.values()] == [
        (told.st_mode, told.st_mtime) for told in ((lane.data / name).stat() for name in targets)
    ]


def test_a_file_that_is_put_beside_the_data_never_arrives(lane, tmp_path):
    places = [
        lane.data,
        lane.data / "worktrees" / "work",
        lane.data / "workspace",
        tmp_path,
        Path("/usr"),
        Path("/etc"),
    ]
    acts = [
        f"attempt('make', lambda: open({str(place / 'planted')!r}, 'w').write('x'))\n" for place in places
    ]
    lane.attack(TRY + "".join(acts))
    assert [place for place in places if (place / "planted").exists()] == []


def test_a_link_in_the_worktree_leads_nowhere(lane):
    code = (
        TRY
        + f"os.symlink({str(lane.data)!r}, 'way')\nattempt('read', lambda: open('way/secret-key').read())\n"
    )
    assert refused(lane.answers(code), 1)


def test_homes_keys_and_the_product_itself_are_not_read(lane):
    home, product = Path.home(), Path(__file__).resolve().parents[2] / "manage.py"
    files = ["/etc/shadow", "/etc/gshadow", str(product), "/proc/kcore", "/dev/mem"]
    acts = [f"attempt({name!r}, lambda: open({name!r}, 'rb').read(1))\n" for name in files]
    answers = lane.answers(
        TRY + "".join(acts) + f"try: print(*os.listdir({str(home)!r}))\nexcept OSError: print('no')\n"
    )
    assert refused(answers[:-1], 5)
    on_the_way = {"no", ""} | {part for folder in (home / ".pyenv", home) for part in [folder.name]}
    assert set(answers[-1].split()) <= on_the_way


def test_no_environment_and_no_memory_of_another_process_is_read(lane, victim):
    code = TRY + (
        "me = {str(os.getpid()), 'self', 'thread-self'}\n"
        f"pids = {{'1', str(os.getppid()), {str(victim.pid)!r}, {str(os.getpid())!r}}} - me\n"
        "for pid in sorted(pids):\n"
        "    for name in ('environ', 'mem', 'maps', 'fd/0', 'cwd/x', 'root/etc/shadow', "
        "'root/proc/version'):\n"
        "        attempt(f'{pid} {name}', lambda: open(f'/proc/{pid}/{name}', 'rb').read(1))\n"
    )
    answers = lane.answers(code)
    assert refused(answers, len(answers)), answers
    assert len(answers) >= 14


def test_no_process_is_traced_or_its_memory_written(lane, victim):
    code = f"""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
text = ctypes.create_string_buffer(8)
class Part(ctypes.Structure):
    _fields_ = (("at", ctypes.c_void_p), ("size", ctypes.c_size_t))
mine, theirs = Part(ctypes.addressof(text), 8), Part(0x400000, 8)
for pid in {{{victim.pid}, 1, os.getppid()}} - {{os.getpid(), 0}}:
    print(libc.ptrace(16, pid, 0, 0), ctypes.get_errno() != 0)
    print(libc.process_vm_readv(pid, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0), ctypes.get_errno() != 0)
"""
    assert set(lane.answers(code)) == {"-1 True"}


def test_no_other_process_gets_a_signal(lane, victim):
    watcher = os.getpid()
    acts = f"""
import signal
for number in (0, signal.SIGTERM, signal.SIGKILL):
    attempt('kill', lambda: os.kill({victim.pid}, number))
    attempt('group', lambda: os.killpg({victim.pid}, number))
import resource
attempt('limit', lambda: resource.prlimit({victim.pid}, resource.RLIMIT_CPU, (1, 1)))
attempt('server', lambda: os.kill({watcher}, 0))
attempt('watcher', lambda: os.kill(os.getppid() or 1, 0) if os.getppid() != 1 else os.kill({watcher}, 0))
"""
    assert refused(lane.answers(TRY + acts), 9)
    assert victim.poll() is None


@contextmanager
def listening(family: int, kind: int, address: object) -> Iterator[tuple[socket.socket, list[bytes]]]:
    """A server that remembers what comes in."""
    heard: list[bytes] = []
    with socket.socket(family, kind) as server:
        server.bind(address)
        server.settimeout(0.2)
        if kind == socket.SOCK_STREAM:
            server.listen()
        yield server, heard
        with suppress(TimeoutError):
            if kind == socket.SOCK_STREAM:
                with server.accept()[0] as caller:
                    heard.append(caller.recv(10))
            else:
                heard.append(server.recv(10))


SEND = (
    TRY
    + """
import socket
def send():
    with socket.socket({family}, {kind}) as one:
        one.settimeout(2)
        one.connect({address!r})
        one.sendall(b"hello")
attempt("send", send)
"""
)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["TCP", "UDP"])
def test_nothing_that_listens_on_the_machine_is_reached(lane, kind):
    with listening(socket.AF_INET, kind, ("127.0.0.1", 0)) as (server, heard):
        result = lane.attack(SEND.format(family=2, kind=int(kind), address=server.getsockname()))
        assert result.ok, result.output
    assert heard == []
    if kind == socket.SOCK_STREAM:
        assert "refused" in result.output


@pytest.mark.parametrize("kind", ["a path", "an abstract name"])
def test_no_local_socket_is_reached(lane, kind):
    """Where PostgreSQL, a container engine or a message bus listens."""
    address = f"/tmp/{secrets.token_hex(4)}.sock" if kind == "a path" else f"\0{secrets.token_hex(4)}"
    with listening(socket.AF_UNIX, socket.SOCK_STREAM, address) as (_, heard):
        assert refused(lane.answers(SEND.format(family=1, kind=1, address=address)), 1)
    if kind == "a path":
        os.unlink(address)
    assert heard == []


def test_the_network_is_there_for_a_tool_that_is_allowed_to_use_it(lane):
    with listening(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)) as (server, heard):
        code = SEND.format(family=2, kind=1, address=server.getsockname())
        assert lane.answers(code, network=True) == ["send SUCCEEDED"]
    assert heard == [b"hello"]


def test_what_it_leaves_behind_ends_with_it(lane):
    marker = f"left-{secrets.token_hex(6)}"
    code = f"""
import os, subprocess, sys
for session in (False, True):
    command = [sys.executable, "-c", "import time; time.sleep(300)", {marker!r}]
    subprocess.Popen(command, start_new_session=session, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(300)", {marker!r}])
    os._exit(0)
print("left")
"""
    assert lane.answers(code) == ["left"]
    assert running(marker) == []


@pytest.mark.parametrize("way", ["timeout", "cancelled"])
def test_a_tool_that_is_stopped_leaves_nothing_behind(lane, way):
    marker = f"stopped-{secrets.token_hex(6)}"
    code = f"""
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", {marker!r}], start_new_session=True)
time.sleep(300)
"""
    changes = {"timeout": 1} if way == "timeout" else {"cancelled": lambda: bool(running(marker))}
    lane.attack(code, **changes)
    assert gone(marker)


def test_its_own_folders_are_its_own(lane):
    """What a tool needs works: the worktree, its state, a temporary folder that goes with it, children,
    threads.
    """
    code = """
import multiprocessing, os, pathlib, subprocess, sys, tempfile, threading
pathlib.Path("made/deep").mkdir(parents=True)
pathlib.Path("made/deep/a.txt").write_text("a")
os.rename("made/deep/a.txt", "made/b.txt")
pathlib.Path(os.environ["STEP_STATE"], "kept.txt").write_text("kept")
pathlib.Path(os.environ["HOME"], "home.txt").write_text("kept")
with tempfile.NamedTemporaryFile("w") as file:
    file.write("x")
left = tempfile.mkdtemp()
pathlib.Path(left, "file").write_text("x")
os.fchmod(os.open(left, os.O_RDONLY), 0)
thread = threading.Thread(target=lambda: None); thread.start(); thread.join()
print(subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, text=True).stdout.strip())
open("/dev/null", "w").write("x")
print(len(open("/dev/urandom", "rb").read(4)))
import ssl, sqlite3, pytest
print(multiprocessing.cpu_count() > 0)
"""
    tree, state = lane.job.directory, lane.job.state
    assert lane.answers(code) == ["1", "4", "True"]
    assert (tree / "made" / "b.txt").read_text() == "a"
    assert sorted(path.name for path in state.iterdir()) == ["home.txt", "kept.txt"]


def test_modes_and_times_change_where_a_path_can_only_be_its_own(lane, protection):
    """Without a root folder of its own a path could be anybody's, and Landlock does not look at modes and
    times.
    """
    acts = ["open('a', 'w').close()", "attempt('mode', lambda: os.chmod('a', 0o755))"]
    acts += ["attempt('copy', lambda: shutil.copy2('a', 'b'))"]
    answers = lane.answers(TRY + "\n".join(acts))
    if protection.namespaces:
        assert answers == ["mode SUCCEEDED", "copy SUCCEEDED"]
        assert (lane.job.directory / "b").stat().st_mode & 0o777 == 0o755
    else:
        assert refused(answers, 2)


def test_the_temporary_folder_is_new_each_time(lane):
    code = (
        "import os, "
        "tempfile\nprint(os.listdir(tempfile.gettempdir()))\nopen(tempfile.gettempdir() + '/x', 'w').close()"
    )
    first, second = lane.answers(code), lane.answers(code)
    assert first == second
    assert "x" not in second[0]


def test_the_secret_is_nowhere_in_what_a_tool_can_find(lane):
    """Everything below every folder that it can open, without knowing where to look."""
    code = f"""
import os
found = []
for start in {[str(lane.data), str(lane.data.parent), "/proc", "/tmp", "/run", "/var", "/dev", "/root", "/home"]!r}:
    for folder, _, names in os.walk(start):
        for name in names:
            try:
                path = os.path.join(folder, name)
                if os.path.isfile(path) and {SECRET[4:20]!r}.encode() in open(path, "rb").read(100_000):
                    found.append(path)
            except OSError:
                continue
print([path for path in found if not path.endswith("attack.py")])
"""
    assert lane.answers(code) == ["[]"]


def test_git_in_the_worktree_finds_no_repository(lane):
    told = subprocess.run(["git", "--version"], capture_output=True, check=False)
    assert told.returncode == 0
    code = "import subprocess\nprint(subprocess.run(['git', 'log'], capture_output=True).returncode)"
    assert lane.answers(code) == ["128"]
