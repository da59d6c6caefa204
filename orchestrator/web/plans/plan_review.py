"""The review of a plan that people decide on: structure and source, changes, comments, decision.

Requirements: WF-3, DC-5.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from orchestrator.core.errors import AlreadyDecided, InvalidInput, NotFound, Refusal, VersionMoved
from orchestrator.core.plans.checks.checkpoints import checkpoints_of
from orchestrator.core.plans.impossible import ImpossibleNeed, impossible_needs, names_impossible
from orchestrator.core.plans.plan import Reading
from orchestrator.core.terms import VersionStatus
from orchestrator.models import WorkflowVersion
from orchestrator.queries.changes.migrations import in_flight, mistaken_for_new
from orchestrator.queries.plans import plans as queries
from orchestrator.queries.plans.comments import Discussions, discussions_on
from orchestrator.queries.plans.effect import in_effect
from orchestrator.queries.plans.judged import judged_version
from orchestrator.queries.plans.readings import adoption_by, preview_of, state_told_by
from orchestrator.queries.plans.review import (
    Comparison,
    ReviewSection,
    compare,
    compare_lines,
    review_sections,
    viewed_by,
)
from orchestrator.queries.plans.sign_offs import SignOffs, sign_offs, who_may_approve
from orchestrator.services.plans.comments import open_discussion
from orchestrator.web.acting import act_of, chosen, now, number_in, perform, viewer
from orchestrator.web.moments import wanted_moment
from orchestrator.web.plans import plan_decisions, prehandoff
from orchestrator.web.plans.plan_effect import begun, executors_asked, forecast_for
from orchestrator.web.plans.plan_map import map_of, map_page_of
from orchestrator.web.revalidated import revalidated
from orchestrator.web.show import show

#: Dependencies that cannot hold of which a review offers to drop one; the next version shows the others.
MOST_DROPPED: Final = 50
#: The numbers of all sections, for who reads or prints the whole plan at once.
EVERY: Final = range(1, 1_000_000)


@require_GET
def plan_review(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    return revalidated(request, review_page(request, queries.find_version(slug, version)))


@require_GET
def plan_compare(request: HttpRequest, slug: str) -> HttpResponse:
    """Any two versions, chosen in a form: leads to the newer one as it differs from the older one."""
    chosen_versions = sorted(_version_number(request.GET.get(name, "")) for name in ("from", "to"))
    older, newer = (queries.find_version(slug, version).number for version in chosen_versions)
    return redirect(f"{reverse('plan-review', args=[slug, newer])}?since={older if older < newer else 0}")


@require_GET
def plan_section(request: HttpRequest, slug: str, version: int, section: int) -> HttpResponse:
    """One section of a long plan, when it is opened."""
    shown = queries.find_version(slug, version)
    page = Layout(request, shown, wanted=section)
    found = next((one for one in page.sections if one.section.number == section), None)
    if found is None:
        raise NotFound(f"Version {version} has no section {section}.")
    return show(request, "plans/section.html", page.context() | {"part": found})


@act_of("plan-review", "slug", "version")
def plan_decide(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    """Approve, send back or withdraw exactly the text that was read.

    Version id and hash come from the page.
    """
    shown = queries.find_version(slug, version)
    return perform(
        request,
        partial(plan_decisions.decide, request),
        then=partial(plan_decisions.after, shown),
        again=partial(review_page, request, shown, "decision"),
    )


@act_of("plan-review", "slug", "version")
def plan_prehandoff(request: HttpRequest, slug: str, version: int, act: str) -> HttpResponse:
    """Sign the pre-handoff review, or decide on a suspected duplicate, beside the plan (FR-003, AS-5)."""
    shown = queries.find_version(slug, version)
    do = partial(chosen(prehandoff.ACTS, act), request, queries.workstream_of(shown))
    then = reverse("plan-review", args=[slug, version])
    return perform(
        request,
        do,
        then=then,
        again=partial(review_page, request, shown, "prehandoff"),
        several=act in prehandoff.SEVERAL,
    )


@act_of("plan-review", "slug", "version")
def plan_drop(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    """Drop a dependency that can never hold; leads to the version that is read without it."""
    shown = queries.find_version(slug, version)
    return perform(
        request,
        partial(
            plan_decisions.drop, request, _impossible(judged_version(shown, queries.workstream_of(shown)))
        ),
        then=lambda: reverse("plan-review", args=[slug, queries.find_version(slug).number]),
        again=partial(review_page, request, shown, "drop"),
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to look at the version: since another one, or (0) as a whole."""

    label: str
    since: int
    here: bool


class Layout:
    """What a version is compared with, its sections and its comments, as address and reader ask for it."""

    def __init__(self, request: HttpRequest, version: WorkflowVersion, wanted: int = 0) -> None:
        self.version, self.who = version, viewer(request)
        self.workstream = queries.workstream_of(version)
        self.reading: Reading = judged_version(version, self.workstream)
        self.own, self.previous = queries.earlier_versions(version, self.who.user.pk)
        self.since = self._since(request.GET.get("since", ""))
        self.comparison = self._comparison(self.since)
        self.talk: Discussions = discussions_on(version, self.reading.plan, self.who.user.pk)
        self.line = number_in(request.GET.get("comment", ""))
        self.step = request.GET.get("step", "")
        self.whole = bool(request.GET.get("whole"))
        self.sections: tuple[ReviewSection, ...] = review_sections(
            self.reading,
            version.source,
            self.talk,
            viewed_by(version, self.who.user.pk),
            self.comparison,
            wanted=EVERY if self.whole else {wanted or number_in(request.GET.get("section", ""))},
            line=self.line or self._line_of(self.step),
        )

    def context(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "since": self.since,
            "comparison": self.comparison,
            "talk": self.talk,
            "sections": self.sections,
            "whole": self.whole,
            "viewed": sum(section.viewed for section in self.sections),
            "commenting": {"line": self.line, "step": self.step},
            "no_comment": self.who.lacks(open_discussion),
        }

    def choices(self) -> list[Choice]:
        """Since the reader's own last decision, since the version before, the whole plan."""
        found: list[Choice] = []
        n = self.version.number
        if self.own:
            found.append(Choice(f"Since you decided v{self.own.number}→v{n}", self.own.number, False))
        if self.previous and (self.own is None or self.own.pk != self.previous.pk):
            found.append(Choice(f"Last revision v{self.previous.number}→v{n}", self.previous.number, False))
        found.append(Choice(f"Whole plan v{n}", 0, False))
        chosen_one = self.since if any(one.since == self.since for one in found) else None
        return [Choice(one.label, one.since, one.since == chosen_one) for one in found]

    def _since(self, asked: str) -> int:
        if asked.isascii() and asked.isdigit() and len(asked) < 9:
            return int(asked)
        usual = self.own or self.previous
        return usual.number if usual else 0

    def _comparison(self, since: int) -> Comparison | None:
        if not 0 < since < self.version.number:
            return None
        other = queries.find_version(self.version.workflow.slug, since)
        return compare(other, self.version)

    def _line_of(self, key: str) -> int:
        steps = self.reading.plan.steps() if self.reading.plan and key else ()
        return next((step.line for step in steps if step.key == key), 0)


def review_page(
    request: HttpRequest, version: WorkflowVersion, acted: str = "", refusal: Refusal | None = None
) -> HttpResponse:
    """The review; after a refusal with what `acted` typed, and with the newer text when there is one."""
    page = Layout(request, version)
    workstream, reading, who = page.workstream, page.reading, page.who
    versions = queries.versions_of(version)
    effect = preview_of(version, executors_asked(request))
    review = queries.Review(reading, (), effect, forecast=forecast_for(version, reading.plan))
    why_not = plan_decisions.why_not(who, version, versions[0], review, workstream)
    moved = isinstance(refusal, VersionMoved)
    context = page.context() | {
        "approve_label": "Approve and go" if version.signs_gate else f"Approve v{version.number}",
        "withdraw_label": "Withdraw",
        "versions": versions,
        "newest": versions[0],
        "moved": compare_lines(version, versions[0]) if moved else None,
        "choices": page.choices(),
        "review": review,
        "map": map_of(version, reading.plan, review.effect, map_page_of(version)),
        "checkpoints": checkpoints_of(review.reading),
        "ways": reading.ways,
        "in_flight": (judgement := in_flight(workstream, version, reading.plan)),
        "begun": begun(version, workstream),
        "mistaken": mistaken_for_new(workstream, version, reading.plan, judgement),
        "workstream": workstream,
        "adoption": state_told_by(version) if version.adopts or not workstream.tasks.exists() else None,
        "adopts_state": bool(adoption_by(version)),
        "prehandoff": prehandoff.section(
            request,
            workstream,
            who,
            lambda act: reverse("plan-prehandoff", args=[version.workflow.slug, version.number, act]),
        ),
        "impossible": _impossible(reading),
        "why_not": why_not,
        "deciding": not (why_not["approve"] and why_not["send_back"] and why_not["withdraw"]),
        "sign_offs": (so_far := sign_offs(version)),
        "asked": _asked(so_far, "" if why_not["approve"] else who.user.get_username(), version),
        "withdrawal": plan_decisions.withdrawal_for(who, version, workstream, now()),
        "in_effect": version.status == VersionStatus.APPROVED and in_effect(version),
        "reason": request.POST.get("reason") or request.GET.get("reason", ""),
        "effective_at": _effective(request, version),
        "wanted_is_over": version.wanted_effective_at is not None and version.wanted_effective_at < now(),
        "acted": "" if (decided := isinstance(refusal, AlreadyDecided)) else acted,
    }
    parts = frozenset({"decision", "prehandoff"})
    return show(request, "plans/review.html", context, parts=parts, refusal=refusal, anew=decided)


def _asked(so_far: SignOffs, approver: str, version: WorkflowVersion) -> str:
    """Who still has to approve, told to the reader; the only one who may is told that."""
    alone = bool(approver) and who_may_approve(version.workflow, version.author_id) == [approver]
    return so_far.asked_of(approver, alone=alone)


def _impossible(reading: Reading) -> tuple[ImpossibleNeed, ...]:
    """The dependencies that the reviewer may drop, where they keep the plan from being approved."""
    named = names_impossible(reading.blockers)
    return impossible_needs(reading.plan)[:MOST_DROPPED] if named and reading.plan else ()


def _effective(request: HttpRequest, version: WorkflowVersion) -> str:
    """What was typed; before that, what the submitter wants, as long as it is to come."""
    given = request.POST if request.method == "POST" else request.GET
    return given.get("effective_at", wanted_moment(version, now()))


def _version_number(text: str) -> int:
    if not number_in(text):
        raise InvalidInput(
            "Choose two versions by their numbers.", recovery="Go back and choose them.", field="from"
        )
    return number_in(text)


urlpatterns: list[Any] = [
    path("plans/<slug:slug>/compare/", plan_compare, name="plan-compare"),
    path("plans/<slug:slug>/v<int:version>/", plan_review, name="plan-review"),
    path("plans/<slug:slug>/v<int:version>/sections/<int:section>", plan_section, name="plan-section"),
    path("plans/<slug:slug>/v<int:version>/decide", plan_decide, name="plan-decide"),
    path("plans/<slug:slug>/v<int:version>/drop", plan_drop, name="plan-drop"),
    path("plans/<slug:slug>/v<int:version>/prehandoff", plan_prehandoff, {"act": "sign"}, name="plan-sign"),
    path("plans/<slug:slug>/v<int:version>/prehandoff/<slug:act>", plan_prehandoff, name="plan-prehandoff"),
]
