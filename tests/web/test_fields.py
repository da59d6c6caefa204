"""One text field: what was typed stays in its own form, a refusal is tied to its field (FR-025)."""

from django.http import QueryDict
from django.template import Context, Template

from orchestrator.core.errors import InvalidInput

TWO_FORMS = Template(
    '{% text "reason" id="revert-reason" label="Why is it reverted?" form="revert" required=True %}'
    '{% text "reason" id="archive-reason" label="Why is it archived?" form="archive" hint="One sentence." %}'
)


def page(acted: str, refusal: InvalidInput | None) -> tuple[str, str]:
    """The two fields after one of the forms was sent."""
    context = Context({"acted": acted, "typed": QueryDict("reason=<b>Broken</b>"), "refusal": refusal})
    first, second = TWO_FORMS.render(context).split('<div class="field">')[1:]
    return first, second


def test_fr025_what_was_typed_stands_in_the_form_that_was_sent() -> None:
    first, second = page("revert", None)
    assert "&lt;b&gt;Broken&lt;/b&gt;" in first
    assert "Broken" not in second
    assert "required" in first
    assert "required" not in second


def test_fr025_a_refusal_is_tied_to_its_field() -> None:
    refusal = InvalidInput("The field reason is too long.", field="reason")
    first, second = page("archive", refusal)
    assert "aria-invalid" not in first
    assert 'aria-invalid="true"' in second
    assert 'aria-describedby="archive-reason-refused archive-reason-hint"' in second
    assert 'id="archive-reason-refused">The field “Reason” is too long.' in second


def test_fr025_a_refusal_of_another_field_marks_none() -> None:
    first, second = page("archive", InvalidInput("The date is past.", field="date"))
    assert "aria-invalid" not in first + second
    assert 'aria-describedby="archive-reason-hint"' in second


SEVERAL = Template(
    "{% for key in keys %}"
    '{% text "reason" id="why-"|join_id:key label="Why?" subject=key sent=typed.key|same:key %}'
    "{% endfor %}"
)


def test_fr025_of_several_forms_of_an_act_the_one_that_was_sent_keeps_its_words() -> None:
    refusal = InvalidInput("The field reason is too long.", field="reason")
    typed = QueryDict("key=12&reason=Broken")
    shown = SEVERAL.render(Context({"keys": [1, 12, 2], "typed": typed, "refusal": refusal}))
    first, second, third = shown.split('<div class="field">')[1:]
    assert 'id="why-12"' in second
    assert "Broken" in second
    assert 'aria-invalid="true"' in second
    assert "Broken" not in first + third
    assert "aria-invalid" not in first + third
