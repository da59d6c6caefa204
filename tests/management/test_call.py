"""FR-025: `manage.py call` runs any REST call as a command, with the same answers and refusals."""

import io
import json

import pytest
from django.core.management import CommandError, call_command


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
    ("arguments", "said"),
    [
        (("GET", "/portfolio/", "--as", "anna"), "no REST address"),
        (("GET", "/api/tasks/", "--as", "ghost"), "no active account"),
        (("POST", "/api/tasks/", "nonsense", "--as", "anna"), "write name=value"),
        (("POST", "/api/tasks/", "a=1", "a=2", "--as", "anna"), "given twice"),
    ],
)
def test_fr025_what_cannot_be_called_is_said(cast, arguments, said):
    with pytest.raises(CommandError, match=said):
        called(*arguments)
