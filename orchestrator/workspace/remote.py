"""The workspace's branches, pushed to a repository elsewhere (FR-009): they only ever go on, so what stands
there stays there whatever becomes of this machine."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from orchestrator.workspace.git import Git, text

#: Whoever is asked for a password, or is spoken to by nobody, gives up.
SSH: Final = "ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3"
NAME: Final = "second"


def push(root: Path, address: str, branches: Sequence[str], seconds: float) -> str:
    """Push branches as they stand, never forced; "" or what went wrong, in git's own words. It asks nobody,
    and ends after `seconds` with everything that it started."""
    git = Git(root)
    words = git.command("push", "--quiet", "--no-verify", NAME, *(f"{one}:{one}" for one in branches))
    with TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=git.environment() | _away(address),
                start_new_session=True,
            )
        except OSError as error:
            return f"git could not be started: {error.strerror}."
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"It was not done after {seconds:g} seconds."
        errors.seek(0)
        said = [line.strip() for line in text(errors.read(4000)).splitlines() if line.strip()]
    return (" ".join(said) or f"git ended with {code}.") if code else ""


def _away(address: str) -> dict[str, str]:
    """The address is a setting of git's, so it stands in no list of processes and is no option."""
    settings = {
        f"remote.{NAME}.url": address,
        "credential.helper": "",
        "http.lowSpeedLimit": "1",
        "http.lowSpeedTime": "20",
    }
    numbered = [
        (f"GIT_CONFIG_{part}_{number}", word)
        for number, pair in enumerate(settings.items())
        for part, word in zip(("KEY", "VALUE"), pair, strict=True)
    ]
    return {
        **dict(numbered),
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_ALLOW_PROTOCOL": "file:https:ssh",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GIT_SSH_COMMAND": SSH,
    }
