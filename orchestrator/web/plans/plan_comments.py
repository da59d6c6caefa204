"""Comments on a plan and sections marked as viewed, from the review page (WF-3)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse

from orchestrator.models import WorkflowVersion
from orchestrator.queries.plans.plans import find_version
from orchestrator.services.plans import comments
from orchestrator.web.acting import act_of, chosen, does, now, number, perform, typed, viewer
from orchestrator.web.plans.plan_review import review_page

#: An act answers with what it says and the place on the page where it can be seen.
Act = Callable[[HttpRequest, WorkflowVersion], tuple[str, str]]


@act_of("plan-review", "slug", "version")
def plan_comment(request: HttpRequest, slug: str, version: int, act: str) -> HttpResponse:
    """Run one act and come back to the same view of the plan, at the discussion or section it was about."""
    shown = find_version(slug, version)
    run = chosen(ACTS, act)
    page = reverse("plan-review", args=[slug, version])
    back = urlencode({"since": typed(request, "since")}) if request.POST.get("since") else ""
    place: list[str] = []

    def do() -> str:
        said, where = run(request, shown)
        place.append(where)
        return said

    again = partial(review_page, request, shown, "comment")
    return perform(request, do, then=lambda: f"{page}?{back}{place[0]}", again=again)


@does(comments.open_discussion)
def _add(request: HttpRequest, version: WorkflowVersion) -> tuple[str, str]:
    who = viewer(request).actor
    discussion = comments.open_discussion(
        version_id=version.pk,
        line=number(request, "line") if request.POST.get("line") else 0,
        step=typed(request, "step"),
        body=typed(request, "body"),
        actor=who,
        now=now(),
    )
    return _then_send(
        request, version, "Your draft is kept; nobody else sees it yet."
    ), f"#discussion-{discussion.pk}"


@does(comments.reply)
def _reply(request: HttpRequest, version: WorkflowVersion) -> tuple[str, str]:
    discussion_id = number(request, "discussion")
    comments.reply(
        discussion_id=discussion_id, body=typed(request, "body"), actor=viewer(request).actor, now=now()
    )
    return _then_send(request, version, "Your answer is kept as a draft."), f"#discussion-{discussion_id}"


def _then_send(request: HttpRequest, version: WorkflowVersion, otherwise: str) -> str:
    return _send(request, version)[0] if request.POST.get("then") == "send" else otherwise


@does(comments.send_comments)
def _send(request: HttpRequest, version: WorkflowVersion) -> tuple[str, str]:
    sent = comments.send_comments(version_id=version.pk, actor=viewer(request).actor, now=now())
    return f"{sent} comment{'s are' if sent > 1 else ' is'} sent.", "#comments"


@does(comments.change_draft)
def _change(request: HttpRequest, _version: WorkflowVersion) -> tuple[str, str]:
    comment = comments.change_draft(
        comment_id=number(request, "comment"),
        body=typed(request, "body"),
        actor=viewer(request).actor,
        now=now(),
    )
    return "Your draft is changed.", f"#discussion-{comment.discussion_id}"


@does(comments.discard_draft)
def _discard(request: HttpRequest, _version: WorkflowVersion) -> tuple[str, str]:
    comments.discard_draft(comment_id=number(request, "comment"), actor=viewer(request).actor, now=now())
    return "The draft is thrown away.", "#comments"


@does(comments.resolve_discussion)
def _resolve(request: HttpRequest, _version: WorkflowVersion) -> tuple[str, str]:
    discussion = comments.resolve_discussion(
        discussion_id=number(request, "discussion"), actor=viewer(request).actor, now=now()
    )
    return "The discussion is resolved.", f"#discussion-{discussion.pk}"


@does(comments.reopen_discussion)
def _reopen(request: HttpRequest, _version: WorkflowVersion) -> tuple[str, str]:
    discussion = comments.reopen_discussion(
        discussion_id=number(request, "discussion"), actor=viewer(request).actor, now=now()
    )
    return "The discussion is open again.", f"#discussion-{discussion.pk}"


@does(comments.mark_viewed)
def _viewed(request: HttpRequest, version: WorkflowVersion) -> tuple[str, str]:
    viewed, section = request.POST.get("viewed") == "yes", number(request, "number")
    comments.mark_viewed(
        version=version, number=section, viewed=viewed, actor=viewer(request).actor, now=now()
    )
    said = (
        "Marked as viewed; it opens again when its text changes." if viewed else "No longer marked as viewed."
    )
    return said, f"#section-{section}"


ACTS: Final[Mapping[str, Act]] = {
    "add": _add,
    "reply": _reply,
    "send": _send,
    "change": _change,
    "discard": _discard,
    "resolve": _resolve,
    "reopen": _reopen,
    "viewed": _viewed,
}

urlpatterns: list[Any] = [
    path("plans/<slug:slug>/v<int:version>/comments/<slug:act>", plan_comment, name="plan-comment"),
]
