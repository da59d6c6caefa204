"""Search over everything that is kept (FR-012)."""

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from orchestrator.api.acts import needs
from orchestrator.api.routes import Routes
from orchestrator.contract.search import FoundItem, FoundList, FoundPlace, SearchQuery
from orchestrator.core.errors import InvalidInput
from orchestrator.core.found import Piece
from orchestrator.core.terms import Scope
from orchestrator.queries.base.asked import refuse_other
from orchestrator.queries.workstreams.search import (
    NO_DOMAIN,
    STATES,
    Hit,
    SearchQuestion,
    known_domains,
    known_workstreams,
    search,
)
from orchestrator.web.search import address
from orchestrator.web.zone import project_zone

router = Routes(tags=["search"])


@router.get("/", response=FoundList)
@needs(Scope.READ)
def find(request: HttpRequest, query: Query[SearchQuery]) -> FoundList:
    """What says all the words: in its title first, then by kind and the newest first. A value that nothing
    here has is refused."""
    question = SearchQuestion(query.q, query.kind, query.workstream, query.domain, query.state, query.window)
    if not question.words:
        raise InvalidInput("The question has no word.", field="q")
    _check(question)
    answer = search(question, timezone.now(), project_zone(), query.limit, query.offset)
    counts = {kind.value: count for kind, count in answer.counts.items()}
    return FoundList(answer.total, counts, [_item(hit) for hit in answer.hits])


def _check(question: SearchQuestion) -> None:
    if question.workstream:
        refuse_other("workstream", question.workstream, known_workstreams())
    if question.domain:
        refuse_other("domain", question.domain, [*known_domains(), NO_DOMAIN])
    refuse_other("state", question.state, STATES)


def _item(hit: Hit) -> FoundItem:
    return FoundItem(
        kind=hit.kind,
        title=_text(hit.title),
        address=address(hit),
        state=hit.state,
        at=hit.at,
        domain=hit.domain,
        workstream=hit.slug,
        uuid=hit.uuid,
        key=hit.key,
        line=hit.line,
        places=[FoundPlace(place.name, _text(place.pieces)) for place in hit.places],
    )


def _text(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece for piece, _ in pieces)
