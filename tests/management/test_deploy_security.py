"""The bill of materials, the audit of dependencies, and the attacks that an operator can have tried."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from pytest_django.fixtures import Settings

from orchestrator.core.terms import Role
from orchestrator.processes.web_server import listening
from orchestrator.services.people.executors import register_executor
from tests.acceptance.installation import free_port
from tests.cast import NOON, UserFactory
from tests.machines import secret_of

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def script(name: str) -> ModuleType:
    spec = spec_from_file_location(f"deploy_{name}", ROOT / "deploy" / f"{name}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_bill_of_materials_names_all_that_the_lock_pins() -> None:
    made = script("sbom").bill(LOCK, "product", "1")
    pinned = [line.split(" ")[0] for line in LOCK.splitlines() if "==" in line]
    assert len(made["components"]) == len(pinned)
    assert all(part["hashes"] for part in made["components"]), "each with the hashes that it is installed by"
    known = {part["bom-ref"] for part in made["components"]} | {"product@1"}
    asked = {one["ref"]: one["dependsOn"] for one in made["dependencies"]}
    assert set(asked) == known
    assert {one for needed in asked.values() for one in needed} == known - {"product@1"}, (
        "nothing hangs loose"
    )
    django = next(one for one in known if one.startswith("pkg:pypi/django@"))
    assert django in asked["product@1"]
    assert any(one.startswith("pkg:pypi/sqlparse@") for one in asked[django])
    assert json.dumps(made) == json.dumps(script("sbom").bill(LOCK, "product", "1"))


@contextmanager
def source(answer: Callable[[list[dict[str, Any]]], Any]) -> Iterator[str]:
    """A source of known holes on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(answer(asked["queries"])).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def audited(monkeypatch: pytest.MonkeyPatch, address: str) -> int:
    audit = script("audit")
    monkeypatch.setattr(audit, "SOURCE", address)
    monkeypatch.setattr("sys.argv", ["audit.py", str(ROOT / "requirements.lock")])
    return int(audit.main())


def test_the_audit_ends_with_1_for_a_known_hole_and_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def holes(queries: list[dict[str, Any]]) -> Any:
        named = [query["package"]["purl"] for query in queries]
        return {"results": [{"vulns": [{"id": "HOLE-7"}]} if "/waitress@" in one else {} for one in named]}

    with source(holes) as address:
        assert audited(monkeypatch, address) == 1
    assert "pkg:pypi/waitress@3.0.2: HOLE-7" in capsys.readouterr().out
    with source(lambda queries: {"results": [{} for _ in queries]}) as address:
        assert audited(monkeypatch, address) == 0
    assert "0 with known holes" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [{}, {"results": []}, ["x"], None])
def test_an_audit_that_learned_nothing_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: Any
) -> None:
    with source(lambda _queries: answer) as address:
        assert audited(monkeypatch, address) == 0
    assert audited(monkeypatch, f"http://127.0.0.1:{free_port()}") == 0
    said = capsys.readouterr().out
    assert said.count("Skipped: no source of known holes answers") == 2
    assert "packages;" not in said


@contextmanager
def served(application: Callable[..., Iterable[bytes]]) -> Iterator[str]:
    """By the product's own web server."""
    server = listening(application, "127.0.0.1", free_port())
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.stop()
        thread.join(20)
        server.asyncore.close_all(server._map)


@pytest.mark.django_db(transaction=True)
def test_no_attack_gets_through(settings: Settings) -> None:
    settings.AXES_ENABLED = True
    person = UserFactory(username="somebody", roles=list(Role))
    secret = secret_of(register_executor(name="an-agent", kind="agent", user=person, now=NOON))
    attack = script("attack")
    with served(get_wsgi_application()) as address:
        outcomes = dict(attack.outcomes(attack.Target(address, secret)))
    through = [f"{name}: {said}" for name, said in outcomes.items() if said]
    assert through == [], "\n".join(through)
    assert len(outcomes) == len(attack.ATTACKS) + len(attack.INSIDE) > 18


def test_attacks_get_through_where_everything_is_let_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An application that answers whatever is asked, and says again what it was told."""

    def open_to_all(request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = f"{request['PATH_INFO']} {request['QUERY_STRING']} Traceback root:".encode()
        start("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
        return [body]

    attack = script("attack")
    with served(open_to_all) as address:
        monkeypatch.setattr("sys.argv", ["attack.py", address])
        monkeypatch.setenv("TOKEN", "x")
        assert attack.main() == 1
    said = capsys.readouterr().out
    held = [line.removeprefix("held").strip() for line in said.splitlines() if line.startswith("held")]
    # What the web server itself keeps off, whatever it serves.
    assert set(held) <= {
        "line breaks into headers and logs (B24)",
        "one request inside another (smuggling)",
        "a redirect to another site behind the sign-in",
        "headers and bodies without end (B15)",
    }, held
