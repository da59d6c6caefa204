"""LC-6, LC-7: a question may offer answers to choose from; a damaged file asks for a person by itself."""

from orchestrator.core.terms import TaskStatus
from orchestrator.models import HandoffArtifact, HistoryEntry, Intervention
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import control, signed_in, words


def flagged(driver: Driver, choices: object) -> tuple[Machine, str, tuple[int, dict]]:
    driver.start()
    machine, address = Machine.of(driver.cast.builder()), f"/api/tasks/{driver.task('A1').pk}"
    body = {"intervention_note": "Which currency?", "choices": choices}
    return machine, address, machine.post(f"{address}/flag", body)


def test_lc6_the_answer_is_one_of_the_choices(driver: Driver) -> None:
    machine, address, (status, brief) = flagged(driver, ["Euro", "Pound"])
    assert status == 200
    assert brief["interventions"][0]["choices"] == ["Euro", "Pound"]
    refused = machine.post(f"{address}/clear", {"answer": "Dollar"})
    assert (refused[0], refused[1]["code"]) == (422, "invalid-input")
    assert "Euro; Pound" in refused[1]["message"]
    assert driver.task("A1").needs_human
    assert machine.post(f"{address}/clear", {"answer": "Pound"})[0] == 200
    answered = machine.get(f"/tasks/{driver.task('A1').pk}/")[1]["interventions"][0]
    assert (answered["kind"], answered["answer"]) == ("question", "Pound")


def test_lc6_choices_have_to_be_a_choice(driver: Driver) -> None:
    machine, address, (status, body) = flagged(driver, ["Euro"])
    assert (status, body["details"]["field"]) == (422, "choices")
    for wrong in (["Euro", "Euro "], ["Euro", "x" * 201], [str(n) for n in range(11)], "Euro", [1, 2]):
        status, _ = machine.post(f"{address}/flag", {"intervention_note": "Which?", "choices": wrong})
        assert status == 422, wrong
    assert not Intervention.objects.exists()


def test_lc7_the_card_shows_the_choices_as_radio_buttons(driver: Driver) -> None:
    workstream = driver.start()
    person = signed_in(driver.cast.contributor)
    typed = {"note": "Which currency?", "choices": "Euro\nPound\n"}
    person.post(f"/workstreams/{workstream.uuid}/tasks/A1/flag", typed)
    card = Intervention.objects.get()
    first = card.choices.first()
    assert first is not None
    for page in ("/interventions/", f"/workstreams/{workstream.uuid}/tasks/A1/"):
        assert 'type="radio"' in control(person.get(page), f"choice-{first.pk}")
    assert person.post(f"/interventions/{card.pk}/done", {}).status_code == 422
    refused = person.post(f"/interventions/{card.pk}/done", {"answer": "Franc"})
    assert refused.status_code == 422
    assert "Answer with one of: Euro; Pound." in words(refused)
    assert person.post(f"/interventions/{card.pk}/done", {"answer": "Euro"}).status_code == 302
    assert Intervention.objects.get().answer == "Euro"


def test_lc7_a_damaged_file_is_a_card_that_goes_when_the_file_is_back(driver: Driver, files: Files) -> None:
    workstream = driver.start()
    driver.do("A1")
    artifact = HandoffArtifact.objects.get(attempt=driver.attempt("A1"), event="attempt-completed")
    content = files.text(artifact.path)
    (files.root / artifact.path).write_text("something else")
    driver.advance()
    task = driver.task("A1")
    assert (task.status, task.needs_human) == (TaskStatus.COMPLETE, True)
    machine = Machine.of(driver.cast.builder())
    assert [found["key"] for found in machine.get("/tasks/?needs_human=true")[1]["items"]] == ["A1"]

    person = signed_in(driver.cast.contributor)
    page = person.get("/interventions/")
    assert f"A file that was handed over cannot be used: {artifact.path} has been altered" in words(page)
    assert "check again, republish from the record, restore from git, or declare the result failed" in words(
        page
    )
    link = f"/workstreams/{workstream.uuid}/#artifact-{artifact.pk}"
    assert link.encode() in page.content
    assert f'id="artifact-{artifact.pk}"'.encode() in person.get(link).content
    refused = person.post(f"/interventions/{Intervention.objects.get().pk}/done", {"answer": "Never mind."})
    assert refused.status_code == 409
    assert driver.task("A1").needs_human

    (files.root / artifact.path).write_text(content)
    driver.advance()
    task, card = driver.task("A1"), Intervention.objects.get()
    assert (task.status, task.needs_human) == (TaskStatus.COMPLETE, False)
    assert (card.kind, card.answer, card.cleared_by) == ("artifact", "The file is intact again.", None)
    assert HistoryEntry.objects.get(action="intervention done").actor == "orchestrator"
    assert "The file is intact again. orchestrator" in words(person.get("/interventions/"))


def test_lc7_each_way_out_clears_the_card(driver: Driver, files: Files) -> None:
    workstream = driver.start()
    driver.do("A1")
    person = signed_in(driver.cast.contributor)
    recover = f"/workstreams/{workstream.uuid}/acts/recover"
    for way in ("republish", "restore", "declare"):
        artifact = HandoffArtifact.objects.get(attempt=driver.attempt("A1"), event="attempt-completed")
        (files.root / artifact.path).unlink()
        driver.advance()
        assert driver.task("A1").needs_human, way
        person.post(recover, {"artifact": artifact.pk, "way": way, "reason": "It is lost."})
        assert not driver.task("A1").needs_human, way
    driver.advance()
    assert driver.task("A1").status == TaskStatus.PENDING
    assert "A1" in driver.ready()
