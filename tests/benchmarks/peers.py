"""`make bench-peers`: no-op steps in DBOS and here, in the same run: CPU milliseconds a step.

DBOS is installed apart (`build/peers`) and takes no part in anything else; where it cannot be installed the
run is skipped. It keeps the results of steps; here claims, decisions, history and git artifacts are kept.
Ends with 1 where a step here costs more than twice as much.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final

import django
from django.test.utils import override_settings

FOLDER: Final = Path(__file__).parents[2] / "build" / "peers"
PACKAGE: Final = "dbos>=3.4,<4"
STEPS: Final = 200
MOST_TIMES: Final = 2.0
#: What runs in the other environment; it prints CPU milliseconds a step by shape.
PROGRAM: Final = """
import json, sys, tempfile, time
from dbos import DBOS

@DBOS.step()
def step(number):
    return number

@DBOS.workflow()
def chain(steps):
    for number in range(steps):
        step(number)

@DBOS.workflow()
def single(number):
    return step(number)

def wide(steps):
    for handle in [DBOS.start_workflow(single, number) for number in range(steps)]:
        handle.get_result()

def cost(act, steps):
    start = time.process_time()
    act(steps)
    return 1000 * (time.process_time() - start) / steps

with tempfile.TemporaryDirectory() as folder:
    file = f"sqlite:///{folder}/dbos.sqlite"
    quiet = {"log_level": "ERROR", "run_admin_server": False}
    DBOS(config={"name": "bench", "system_database_url": file, **quiet})
    DBOS.launch()
    steps = int(sys.argv[1])
    print(json.dumps({"chain": cost(chain, steps), "wide": cost(wide, steps)}))
    DBOS.destroy()
"""


def installed() -> Path | None:
    """The interpreter of an environment that has DBOS; None where there is no way to it."""
    python = FOLDER / "bin" / "python"
    try:
        if not python.exists():
            venv.create(FOLDER, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PACKAGE], check=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as problem:
        print(f"Skipped: DBOS cannot be installed apart ({problem}).")
        return None
    return python


def ours() -> dict[str, float]:
    from tests.benchmarks.acts import Meter, whole_steps
    from tests.benchmarks.measure import chain, layers
    from tests.benchmarks.rounds import database
    from tests.cast import Cast

    meter = Meter()
    with database(), tempfile.TemporaryDirectory() as folder, override_settings(WORKSPACE_DIR=Path(folder)):
        cast = Cast()
        cast.builder()
        whole_steps(meter, layers(1, STEPS), STEPS, chain(STEPS), STEPS, cast)
    spent = {shape: meter.milliseconds[f"a whole step, {shape}"] for shape in ("chain", "wide")}
    return {shape: sum(each) / len(each) for shape, each in spent.items()}


def main() -> int:
    django.setup()
    from tests.benchmarks.floors import ended, judge

    python = installed()
    if python is None:
        return 0
    told = subprocess.run([python, "-c", PROGRAM, str(STEPS)], check=True, timeout=300, capture_output=True)
    theirs, own = json.loads(told.stdout.splitlines()[-1]), ours()
    print(f"\n{'ms CPU a no-op step':24} {'DBOS':>8} {'here':>8}   times")
    for shape, spent in theirs.items():
        times = own[shape] / spent
        failed = judge(f"{shape}, times DBOS", times, MOST_TIMES)
        print(f"{shape:24} {spent:8.1f} {own[shape]:8.1f} {times:7.1f}   {failed}".rstrip())
    return ended()


if __name__ == "__main__":
    sys.exit(main())
