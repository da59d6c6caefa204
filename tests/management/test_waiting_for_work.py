"""FR-027: who waits for work holds no page up, and those that are too many are told at once.

A real web server in a process of its own.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from orchestrator.core import limits
from tests.management.web_process import Web, read_all, running

#: Seconds that the calls wait: longer than everything else here takes, on a busy machine too.
WAIT = 10
MORE = 4


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    yield from running(tmp_path_factory.mktemp("web"))


def test_fr027_who_waits_for_work_starves_no_page(web: Web) -> None:
    web.manage("add_user", "carl", "--role", "contributor")
    told = web.manage("create_token", "--executor", "builder", "--user", "carl")
    secret = told.split("shown once: ")[1].split()[0]
    body = json.dumps({"wait": WAIT}).encode()
    asks = (
        f"POST /api/next HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body
    with ExitStack() as all_open:
        waiting = [all_open.enter_context(web.open(asks)) for _ in range(limits.WAITERS + MORE)]
        assert web.honest() < WAIT
        answers = [json.loads(read_all(one).split(b"\r\n\r\n", 1)[1]) for one in waiting]
    said = Counter(facts["sentence"].split(".")[0] for facts in answers)
    assert said == {
        "Nothing can be claimed by builder now": limits.WAITERS,
        "Too many wait for work here already": MORE,
    }
    assert all(facts["retry_after"] > 0 for facts in answers)
