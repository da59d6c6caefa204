"""Database triggers that keep the history and its seals append-only (design section 6, FR-009).

Installed after every migrate and idempotent.
"""

from django.db import DEFAULT_DB_ALIAS, connections

#: Of each table: rows are added and never changed, removed or replaced.
#: Each table, and when a row would take the place of one that is there by another key than its id.
TABLES = {
    "orchestrator_historyentry": "sequence = NEW.sequence",
    "orchestrator_historycheckpoint": "size = NEW.size",
    "orchestrator_historytile": "level = NEW.level AND number = NEW.number",
}
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION orchestrator_history_is_append_only() RETURNS trigger AS "
    "$$ BEGIN RAISE EXCEPTION 'history is append-only'; END $$ LANGUAGE plpgsql"
)


def _sqlite(table: str) -> list[str]:
    """`INSERT OR REPLACE` deletes first, which `PRAGMA recursive_triggers` lets the trigger see; where a
    connection was opened without it, the third one refuses what would replace."""
    refused = "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
    return [
        *(
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} {refused}"
            for verb in ("UPDATE", "DELETE")
        ),
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR ({TABLES[table]})) {refused}",
    ]


def _postgres(table: str) -> list[str]:
    return [
        f"CREATE OR REPLACE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION orchestrator_history_is_append_only()",
        f"CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION orchestrator_history_is_append_only()",
    ]


def install_guards(using: str = DEFAULT_DB_ALIAS, **_: object) -> None:
    connection = connections[using]
    sqlite, there = connection.vendor == "sqlite", set(connection.introspection.table_names())
    for table in TABLES:
        if table in there:
            _run(using, _sqlite(table) if sqlite else [_FUNCTION, *_postgres(table)])


def drop_guards(using: str = DEFAULT_DB_ALIAS) -> None:
    """Take the triggers away; only tests that empty the tables, or tamper with them on purpose, do this."""
    for table in TABLES:
        if connections[using].vendor == "sqlite":
            _run(
                using,
                [f"DROP TRIGGER IF EXISTS {table}_no_{verb}" for verb in ("update", "delete", "replace")],
            )
        else:
            _run(
                using,
                [f"DROP TRIGGER IF EXISTS {table}_no_{what} ON {table}" for what in ("change", "truncate")],
            )


def _run(using: str, statements: list[str]) -> None:
    with connections[using].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
