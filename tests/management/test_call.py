"""FR-025: `manage.py call` runs any REST call as a command, with the same answers and refusals."""

import io
import json

import pytest
from django.core.management import call_command


def called(*arguments: str) -> tuple[int, dict]:
    out = io.StringIO()
    try:
        call_command("call", *arguments, stdout=out)
    except SystemExit as left:
        return int(str(left.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_fr025_an_executor_claims_and_fails_by_command(driver):
    driver.start()
    driver.cast.builder("b-1")
    attempt = driver.attempt("A1")
    code, claimed = called("post", f"/api/attempts/{attempt.pk}/claim", "--executor", "b-1")
    assert (code, claimed["token"]) == (0, 1)
    code, _ = called(
        "POST", f"/api/attempts/{attempt.pk}/fail", "token=1", "error=It broke", "--executor", "b-1"
    )
    assert code == 0
    assert driver.attempt("A1").error == "It broke"
    assert driver.task("A1").status == "blocked"


def test_fr025_a_refusal_is_printed_with_its_way_out_and_exit_code_1(driver):
    driver.start()
    driver.claim("A1")
    driver.cast.builder("late")
    code, said = called("POST", f"/api/attempts/{driver.attempt('A1').pk}/claim", "--executor", "late")
    assert (code, said["code"], said["details"]["holder"]) == (1, "already-claimed", "builder-A1")
    assert said["recovery"]
    assert called("POST", "/api/attempts/1/claim", "--executor", "nobody")[1]["code"] == "not-found"


def test_fr025_a_person_acts_with_their_own_roles_only(driver):
    workstream = driver.start()
    address = f"/api/workstreams/{workstream.uuid}"
    code, said = called("PATCH", f"{address}/", "status=completed", "--as", "otto")
    assert (code, said["code"]) == (1, "not-allowed")
    code, said = called("PATCH", f"{address}/", "status=completed", "--as", "anna")
    assert (code, said["code"]) == (1, "not-finished")


def test_fr025_the_same_idempotency_key_has_one_effect(driver):
    driver.start()
    driver.cast.builder("b-1")
    call = ("POST", f"/api/attempts/{driver.attempt('A1').pk}/claim", "--executor", "b-1", "--key", "k1")
    assert called(*call) == called(*call)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("GET", "/portfolio/", "--as", "anna"), "invalid-input", "no REST address"),
        (("GET", "/api/nothing-here", "--as", "anna"), "not-found", "nothing at /api/nothing-here"),
        (("GET", "/api/tasks/", "--as", "ghost"), "not-found", "no active account"),
        (("GET", "/api/tasks/", "--executor", "ghost"), "not-found", "no executor"),
        (("POST", "/api/tasks/", "nonsense", "--as", "anna"), "invalid-input", "'nonsense' is no field"),
        (("POST", "/api/tasks/", "a=1", "a=2", "--as", "anna"), "invalid-input", "given twice"),
        (("GET", "/api/tasks/999/", "--as", "anna"), "not-found", "no such task"),
    ],
)
def test_fr025_every_refusal_is_printed_in_one_form(cast, capsys, arguments, code, said):
    with pytest.raises(SystemExit) as left:
        call_command("call", *arguments)
    printed = capsys.readouterr().out
    refusal = json.loads(printed)
    assert (left.value.code, refusal["code"]) == (1, code)
    assert list(refusal) == ["code", "message", "recovery", "details"]
    assert said in refusal["message"]
    assert printed == json.dumps(refusal, indent=2, ensure_ascii=False) + "\n", "on several lines, as all"
