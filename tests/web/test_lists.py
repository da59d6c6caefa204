"""The parts of a list page: filters that work without JavaScript, and a table that small screens can show."""

import re

from django.template import Context, Template

LIST = Template(
    '{% filters "/blockers/" "Filter the blockers" target="trail" %}'
    '{% choose "kind" kinds label="Class" any="Any" chosen=kind words=True %}'
    '{% choose "owner" owners label="Owner" chosen=kind %}'
    "{% endfilters %}"
    '{% table "Blockers of" "Task|#Waiting|(History)" subject=name tone="versions" %}'
    "{% for row in rows %}<tr><td>{{ row }}</td></tr>{% endfor %}"
    "{% endtable %}"
)


def shown(**values: object) -> str:
    given = {"kinds": ["external", "in_review"], "owners": ["in_review", "<b>"], "rows": ["<i>"], "name": "&"}
    return LIST.render(Context(given | values))


def test_a_list_is_filtered_by_an_ordinary_form_and_in_place() -> None:
    form = shown()[: shown().index("</form>")]
    assert 'method="get"' in form
    assert 'action="/blockers/"' in form
    assert 'aria-label="Filter the blockers"' in form
    assert 'hx-get="/blockers/"' in form
    assert 'hx-target="#trail"' in form


def test_a_filter_shows_what_is_asked_for_in_words() -> None:
    first, second = re.findall("<select.*?</select>", shown(kind="in_review"), re.S)
    assert re.findall('<option value="([^"]*)"([^>]*)>([^<]*)<', first) == [
        ("", "", "Any"),
        ("external", " ", "External"),
        ("in_review", " selected", "In review"),
    ]
    assert ">in_review<" in second, "names of people are no words of ours"
    assert "&lt;b&gt;" in second
    assert "Any" not in second


def test_a_table_has_its_caption_and_heads_once_and_escapes_its_rows() -> None:
    table = shown()[shown().index("<table") :]
    assert '<table class="table stack versions">' in table
    assert '<caption class="sr-only">Blockers of <bdi>&amp;</bdi></caption>' in table
    heads = [" ".join(head.split()) for head in re.findall("<th (.*?)</th>", table, re.S)]
    assert heads == [
        'scope="col" > Task',
        'scope="col" class="num" > Waiting',
        'scope="col" > <span class="sr-only">History</span>',
    ]
    assert "<td>&lt;i&gt;</td>" in table


def test_a_head_that_sorts_is_a_link_and_says_how_the_list_is_sorted(rf) -> None:
    heads = Template('{% load lists %}{% table "T" "Task@task|#Age@age" %}{% endtable %}')
    shown = heads.render(Context({"request": rf.get("/x/?sort=task&page=3&kind=a"), "sort": "task"}))
    assert 'aria-sort="ascending"' in shown
    assert 'href="?sort=-task&amp;kind=a"' in shown, "the other way round next, from the first page on"
    assert 'href="?sort=age&amp;kind=a"' in shown


def test_filters_are_folded_while_none_is_set(rf) -> None:
    """Narrow screens alone fold them, by style; what a page is for is never folded."""
    form = Template('{% load lists %}{% filters "/x/" "Filter it" %}<i></i>{% endfilters %}')
    for query, unfolded in (("", False), ("sort=task&page=2&kind=", False), ("kind=gate&page=2", True)):
        shown = " ".join(form.render(Context({"request": rf.get(f"/x/?{query}")})).split())
        assert f'class="filter-fold" {"open" if unfolded else ""}>' in shown, query
    asked = Template('{% load lists %}{% filters "/x/" "Find it" fold=False %}<i></i>{% endfilters %}')
    assert "<details" not in asked.render(Context({"request": rf.get("/x/")}))
