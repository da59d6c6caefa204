"""A version may take over the state that its source tells of the tasks (WF-8)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orchestrator", "0011_source_format")]

    operations = [
        migrations.AddField(
            model_name="workflowversion", name="adopts", field=models.BooleanField(default=False)
        ),
        migrations.AddField(model_name="attempt", name="adopted", field=models.BooleanField(default=False)),
    ]
