"""WF-3, DC-5: the review page says first what a decision needs; the text has contents and prints whole."""

from orchestrator.core.terms import Role
from tests.cast import PLAN, Driver, UserFactory
from tests.web.pages import signed_in, words

LONG = PLAN + b"".join(b"\n%d: a line of context." % n for n in range(600))


def page(driver: Driver, source: bytes = PLAN) -> str:
    version = driver.submit(source).version
    return f"/plans/{version.workflow.slug}/v{version.number}/"


def test_wf3_effect_launches_and_prehandoff_stand_before_the_text(driver: Driver) -> None:
    shown = words(signed_in(driver.cast.approver).get(page(driver)))
    places = [
        shown.index(title)
        for title in ("What approval does", "How it will run", "Pre-handoff review", "The plan ", "Contents")
    ]
    assert places == sorted(places)


def test_wf3_the_contents_list_leads_to_every_section(driver: Driver) -> None:
    body = signed_in(driver.cast.approver).get(page(driver)).content.decode()
    contents = body.split('aria-label="Contents of the plan"')[1].split("</nav>")[0]
    for number in range(1, contents.count("<li>") + 1):
        assert f'href="#section-{number}"' in contents
        assert f'id="section-{number}"' in body


def test_wf3_a_long_plan_can_be_read_and_printed_whole(driver: Driver) -> None:
    client, address = signed_in(driver.cast.approver), page(driver, LONG)
    assert "599: a line of context." not in words(client.get(address))
    whole = client.get(address, {"whole": "1"})
    assert "599: a line of context." in words(whole)
    assert 'class="pane"' not in whole.content.decode()


def test_wf3_already_decided_names_who_and_when(driver: Driver) -> None:
    address = page(driver)
    version = driver.reload().version
    form = {
        "decision": "approve",
        "version_id": version.pk,
        "seen_sha256": version.source_sha256,
    }
    client = signed_in(driver.cast.approver)
    assert client.post(f"{address}decide", form).status_code == 302
    omar = UserFactory(username="omar", roles=[Role.APPROVER])
    late = signed_in(omar).post(f"{address}decide", form)
    version.refresh_from_db()
    at = version.decided_at
    assert late.status_code == 409
    said = words(late)
    assert f"Version 1 was already decided: it is approved by anna. That was at {at.day} {at:%b %Y}, " in said


def test_wf3_the_only_approver_reads_that_only_they_are_asked(driver: Driver) -> None:
    driver.cast.admin.is_superuser = False
    driver.cast.admin.save()
    shown = words(signed_in(driver.cast.approver).get(page(driver)))
    assert "0 of 1 approvals; still needed: you " in shown
    assert "another approver" not in shown


def test_wf3_what_stands_before_the_first_stage_is_shown_rendered_beside_its_source(driver: Driver) -> None:
    source = PLAN.replace(b"Customers get their money back.", b"Sells *more* <b>boats</b>.")
    body = signed_in(driver.cast.approver).get(page(driver, source)).content.decode()
    first = body.split('id="section-1"')[1].split('id="section-2"')[0]
    rendered, _, lines = first.partition('class="section-lines"')
    assert "<h6>Summary</h6>" in rendered
    assert "<p>Sells <em>more</em> &lt;b&gt;boats&lt;/b&gt;.</p>" in rendered
    assert "<dt>domain</dt><dd>payments</dd>" in rendered
    assert "Sells *more*" in lines
    assert 'href="#section-1"' in body.split('aria-label="Contents of the plan"')[1]
