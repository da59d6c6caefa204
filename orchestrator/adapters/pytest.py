"""pytest as a tool: runs the tests a step names (AD-6, BX-9)."""

import sys
from dataclasses import replace

from orchestrator.adapters import process
from orchestrator.adapters.arguments import Options, allowed, words
from orchestrator.adapters.results import result_of
from orchestrator.adapters.tool import Job, Result

#: Options that choose tests or shape the report. Those that load code or files (-p, -c, --rootdir, -o, …) are
#: missing.
OPTIONS = Options(
    flags=frozenset({"-q", "-qq", "-v", "-vv", "-x", "-s", "-ra", "-rA", "--exitfirst", "--strict-markers"}),
    valued=frozenset({"-k", "-m", "--maxfail", "--tb", "--durations", "--color"}),
)
CONFIGURATIONS = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


class Pytest:
    """Uses the repository's own configuration and none above it; plug-ins of this installation stay off."""

    name = "pytest"

    def arguments(self, run: str) -> list[str]:
        return allowed(words(run, self.name), self.name, OPTIONS)

    def run(self, job: Job) -> Result:
        given = self.arguments(job.run)
        found = next((name for name in CONFIGURATIONS if (job.directory / name).is_file()), None)
        configuration = str(job.directory / found) if found else "/dev/null"
        argv = [sys.executable, "-m", "pytest", f"--rootdir={job.directory}", "-c", configuration]
        # Without it the conftest.py files of the folders above are read too, because /dev/null has another
        # root.
        argv += [f"--confcutdir={job.directory}"]
        argv += ["-p", "no:cacheprovider", *given]
        quiet = {**job.environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return result_of(["pytest", *given], process.run(argv, replace(job, environment=quiet)), job)
