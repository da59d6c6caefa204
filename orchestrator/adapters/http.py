"""One request to an address that the operator named, as a tool (AD-6).

`Tool: http` with `Run: deploy shop` posts to the endpoint `deploy` of `HTTP_ENDPOINTS` what the step is:
`{"step", "attempt", "commit", "words", "answer"}`. A plan names an endpoint and never an address. How an
endpoint answers:
- 2xx: done; its last line, or `said` of a JSON object, is the evidence;
- a JSON object with `"outcome": "ask"`: `said` is a question to a person; with the answer it is asked again;
- `"outcome": "failed"`, or any other status: the attempt failed. Redirects are not followed.
"""

import json
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final

from django.conf import settings

from orchestrator.adapters.arguments import words
from orchestrator.adapters.results import last_line
from orchestrator.adapters.tool import Job, Result
from orchestrator.adapters.webhook import NotDelivered, exchange
from orchestrator.core.errors import InvalidInput

#: Bytes of an answer that are read; seconds between two looks whether the run is still wanted.
ANSWER_BYTES: Final = 200_000
LOOK: Final = 0.2


class Http:
    """Reaches only the endpoints that the operator named."""

    name = "http"

    def arguments(self, run: str) -> list[str]:
        name, *given = words(run, self.name) or [""]
        if name not in settings.HTTP_ENDPOINTS:
            known = ", ".join(sorted(settings.HTTP_ENDPOINTS)) or "none"
            raise InvalidInput(
                f"There is no endpoint “{name}”: Run begins with one that the operator named ({known}).",
                field="Run",
            )
        return [name, *given]

    def run(self, job: Job) -> Result:
        name, *given = self.arguments(job.run)
        command = " ".join((self.name, name, *given))
        body = json.dumps(
            {
                "step": job.environment.get("STEP_KEY", ""),
                "attempt": job.environment.get("STEP_ATTEMPT", ""),
                "commit": job.environment.get("STEP_COMMIT", ""),
                "words": given,
                "answer": job.answer,
            }
        ).encode()
        try:
            answer = _exchanged(name, body, job)
        except NotDelivered as problem:
            return Result(False, command, str(problem), summary=f"{command}: {problem}", error=str(problem))
        if answer is None:
            return Result(False, command, "", error="The run was stopped.", cancelled=True)
        job.printed(answer[1].encode())
        return _result(command, *answer)


def _exchanged(name: str, body: bytes, job: Job) -> tuple[int, str] | None:
    """Status and text of the answer; None when the run was stopped before there was one."""
    address, stop = settings.HTTP_ENDPOINTS[name], threading.Event()
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/plain"}
    if token := settings.HTTP_TOKENS.get(name):
        headers["Authorization"] = f"Bearer {token}"
    with ThreadPoolExecutor(1) as pool:
        asked: Future[tuple[int, str]] = pool.submit(
            exchange, address, body, headers, None, seconds=job.timeout, most=ANSWER_BYTES, stop=stop
        )
        while not wait([asked], LOOK).done:
            if job.cancelled():
                stop.set()
                return None
        return asked.result()


def _result(command: str, status: int, text: str) -> Result:
    told = _object(text)
    said, outcome = str(told.get("said", "")) or last_line(text), told.get("outcome", "")
    if 200 <= status < 300 and outcome == "ask" and said:
        return Result(False, command, text, question=said[:1000])
    summary = f"{command}: {status}; {last_line(said) or 'it said nothing'}"
    if 200 <= status < 300 and outcome != "failed":
        return Result(True, command, text, summary=summary, exit_code=0)
    return Result(False, command, text, summary=summary, error=summary, exit_code=1)


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
