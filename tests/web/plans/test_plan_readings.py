"""WF-2: the check shows how a text was read, offers the other reading, and opens it as PLAN.md."""

import pytest

from orchestrator.core.terms import Format
from orchestrator.models import WorkflowVersion
from orchestrator.web.plans.format_names import FORMAT_NAMES
from tests.cast import Driver
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db

LIST = "- [x] Buy the paint\n- [ ] Sand the wall\n- [ ] Paint the wall\n- [ ] Wait a day\n- [ ] Paint again\n"
NESTED = "# Wall\n\n- [ ] Prepare\n  - [ ] Sand\n  - [ ] Clean\n- [ ] Paint\n"


def test_wf2_a_checklist_becomes_a_plan_under_review_in_one_paste(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    page = client.post("/plans/submit/", {"act": "submit", "source": LIST}, follow=True)
    version = WorkflowVersion.objects.get()
    assert (version.format, version.status, version.source) == ("list", "in_review", LIST)
    assert "Read as a list: 5 steps in order." in words(page)


def test_wf2_both_readings_are_offered_with_what_each_gives(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    said = words(client.post("/plans/submit/", {"act": "check", "source": NESTED}))
    assert "Nested items as details of the step above them: 2 steps. Read so here." in said
    assert "Nested items as steps of their own: 3 steps." in said
    other = words(client.post("/plans/submit/", {"source": NESTED, "reading": "list-fine"}))
    assert "Read as list-fine." in other
    assert "Nested items as steps of their own: 3 steps. Read so here." in other


def test_wf2_a_text_without_work_is_refused_with_what_was_found_and_an_example(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    said = words(client.post("/plans/submit/", {"act": "check", "source": "Once upon a time.\n"}))
    assert "Nothing in the text looks like work: 1 lines, 0 headings, 0 list items" in said
    assert "- [ ] Buy the paint" in said


def test_wf2_edit_as_plan_md_opens_the_canonical_text_and_stores_nothing(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    page = client.post("/plans/submit/", {"act": "edit", "source": LIST}).content.decode()
    assert "- Task 2: Sand the wall" in page
    assert "Read as plan." in page
    assert not WorkflowVersion.objects.exists()


def test_wf2_the_edited_text_is_the_next_version_and_the_source_is_kept(driver: Driver) -> None:
    version = driver.submit(LIST.encode()).version
    slug = version.workflow.slug
    client = signed_in(driver.cast.initiator)
    assert f"of={slug}&amp;from=1&amp;as=plan" in client.get(f"/plans/{slug}/v1/").content.decode()
    page = client.get("/plans/submit/", {"of": slug, "from": "1", "as": "plan"}).content.decode()
    assert "- Task 5: Paint again" in page
    version.refresh_from_db()
    assert version.source == LIST


def test_wf2_every_format_is_offered_by_a_name_that_people_read(driver: Driver) -> None:
    page = signed_in(driver.cast.initiator).get("/plans/submit/").content.decode()
    assert set(FORMAT_NAMES) == set(Format)
    assert all(f'<option value="{form.value}"' in page for form in Format)
    assert "List, nested items as steps" in page
