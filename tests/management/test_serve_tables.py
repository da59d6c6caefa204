"""The start refuses a database whose tables another version made, and changes nothing in it."""

from collections.abc import Iterator

import pytest
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from orchestrator.management.commands.serve import refuse_tables_of_another_version


@pytest.fixture(autouse=True)
def recorded(transactional_db) -> Iterator[None]:
    """What `migrate` leaves: the test suite's own tables are made without it."""
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    for app, name in MigrationLoader(connection).disk_migrations:
        recorder.record_applied(app, name)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(recorder.Migration)


def test_tables_of_this_version_are_taken():
    refuse_tables_of_another_version()


def test_tables_that_another_state_of_this_version_made_are_refused() -> None:
    """Until a version is released, its one migration is made anew under the same name."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orchestrator_snooze RENAME COLUMN until TO til")
        try:
            with pytest.raises(CommandError, match=r"differs in orchestrator_snooze\.til.*new DATA_DIR"):
                refuse_tables_of_another_version()
        finally:
            cursor.execute("ALTER TABLE orchestrator_snooze RENAME COLUMN til TO until")


def test_tables_of_another_version_are_refused_with_a_way_out():
    MigrationRecorder.Migration.objects.create(app="orchestrator", name="0007_of_long_ago")
    with pytest.raises(CommandError, match=r"0007_of_long_ago.*new DATA_DIR"):
        refuse_tables_of_another_version()
