"""The pre-handoff review: suspected duplicates are decided, then a person signs (FR-003, AS-5, EC-5).

It stands on the page of a plan and on a page of its own, for workstreams that share a plan.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.engine.together import first_of
from orchestrator.core.errors import Refusal
from orchestrator.core.terms import DuplicateOutcome
from orchestrator.models import Workstream
from orchestrator.queries.work.duplicates import Suspect, named_by_ids, signature_of, suspects
from orchestrator.queries.work.tasks import find_workstream
from orchestrator.services.workstreams.duplicates import (
    decide_duplicate,
    decide_duplicates,
    find_other,
    why_not_decide_duplicate,
)
from orchestrator.services.workstreams.workstreams import sign_prehandoff, why_not_sign_prehandoff
from orchestrator.web.acting import Viewer, act_of, chosen, does, now, off, perform, typed, viewer
from orchestrator.web.show import show

OUTCOMES: Final = (
    (DuplicateOutcome.OVERRIDE, "no duplicate; this workstream goes on."),
    (DuplicateOutcome.LINK, "related; both go on, each shown on the other's page."),
    (DuplicateOutcome.MERGE, "this workstream is closed and its work goes on in the other."),
    (DuplicateOutcome.CLOSE, "this workstream is a duplicate and is archived."),
)
#: Suspects that are shown at once, each with the form of its decision; the address says which of them.
SHOWN: Final = 10
PAGE: Final = "suspects"


def section(
    request: HttpRequest, workstream: Workstream, who: Viewer, address: Callable[[str], str]
) -> dict[str, Any]:
    """What the section shows; `address` names where an act posts to."""
    found = suspects(workstream)
    undecided = [suspect for suspect in found if suspect.open]
    page = Paginator(found, SHOWN).get_page(_asked_page(request, found))
    return {
        "page": page,
        "open": [suspect for suspect in page if suspect.open],
        "decided": [suspect for suspect in page if not suspect.open],
        "undecided": len(undecided),
        "ids": " ".join(str(suspect.workstream.pk) for suspect in undecided),
        "signature": (signature := signature_of(workstream)),
        "outcomes": OUTCOMES,
        "sign": address("sign"),
        "decide": address("decide"),
        "decide_all": address("decide-all"),
        "why_not_sign": off(why_not_sign_prehandoff(workstream, who.actor, signature, undecided)),
        "why_not_decide": off(why_not_decide_duplicate(workstream, who.actor)),
    }


def _asked_page(request: HttpRequest, found: Sequence[Suspect]) -> str:
    """The page with the suspect that a refused decision is about, else the one that the address names."""
    other = typed(request, "other")
    for place, suspect in enumerate(found):
        if other and suspect.workstream.slug == other:
            return str(place // SHOWN + 1)
    return request.GET.get(PAGE, "")


@does(sign_prehandoff)
def _sign(request: HttpRequest, workstream: Workstream) -> str:
    rationale, who = typed(request, "rationale"), viewer(request).actor
    sign_prehandoff(workstream_id=workstream.pk, rationale=rationale, actor=who, now=now())
    return "The pre-handoff review is signed: work may start once the plan is approved."


@does(decide_duplicate)
def _decide(request: HttpRequest, workstream: Workstream) -> str:
    other = find_other(typed(request, "other"))
    decision = decide_duplicate(
        workstream_id=workstream.pk,
        other_id=other.pk,
        outcome=typed(request, "outcome"),
        rationale=typed(request, "rationale"),
        actor=viewer(request).actor,
        now=now(),
    )
    said = {
        DuplicateOutcome.MERGE: f"{workstream} is closed; its work goes on in {other}.",
        DuplicateOutcome.LINK: f"{workstream} and {other} are linked; both go on.",
        DuplicateOutcome.CLOSE: f"{workstream} is archived as a duplicate of {other}.",
        DuplicateOutcome.OVERRIDE: f"{workstream} is no duplicate of {other}.",
    }
    return said[DuplicateOutcome(decision.outcome)]


@does(decide_duplicates)
def _decide_all(request: HttpRequest, workstream: Workstream) -> str:
    """Those that the page counted: what came since is not decided unseen, and what somebody decided since
    stays decided."""
    shown = named_by_ids(typed(request, "others"))
    made, kept = decide_duplicates(
        workstream_id=workstream.pk,
        others=shown,
        outcome=typed(request, "outcome"),
        rationale=typed(request, "rationale"),
        actor=viewer(request).actor,
        now=now(),
    )
    word = "linked" if made[0].outcome == DuplicateOutcome.LINK else "no duplicates"
    said = f"{len(made)} workstream{' is' if len(made) == 1 else 's are'} decided with one rationale: {word}."
    if not kept:
        return said
    others = [one.other if one.workstream_id == workstream.pk else one.workstream for one in kept]
    names = first_of([str(other) for other in others], 3)
    return f"{said} Decided before, and left as decided: {names}."


ACTS: Final[dict[str, Callable[[HttpRequest, Workstream], str]]] = {
    "sign": _sign,
    "decide": _decide,
    "decide-all": _decide_all,
}
#: Acts of several transactions.
SEVERAL: Final = frozenset({"decide-all"})


@require_GET
def prehandoff(request: HttpRequest, uuid: UUID) -> HttpResponse:
    return prehandoff_page(request, find_workstream(uuid))


@act_of("prehandoff", "uuid")
def prehandoff_act(request: HttpRequest, uuid: UUID, act: str) -> HttpResponse:
    found = find_workstream(uuid)
    do = partial(chosen(ACTS, act), request, found)
    then = reverse("prehandoff", args=[uuid])
    again = partial(prehandoff_page, request, found)
    return perform(request, do, then=then, again=again, several=act in SEVERAL)


def prehandoff_page(request: HttpRequest, found: Workstream, refusal: Refusal | None = None) -> HttpResponse:
    shown = section(
        request, found, viewer(request), lambda act: reverse("prehandoff-act", args=[found.uuid, act])
    )
    context = {"workstream": found, "prehandoff": shown, "acted": "prehandoff"}
    return show(request, "prehandoff/page.html", context, parts=frozenset({"prehandoff"}), refusal=refusal)


urlpatterns: list[Any] = [
    path("workstreams/<uuid:uuid>/prehandoff/", prehandoff, name="prehandoff"),
    path("workstreams/<uuid:uuid>/prehandoff/<slug:act>", prehandoff_act, name="prehandoff-act"),
]
