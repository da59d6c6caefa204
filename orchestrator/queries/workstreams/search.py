"""Everything that says some words, by what the reader chose, in a fixed number of statements (FR-012)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from orchestrator.core.engine.attention import window_start
from orchestrator.core.found import Excerpt, Piece, excerpt, marked, words_asked
from orchestrator.core.terms import (
    ArtifactState,
    SearchKind,
    TaskStatus,
    TimeWindow,
    VersionStatus,
    WorkstreamStatus,
)
from orchestrator.models import Workflow, Workstream
from orchestrator.models.base.search_index import ENTRIES, WORDS, words_of
from orchestrator.queries.base.sql import aware

#: How a link names what has no domain.
NO_DOMAIN: Final = "-"
#: What the three texts of a kind are, as people read it; what a plan says is named by its line.
PLACES: Final[Mapping[str, tuple[str, str, str]]] = {
    SearchKind.WORKSTREAM: ("Title", "Address or domain", ""),
    SearchKind.PLAN: ("Name", "Line {line}", "Reason"),
    SearchKind.TASK: ("Title", "Definition", "Last word or question"),
    SearchKind.DISCUSSION: ("Plan", "Comment", "Who"),
    SearchKind.LEARNING: ("After", "Learning", "Who"),
    SearchKind.ARTIFACT: ("File", "Outcome", "Files handed over"),
    SearchKind.HISTORY: ("What", "Why", "Who"),
}
OPEN, RESOLVED = "open", "resolved"
#: Every word that the state of something found can be.
STATES: Final = tuple(
    dict.fromkeys(
        [
            *(term.value for terms in (WorkstreamStatus, VersionStatus, TaskStatus) for term in terms),
            *(OPEN, RESOLVED),
            *(state.value for state in ArtifactState),
        ]
    )
)


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """What the reader asks: words, all of which have to be said, and what narrows."""

    text: str
    kind: SearchKind | None = None
    workstream: str = ""
    domain: str = ""
    state: str = ""
    window: TimeWindow | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return words_asked(self.text)


class SaidIn(NamedTuple):
    """Where in a thing words were found: what that text is called, and the words marked in it."""

    name: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A thing that says the words. What it does not have is empty, `uuid` and `workflow` among them."""

    kind: SearchKind
    title: tuple[Piece, ...]
    places: tuple[SaidIn, ...]
    line: int
    state: str
    at: datetime
    domain: str
    workstream: str
    slug: str
    uuid: UUID | None
    key: str
    workflow: str
    version: int
    number: int


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """A page of hits; `counts` has how many of each kind there are, whatever kind was asked for."""

    counts: Mapping[SearchKind, int]
    total: int
    hits: tuple[Hit, ...]


def search(
    question: SearchQuestion, now: datetime, zone: tzinfo, limit: int, offset: int = 0
) -> SearchAnswer:
    """What says all the words: those that say them in their title first, then by kind and the newest first.

    Two statements; none without a word.
    """
    if not question.words:
        return SearchAnswer({}, 0, ())
    conditions = _conditions(question, now, zone)
    counts = {SearchKind(kind): count for kind, count in _rows(*_counted(conditions))}
    total = counts.get(question.kind, 0) if question.kind else sum(counts.values())
    rows = _rows(*_listed(conditions, question, limit, offset)) if total > offset else []
    return SearchAnswer(counts, total, tuple(_hit(row, question.words) for row in rows))


def _rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


_ROWS: Final = f"""{ENTRIES} e
LEFT JOIN orchestrator_task t ON e.kind = 'task' AND t.id = e.ref
LEFT JOIN orchestrator_step s ON s.id = t.step_id
LEFT JOIN orchestrator_historyentry h ON e.kind = 'history' AND h.id = e.ref
LEFT JOIN orchestrator_handoffartifact a ON e.kind = 'artifact' AND a.id = e.ref
LEFT JOIN orchestrator_attempt att ON att.id = a.attempt_id
LEFT JOIN orchestrator_task tk ON tk.id = att.task_id
LEFT JOIN orchestrator_step ast ON ast.id = tk.step_id
LEFT JOIN orchestrator_learning l ON e.kind = 'learning' AND l.id = e.ref
LEFT JOIN orchestrator_comment c ON e.kind = 'discussion' AND c.id = e.ref
LEFT JOIN orchestrator_discussion d ON d.id = c.discussion_id
LEFT JOIN orchestrator_workflowversion v
  ON v.id = CASE e.kind WHEN 'plan' THEN e.ref WHEN 'discussion' THEN d.version_id END
LEFT JOIN orchestrator_workflow w ON w.id = v.workflow_id
LEFT JOIN orchestrator_workstream ws ON ws.id = CASE e.kind WHEN 'workstream' THEN e.ref ELSE COALESCE(
  t.workstream_id, h.workstream_id, a.workstream_id, l.workstream_id, v.workstream_id) END"""
_STATE: Final = """COALESCE(t.status, a.state, CASE WHEN e.kind = 'discussion' THEN
  CASE WHEN d.resolved_at IS NULL THEN 'open' ELSE 'resolved' END ELSE v.status END,
  CASE WHEN e.kind = 'workstream' THEN ws.status END, '')"""
_AT: Final = """COALESCE(t.updated_at, h.recorded_at, a.created_at, l.recorded_at, c.sent_at,
  v.submitted_at, ws.updated_at)"""
_DOMAIN: Final = "COALESCE(ws.domain, w.domain, '')"
_TURN: Final = " ".join(
    ["CASE e.kind", *(f"WHEN '{kind.value}' THEN {turn}" for turn, kind in enumerate(SearchKind)), "END"]
)


def _conditions(question: SearchQuestion, now: datetime, zone: tzinfo) -> tuple[str, list[object]]:
    """Everything that narrows, but for the kind: that is counted."""
    said, asked = _said(question.words)
    parts: list[str] = [said]
    values: list[object] = [asked]
    if question.workstream:
        parts.append("ws.slug = %s")
        values.append(question.workstream)
    if question.domain:
        parts.append(f"{_DOMAIN} = %s")
        values.append("" if question.domain == NO_DOMAIN else question.domain)
    if question.state:
        parts.append(f"{_STATE} = %s")
        values.append(question.state)
    if question.window:
        parts.append(f"{_AT} >= %s")
        values.append(connection.ops.adapt_datetimefield_value(window_start(question.window, now, zone)))
    return " AND ".join(parts), values


def _said(words: Sequence[str]) -> tuple[str, str]:
    """The condition that an entry says all the words, and its parameter."""
    if connection.vendor == "sqlite":
        found = f"e.id IN (SELECT rowid FROM {WORDS} WHERE {WORDS} MATCH %s)"
        return found, " ".join(f'"{word}"*' for word in words)
    return "e.words @@ to_tsquery('simple', %s)", " & ".join(f"{word}:*" for word in words)


def _in_title(words: Sequence[str]) -> tuple[str, str]:
    condition, asked = _said(words)
    if connection.vendor == "sqlite":
        return condition, f"{{title}} : ({asked})"
    return condition.replace("e.words", words_of("e.title")), asked


def _counted(conditions: tuple[str, list[object]]) -> tuple[str, list[object]]:
    where, values = conditions
    # Only what narrows by more than words asks the rows that the entries stand for.
    rows = _ROWS if len(values) > 1 else f"{ENTRIES} e"
    return f"SELECT e.kind, COUNT(*) FROM {rows} WHERE {where} GROUP BY e.kind", values


def _listed(
    conditions: tuple[str, list[object]], question: SearchQuestion, limit: int, offset: int
) -> tuple[str, list[object]]:
    """The ids are chosen first: long texts are read of one page alone."""
    where, values = conditions
    in_title, title_words = _in_title(question.words)
    if question.kind:
        where, values = f"{where} AND e.kind = %s", [*values, question.kind.value]
    order = f"CASE WHEN {in_title} THEN 0 ELSE 1 END, {_TURN}, {_AT} DESC, e.id DESC"
    chosen = f"SELECT e.id FROM {_ROWS} WHERE {where} ORDER BY {order} LIMIT %s OFFSET %s"
    read = (
        f"e.kind, e.title, e.body, e.notes, {_STATE}, {_AT}, {_DOMAIN}, COALESCE(ws.title, ''), "
        "COALESCE(ws.slug, ''), ws.uuid, COALESCE(s.key, ast.key, d.step, ''), COALESCE(w.slug, ''), "
        "COALESCE(v.number, 0), COALESCE(h.sequence, d.id, a.sequence, 0), COALESCE(d.line, 0)"
    )
    sql = f"SELECT {read} FROM {_ROWS} WHERE e.id IN ({chosen}) ORDER BY {order}"
    return sql, [*values, title_words, limit, offset, title_words]


def _hit(row: tuple[Any, ...], words: tuple[str, ...]) -> Hit:
    kind, texts = SearchKind(row[0]), row[1:4]
    names = PLACES[kind]
    found = [excerpt(text, words) for text in texts]
    return Hit(
        kind=kind,
        title=marked(texts[0], words),
        places=tuple(
            SaidIn(name.format(line=one.line), one.pieces)
            for name, one in zip(names[1:], found[1:], strict=True)
            if one and name
        ),
        line=_line(kind, found[1]) or row[14],
        state=row[4],
        at=_moment(row[5]),
        domain=row[6],
        workstream=row[7],
        slug=row[8],
        uuid=_uuid(row[9]),
        key=row[10],
        workflow=row[11],
        version=row[12],
        number=row[13],
    )


def _line(kind: SearchKind, found: Excerpt | None) -> int:
    return found.line if found and kind == SearchKind.PLAN else 0


def _uuid(value: Any) -> UUID | None:
    """SQLite keeps a UUID as text."""
    return None if value is None else UUID(str(value))


def _moment(value: Any) -> datetime:
    """SQLite keeps moments as text, and a computed column is not read for us."""
    return aware(datetime.fromisoformat(value) if isinstance(value, str) else value)


def known_domains() -> list[str]:
    """The domains that a workstream or a plan has, by name."""
    of_work = Workstream.objects.exclude(domain="").order_by().values_list("domain", flat=True)
    of_plans = Workflow.objects.exclude(domain="").order_by().values_list("domain", flat=True)
    return sorted(of_work.union(of_plans), key=str.casefold)


def known_workstreams() -> list[str]:
    return list(Workstream.objects.order_by("slug").values_list("slug", flat=True))
