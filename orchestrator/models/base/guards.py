"""Database triggers that keep the history append-only (design section 6).

Installed after every migrate and idempotent.
"""

from django.db import DEFAULT_DB_ALIAS, connections

TABLE = "orchestrator_historyentry"

SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS {TABLE}_no_{verb.lower()} BEFORE {verb} ON {TABLE} "
    f"BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
    for verb in ("UPDATE", "DELETE")
]
POSTGRES = [
    "CREATE OR REPLACE FUNCTION orchestrator_history_is_append_only() RETURNS trigger AS "
    "$$ BEGIN RAISE EXCEPTION 'history is append-only'; END $$ LANGUAGE plpgsql",
    f"CREATE OR REPLACE TRIGGER {TABLE}_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
    "FOR EACH ROW EXECUTE FUNCTION orchestrator_history_is_append_only()",
    f"CREATE OR REPLACE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE} "
    "FOR EACH STATEMENT EXECUTE FUNCTION orchestrator_history_is_append_only()",
]
DROP_SQLITE = [f"DROP TRIGGER IF EXISTS {TABLE}_no_{verb}" for verb in ("update", "delete")]
DROP_POSTGRES = [f"DROP TRIGGER IF EXISTS {TABLE}_no_{what} ON {TABLE}" for what in ("change", "truncate")]


def install_guards(using: str = DEFAULT_DB_ALIAS, **_: object) -> None:
    connection = connections[using]
    if TABLE in connection.introspection.table_names():
        _run(using, SQLITE if connection.vendor == "sqlite" else POSTGRES)


def drop_guards(using: str = DEFAULT_DB_ALIAS) -> None:
    """Take the triggers away; only tests that empty the tables, or tamper with them on purpose, do this."""
    _run(using, DROP_SQLITE if connections[using].vendor == "sqlite" else DROP_POSTGRES)


def _run(using: str, statements: list[str]) -> None:
    with connections[using].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
