"""A release that comes after this one: another migration, and the models with what it brings."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

#: Two columns and a wider one. SQLite makes the tables of the wider ones again, without their triggers.
_MIGRATION = """
from django.db import migrations, models


def fill(apps, schema_editor):
    task = apps.get_model("orchestrator", "Task")
    task.objects.update(trial="from before")


class Migration(migrations.Migration):
    dependencies = [("orchestrator", "0001_initial")]
    operations = [
        migrations.AddField("task", "trial", models.CharField(max_length=20, db_default="")),
        migrations.AddField("historycheckpoint", "trial", models.CharField(max_length=20, db_default="")),
        *(
            migrations.AlterField(model, name, models.CharField(max_length=longer))
            for model, name, longer in (
                ("historyentry", "subject", 310),
                ("historycheckpoint", "root", 70),
                ("workflow", "name", 210),
                ("workstream", "title", 210),
            )
        ),
        migrations.AlterField("historytile", "level", models.PositiveIntegerField()),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
"""
_MODELS = """
from django.db import models
from orchestrator.models import HistoryCheckpoint, Task

for model in (Task, HistoryCheckpoint):
    model.add_to_class("trial", models.CharField(max_length=20, db_default=""))
"""
_SETTINGS = """
from orchestrator.settings import *
from orchestrator.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "later_release"]
MIGRATION_MODULES = {"orchestrator": "later_release.of_orchestrator"}
"""


def later_release(folder: Path) -> dict[str, str]:
    """Put it into a folder; the environment in which commands and processes are those of that release."""
    package = folder / "later_release"
    migrations = package / "of_orchestrator"
    migrations.mkdir(parents=True)
    for one in (package, migrations):
        (one / "__init__.py").touch()
    shutil.copy2(ROOT / "orchestrator" / "migrations" / "0001_initial.py", migrations)
    (migrations / "0002_trial.py").write_text(_MIGRATION)
    (migrations / "max_migration.txt").write_text("0002_trial\n")
    (package / "models.py").write_text(_MODELS)
    (folder / "later_settings.py").write_text(_SETTINGS)
    return {"DJANGO_SETTINGS_MODULE": "later_settings", "PYTHONPATH": str(folder)}
