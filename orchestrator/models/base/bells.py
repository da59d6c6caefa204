"""What PostgreSQL notifies of by itself, so that no act has a statement more: a message in the queue, and an
entry in the history, which comes with whatever makes work free.

Installed after every migrate and idempotent. SQLite has nothing like it (`services/base/bells.py`).
"""

from enum import StrEnum

from django.db import DEFAULT_DB_ALIAS, connections


class Bell(StrEnum):
    """What somebody may wait for."""

    QUEUE = "queue"
    HISTORY = "history"

    @property
    def channel(self) -> str:
        return f"orchestrator_{self.value}"


_TABLES = {Bell.QUEUE: "django_q_ormq", Bell.HISTORY: "orchestrator_historyentry"}
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION orchestrator_rings() RETURNS trigger AS "
    "$$ BEGIN PERFORM pg_notify(TG_ARGV[0], ''); RETURN NULL; END $$ LANGUAGE plpgsql"
)


def install_bells(using: str = DEFAULT_DB_ALIAS, **_: object) -> None:
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    there = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        cursor.execute(_FUNCTION)
        for bell, table in _TABLES.items():
            if table in there:
                cursor.execute(
                    f"CREATE OR REPLACE TRIGGER {table}_rings AFTER INSERT ON {table} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION orchestrator_rings('{bell.channel}')"
                )
