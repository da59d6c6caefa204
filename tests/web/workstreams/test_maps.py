"""The map of a workstream and of a plan: every step with its state and a link (FR-002, WF-3, BX-6)."""

import re
from html import unescape

import pytest
from django.urls import reverse

from tests.cast import PLAN, Driver
from tests.web.pages import signed_in

MORE = b"".join(b"- B%d: More\n  - Exit: done\n" % n for n in range(2, 70))
LARGE = PLAN.replace(b"Card refunds", b"Large").replace(b"### Merge Point", MORE + b"\n### Merge Point")


def boxes(text: str) -> dict[str, str]:
    """What each box says, by the address that it leads to."""
    drawing = text[text.index('<svg class="plan-map"') : text.index("<details", text.index("plan-map"))]
    found = re.findall(r'<a [^>]* href="([^"]*)">.*?<title>([^<]*)</title>', drawing)
    return {unescape(href): unescape(says) for href, says in found}


def read(driver: Driver, name: str = "workstream") -> str:
    address = reverse(name, args=[driver.workstream.uuid])
    return signed_in(driver.cast.observer).get(address).content.decode()


def test_bx6_the_map_says_what_stands_where_and_who_holds_it_up(driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    driver.claim("A2")
    driver.fail("A2", "Three tests failed.")
    text = read(driver)
    said = {
        key: next(v for k, v in boxes(text).items() if f"/tasks/{key}/" in k) for key in ("A1", "A2", "MP1")
    }
    assert said["A1"].startswith("A1: Ledger entries for refunds. Complete.")
    assert said["A2"].startswith("A2: Ledger report. Failed, bottleneck.")
    assert said["MP1"].startswith("Gate MP1: ")
    assert len(boxes(text)) == 6
    assert "Critical path: 4 steps left, A2 → MP1 → C1 → D1." in text


def test_fr002_every_box_of_the_map_leads_to_its_step(driver: Driver) -> None:
    driver.start()
    client = signed_in(driver.cast.observer)
    for address in boxes(read(driver)):
        assert client.get(address).status_code == 200, address


def test_wf3_a_review_has_the_map_with_the_launch_of_each_step(driver: Driver) -> None:
    driver.submit()
    client = signed_in(driver.cast.observer)
    text = client.get(reverse("plan-review", args=["card-refunds", 1])).content.decode()
    said = boxes(text)
    assert [value.split(". ")[1] for value in said.values()] == [
        "Launch 1, bottleneck, next",
        "Launch 2",
        "Launch 1",
        "Launch 3",
        "Launch 4",
        "Launch 5",
    ]
    address = next(iter(said))
    page = client.get(address.partition("#")[0]).content.decode()
    assert f'id="{address.partition("#")[2]}"' in page


def test_fr002_a_large_map_has_a_page_of_its_own(driver: Driver) -> None:
    driver.start(LARGE)
    text = read(driver)
    assert "plan-map" not in text
    assert reverse("workstream-map", args=[driver.workstream.uuid]) in text
    assert len(boxes(read(driver, "workstream-map"))) == 74
    review = reverse("plan-map", args=["large", 1])
    assert len(boxes(signed_in(driver.cast.observer).get(review).content.decode())) == 74


def test_fr002_a_map_page_costs_the_same_for_any_number_of_steps(
    driver: Driver, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    driver.start()
    client = signed_in(driver.cast.observer)
    read(driver, "workstream-map")
    with django_assert_max_num_queries(36) as few:
        client.get(reverse("workstream-map", args=[driver.workstream.uuid]))
    driver.start(LARGE)
    with django_assert_num_queries(len(few.captured_queries)):
        client.get(reverse("workstream-map", args=[driver.workstream.uuid]))


@pytest.mark.parametrize("name", ["workstream-map", "workstream"])
def test_fr002_before_there_are_tasks_there_is_no_map(driver: Driver, name: str) -> None:
    driver.submit()
    text = read(driver, name)
    assert "plan-map" not in text
    assert "No tasks yet" in text


def test_b8_titles_are_text_in_the_drawing(driver: Driver) -> None:
    driver.start(PLAN.replace(b"Ledger report", b'Ledger <script>"x"</script> & more'))
    text = read(driver)
    assert '<script>"x"' not in text
    assert any('Ledger <script>"x"</script> & more' in value for value in boxes(text).values())


def test_fr002_a_plan_of_more_than_500_steps_is_folded_by_batch(driver: Driver) -> None:
    many = b"".join(b"- B%d: More\n  - Exit: done\n" % n for n in range(2, 500))
    driver.submit(PLAN.replace(b"### Merge Point", many + b"\n### Merge Point"))
    review = reverse("plan-map", args=["card-refunds", 1])
    said = boxes(signed_in(driver.cast.observer).get(review).content.decode())
    assert next(iter(said.values())) == "01 foundations: 0 of 501 done, the bottleneck is in it"
    assert len(said) == 4
