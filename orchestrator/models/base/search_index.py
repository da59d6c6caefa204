"""What can be found by its words: where each text comes from, and the triggers that keep the index (FR-012).

The rows are `SearchEntry`; SQLite finds words in a FTS5 table beside it, PostgreSQL in a column of its own.
Installed after every migrate and idempotent. Words are runs of letters and digits in any case, on both.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orchestrator.core.terms import SearchKind

ENTRIES: Final = "orchestrator_searchentry"
WORDS: Final = "orchestrator_searchwords"
#: Characters of a text that are indexed: PostgreSQL keeps at most a megabyte of words for a row.
INDEXED: Final = 150_000
TEXTS: Final = ("title", "body", "notes")
COLUMNS: Final = ", ".join(("kind", "ref", *TEXTS))


class TextSource(NamedTuple):
    """Texts of the rows of a table, which is called `r`; `joins` are the rows beside it.

    A row is indexed when it is written and `condition` holds, and again when a column of `watched` changes.
    `beside` are other tables with the column whose change counts and how their row, NEW, is joined to ours.
    """

    kind: SearchKind
    table: str
    texts: tuple[str, str, str]
    joins: str = ""
    watched: tuple[str, ...] = ()
    condition: str = ""
    beside: tuple[tuple[str, str, str], ...] = ()


_PLAN: Final = (
    "JOIN orchestrator_workflowversion v ON v.id = {version} JOIN orchestrator_workflow w ON w.id = "
    "v.workflow_id"
)
SOURCES: Final = (
    TextSource(
        SearchKind.WORKSTREAM,
        "orchestrator_workstream",
        ("r.title", "r.slug || ' ' || r.domain", "''"),
        watched=("title", "slug", "domain"),
    ),
    TextSource(
        SearchKind.PLAN,
        "orchestrator_workflowversion",
        ("w.name", "r.source", "r.change_reason || ' ' || r.decision_reason"),
        joins="JOIN orchestrator_workflow w ON w.id = r.workflow_id",
        watched=("decision_reason",),
        beside=(("orchestrator_workflow", "name", "r.workflow_id = NEW.id"),),
    ),
    TextSource(
        SearchKind.TASK,
        "orchestrator_task",
        (
            "s.key || ': ' || s.title",
            "s.details || ' ' || s.gate_action || ' ' || COALESCE({criteria}, '')",
            "r.breadcrumb || ' ' || r.intervention_note",
        ),
        joins="JOIN orchestrator_step s ON s.id = r.step_id",
        watched=("step_id", "breadcrumb", "intervention_note"),
    ),
    TextSource(
        SearchKind.DISCUSSION,
        "orchestrator_comment",
        ("w.name", "r.body", "r.said_as"),
        joins="JOIN orchestrator_discussion d ON d.id = r.discussion_id "
        + _PLAN.format(version="d.version_id"),
        watched=("sent_at",),
        condition="r.sent_at IS NOT NULL",
    ),
    TextSource(
        SearchKind.LEARNING,
        "orchestrator_learning",
        ("r.after", "r.went_wrong || ' ' || r.worked || ' ' || r.tighten", "r.recorded_as"),
    ),
    TextSource(
        SearchKind.ARTIFACT,
        "orchestrator_handoffartifact",
        ("r.path", "{outcome}", "COALESCE({outputs}, '')"),
    ),
    TextSource(
        SearchKind.HISTORY,
        "orchestrator_historyentry",
        ("r.action || ' ' || r.subject", "r.reason", "r.actor"),
    ),
)
#: What the two databases say differently.
_DIALECTS: Final = {
    "sqlite": {
        "criteria": "(SELECT group_concat(c.text, ' · ') FROM (SELECT text FROM orchestrator_criterion "
        "WHERE step_id = s.id ORDER BY id) c)",
        "outcome": "COALESCE(CASE WHEN json_valid(r.body) THEN json_extract(r.body, '$.outcome') END, '')",
        "outputs": "(SELECT group_concat(json_extract(o.value, '$.path'), ' ') "
        "FROM json_each(CASE WHEN json_valid(r.body) THEN r.body ELSE '{}' END, '$.outputs') o)",
    },
    "postgresql": {
        "criteria": "(SELECT string_agg(c.text, ' · ') FROM (SELECT text FROM orchestrator_criterion "
        "WHERE step_id = s.id ORDER BY id) c)",
        "outcome": "orchestrator_search_outcome(r.body)",
        "outputs": "orchestrator_search_outputs(r.body)",
    },
}
#: What an artifact's file says on PostgreSQL; one that cannot be read says nothing and holds no act up.
_READERS: Final = tuple(
    f"CREATE OR REPLACE FUNCTION orchestrator_search_{name}(body text) RETURNS text AS $$ BEGIN "
    f"RETURN {said}; EXCEPTION WHEN others THEN RETURN ''; END $$ LANGUAGE plpgsql"
    for name, said in (
        ("outcome", "COALESCE(body::json ->> 'outcome', '')"),
        (
            "outputs",
            "(SELECT string_agg(o.value ->> 'path', ' ') "
            "FROM json_array_elements(body::json -> 'outputs') o)",
        ),
    )
)


def words_of(text: str) -> str:
    """The words of a text on PostgreSQL, as SQLite's own reader makes them."""
    return f"to_tsvector('simple', regexp_replace({text}, '[^[:alnum:]]+', ' ', 'g'))"


def entries_of(source: TextSource, vendor: str) -> str:
    """The SELECT of everything that a source has to say: kind, id and the three texts."""
    texts = (f"substr({text.format(**_DIALECTS[vendor])}, 1, {INDEXED})" for text in source.texts)
    where = f" WHERE {source.condition or '1 = 1'}"
    return (
        f"SELECT '{source.kind.value}' AS kind, r.id AS ref, "
        f"{', '.join(f'{sql} AS {name}' for sql, name in zip(texts, TEXTS, strict=True))} "
        f"FROM {source.table} r {source.joins}{where}"
    )


def lift_search(using: str = DEFAULT_DB_ALIAS, plan: Sequence[object] = (), **_: object) -> None:
    """Before migrations: SQLite makes a table again under another name, and refuses that while a trigger
    names the table; PostgreSQL gives no column another type that a trigger watches. `install_search` puts
    them back."""
    if not plan:
        return
    connection = connections[using]
    with connection.cursor() as cursor:
        for name, table in _installed(cursor, connection.vendor):
            where = "" if connection.vendor == "sqlite" else f" ON {table}"
            cursor.execute(f"DROP TRIGGER {name}{where}")


def install_search(using: str = DEFAULT_DB_ALIAS, **_: object) -> None:
    """Triggers that keep the index. What was changed while they were lifted is indexed now."""
    connection = connections[using]
    if ENTRIES not in connection.introspection.table_names():
        return
    statements = _sqlite() if connection.vendor == "sqlite" else _postgresql()
    with transaction.atomic(using), connection.cursor() as cursor:
        lifted = not _installed(cursor, connection.vendor)
        for statement in statements:
            cursor.execute(statement)
        if lifted:
            rebuild_search(using)


#: The triggers of a database, with their tables.
_TRIGGERS = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname, tgrelid::regclass::text FROM pg_trigger "
    "WHERE NOT tgisinternal AND pg_table_is_visible(tgrelid)",
}


def _installed(cursor: Any, vendor: str) -> list[tuple[str, str]]:
    """The triggers of the indexed tables, with their tables."""
    cursor.execute(_TRIGGERS[vendor])
    return [(name, table) for name, table in cursor.fetchall() if name.startswith("orchestrator_search_")]


def rebuild_search(using: str = DEFAULT_DB_ALIAS) -> int:
    """Make every entry again; how many there are. The caller holds the transaction."""
    vendor = connections[using].vendor
    with connections[using].cursor() as cursor:
        cursor.execute(f"DELETE FROM {ENTRIES}")
        for source in SOURCES:
            cursor.execute(f"INSERT INTO {ENTRIES} ({COLUMNS}) {entries_of(source, vendor)}")
        if vendor == "sqlite":
            cursor.execute(f"INSERT INTO {WORDS} ({WORDS}) VALUES ('rebuild')")
        cursor.execute(f"SELECT COUNT(*) FROM {ENTRIES}")
        return int(cursor.fetchone()[0])


def search_problems(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """What the index does not have, has too much or says otherwise than the rows, a sentence for a kind."""
    problems = []
    connection = connections[using]
    with connection.cursor() as cursor:
        for source in SOURCES:
            wanted = entries_of(source, connection.vendor)
            same = " AND ".join(f"e.{name} = w.{name}" for name in ("kind", "ref", *TEXTS))
            cursor.execute(
                f"SELECT COUNT(*) FROM ({wanted}) w WHERE NOT EXISTS (SELECT 1 FROM {ENTRIES} e WHERE {same})"
            )
            missing = cursor.fetchone()[0]
            cursor.execute(
                f"SELECT COUNT(*) FROM {ENTRIES} e WHERE e.kind = '{source.kind.value}' AND NOT EXISTS "
                f"(SELECT 1 FROM {source.table} r WHERE r.id = e.ref)"
            )
            foreign = cursor.fetchone()[0]
            if missing or foreign:
                problems.append(f"{source.kind.value}: {missing} missing or other, {foreign} too many")
        if connection.vendor == "sqlite" and not _words_fit(connection):
            problems.append("the words do not fit the entries")
    return problems


def _words_fit(connection: BaseDatabaseWrapper) -> bool:
    """FTS5 compares its words with the entries by itself, and raises where they differ."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"INSERT INTO {WORDS} ({WORDS}, rank) VALUES ('integrity-check', 1)")
        except DatabaseError:
            return False
    return True


def _upsert(source: TextSource, vendor: str, row: str) -> str:
    texts = ", ".join(f"{name} = excluded.{name}" for name in TEXTS)
    return (
        f"INSERT INTO {ENTRIES} ({COLUMNS}) {entries_of(source, vendor)} AND {row} "
        f"ON CONFLICT (kind, ref) DO UPDATE SET {texts}"
    )


def _changed(columns: tuple[str, ...]) -> str:
    """One of the columns is another than before; a moment may be there for the first time."""
    return " OR ".join(
        f"(OLD.{name} IS NULL) <> (NEW.{name} IS NULL)"
        if name.endswith("_at")
        else f"OLD.{name} <> NEW.{name}"
        for name in columns
    )


def _triggers(source: TextSource) -> Iterator[tuple[str, str, str, str]]:
    """Of a source: what its trigger is called, when it fires, on which table, and which row of ours it
    means."""
    name, own = f"orchestrator_search_{source.kind.value}", "r.id = NEW.id"
    yield f"{name}_new", "INSERT", source.table, own
    if source.watched:
        yield f"{name}_changed", f"UPDATE OF {', '.join(source.watched)}", source.table, own
    for table, column, row in source.beside:
        yield f"{name}_{table.removeprefix('orchestrator_')}", f"UPDATE OF {column}", table, row


def _sqlite() -> Iterator[str]:
    names = ", ".join(TEXTS)
    new, old = f"NEW.{names.replace(', ', ', NEW.')}", f"OLD.{names.replace(', ', ', OLD.')}"
    yield (
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {WORDS} USING fts5({names}, content='{ENTRIES}', "
        "content_rowid='id', tokenize='unicode61 remove_diacritics 0', prefix='2 3')"
    )
    add = f"INSERT INTO {WORDS} (rowid, {names}) VALUES (NEW.id, {new});"
    remove = f"INSERT INTO {WORDS} ({WORDS}, rowid, {names}) VALUES ('delete', OLD.id, {old});"
    for event, acts in (("INSERT", add), ("DELETE", remove), ("UPDATE", f"{remove} {add}")):
        yield (
            f"CREATE TRIGGER IF NOT EXISTS {WORDS}_{event.lower()} AFTER {event} ON {ENTRIES} "
            f"BEGIN {acts} END"
        )
    for source in SOURCES:
        for name, event, table, row in _triggers(source):
            column = event.partition(" OF ")[2]
            when = f"WHEN {_changed(tuple(column.split(', ')))} " if column else ""
            yield (
                f"CREATE TRIGGER IF NOT EXISTS {name} AFTER {event} ON {table} {when}"
                f"BEGIN {_upsert(source, 'sqlite', row)}; END"
            )
        yield (
            f"CREATE TRIGGER IF NOT EXISTS orchestrator_search_{source.kind.value}_gone AFTER DELETE ON "
            f"{source.table} BEGIN {_forget(source)}; END"
        )


def _postgresql() -> Iterator[str]:
    yield (
        f"ALTER TABLE {ENTRIES} ADD COLUMN IF NOT EXISTS words tsvector GENERATED ALWAYS AS "
        f"({words_of(_joined('title', 'body', 'notes'))}) STORED"
    )
    yield from _READERS
    yield f"CREATE INDEX IF NOT EXISTS {WORDS} ON {ENTRIES} USING GIN (words)"
    for source in SOURCES:
        for name, event, table, row in _triggers(source):
            column = event.partition(" OF ")[2]
            when = f"WHEN ({_changed(tuple(column.split(', ')))}) " if column else ""
            yield from _function(name, event, table, _upsert(source, "postgresql", row), when)
        gone = f"orchestrator_search_{source.kind.value}_gone"
        yield from _function(gone, "DELETE", source.table, _forget(source))


def _joined(*texts: str) -> str:
    return " || ' ' || ".join(texts)


def _forget(source: TextSource) -> str:
    return f"DELETE FROM {ENTRIES} WHERE kind = '{source.kind.value}' AND ref = OLD.id"


def _function(name: str, event: str, table: str, act: str, when: str = "") -> Iterator[str]:
    yield (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$ BEGIN {act}; RETURN NULL; END $$ "
        "LANGUAGE plpgsql"
    )
    yield (
        f"CREATE OR REPLACE TRIGGER {name} AFTER {event} ON {table} "
        f"FOR EACH ROW {when}EXECUTE FUNCTION {name}()"
    )
