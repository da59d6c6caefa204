"""The start refuses a database whose tables another version made, and changes nothing in it."""

import pytest
from django.core.management.base import CommandError
from django.db.migrations.recorder import MigrationRecorder

from orchestrator.management.commands.serve import refuse_tables_of_another_version

pytestmark = pytest.mark.django_db


def test_tables_of_this_version_are_taken():
    refuse_tables_of_another_version()


def test_tables_of_another_version_are_refused_with_a_way_out():
    MigrationRecorder.Migration.objects.create(app="orchestrator", name="0007_of_long_ago")
    with pytest.raises(CommandError, match=r"0007_of_long_ago.*new DATA_DIR"):
        refuse_tables_of_another_version()
