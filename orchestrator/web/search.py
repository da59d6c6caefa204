"""Search: everything that says some words, and where it says them (FR-012)."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from orchestrator.core.terms import ArtifactState, SearchKind, TimeWindow
from orchestrator.queries.base.asked import Asked
from orchestrator.queries.workstreams.search import (
    NO_DOMAIN,
    STATES,
    Hit,
    SearchQuestion,
    known_domains,
    known_workstreams,
    search,
)
from orchestrator.web.show import show
from orchestrator.web.windows import WINDOW_WORDS
from orchestrator.web.zone import project_zone

PER_PAGE = 20
#: How the kinds are called over a list of them.
KIND_WORDS = {
    SearchKind.WORKSTREAM: "Workstreams",
    SearchKind.PLAN: "Plans",
    SearchKind.TASK: "Tasks",
    SearchKind.DISCUSSION: "Discussions",
    SearchKind.LEARNING: "Learnings",
    SearchKind.ARTIFACT: "Artifacts",
    SearchKind.HISTORY: "History",
}


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    asked, now = Asked(request.GET, {"window": "Changed in"}), timezone.now()
    question = _question(asked)
    number = _number(request.GET.get("page", ""))
    answer = search(question, now, project_zone(), PER_PAGE, (number - 1) * PER_PAGE)
    page = Paginator(range(answer.total), PER_PAGE).get_page(number)  # the hits are read already
    context = {
        "question": question,
        "unknown": asked.unknown,
        "page_obj": page,
        "hits": [(hit, address(hit)) for hit in answer.hits],
        "total": answer.total,
        "kinds": [(kind.value, name, answer.counts.get(kind, 0)) for kind, name in KIND_WORDS.items()],
        "domains": known_domains(),
        "states": STATES,
        "windows": WINDOW_WORDS.items(),
        "no_domain": NO_DOMAIN,
        "now": now,
    }
    return show(request, "search/page.html", context, parts=frozenset({"results"}))


def _question(asked: Asked) -> SearchQuestion:
    return SearchQuestion(
        text=asked.text("q"),
        kind=asked.term("kind", SearchKind),
        workstream=asked.one_of("workstream", known_workstreams),
        domain=asked.one_of("domain", lambda: [*known_domains(), NO_DOMAIN]),
        state=asked.one_of("state", STATES, STATES),
        window=asked.term("window", TimeWindow),
    )


def _number(page: str) -> int:
    return min(int(page), 10_000) if page.isascii() and page.isdigit() and int(page) > 0 else 1


def address(hit: Hit) -> str:
    """Where a hit is read: at its line, its entry, its file."""
    if hit.kind == SearchKind.PLAN:
        line = f"#L{hit.line}" if hit.line else ""
        return reverse("plan-review", args=[hit.workflow, hit.version]) + line
    if hit.kind == SearchKind.DISCUSSION:
        return f"{reverse('plan-review', args=[hit.workflow, hit.version])}#discussion-{hit.number}"
    if hit.kind == SearchKind.HISTORY:
        trail = reverse("workstream-history", args=[hit.uuid]) if hit.uuid else reverse("history")
        return f"{trail}?upto={hit.number}#entry-{hit.number}"
    if hit.kind == SearchKind.ARTIFACT and hit.state == ArtifactState.COMMITTED:
        return reverse("workstream-file", args=[hit.uuid, "".join(piece for piece, _ in hit.title)])
    if hit.key:
        return reverse("task", args=[hit.uuid, hit.key])
    return reverse("workstream", args=[hit.uuid])


urlpatterns = [path("search/", search_page, name="search")]
