"""Ends with 0 when the orchestrator at HOST and PORT is ready for work, else with 1 and what is in the way.

For the health checks of `compose.yaml` and `orchestrator-health.service`; the standard library alone.
"""

import json
import os
import sys
from http.client import HTTPConnection, HTTPException

#: Seconds for an answer; the checks that call this allow one more.
PATIENCE = 5
#: Addresses that a server listens at and nobody can ask.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def problem_of(host: str, port: int) -> str:
    """Why it is not ready, in words; "" when it is."""
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("GET", "/ready", headers={"Host": f"localhost:{port}"})
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, HTTPException) as error:
        return f"{host}:{port} does not answer: {error}"
    finally:
        connection.close()
    if answer.status == 200:
        return ""
    try:
        return "; ".join(map(str, json.loads(said)["problems"].values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{host}:{port} answers {answer.status}"


def main() -> int:
    host, port = os.environ.get("HOST") or "127.0.0.1", int(os.environ.get("PORT") or 8000)
    problem = problem_of(EVERYWHERE.get(host, host), port)
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
