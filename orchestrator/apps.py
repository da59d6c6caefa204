"""The one Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class OrchestratorConfig(AppConfig):
    name = "orchestrator"
    verbose_name = "Plan-to-Execution Orchestrator"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from orchestrator import checks  # noqa: F401
        from orchestrator.models.base.bells import install_bells
        from orchestrator.models.base.guards import install_guards
        from orchestrator.models.base.search_index import install_search, lift_search
        from orchestrator.processes import queue_keys, queue_lines
        from orchestrator.services.base import history
        from orchestrator.web.people import lock_outs  # noqa: F401

        queue_keys.read_earlier_keys()
        queue_lines.name_lines()
        history.listen()
        pre_migrate.connect(lift_search, sender=self, dispatch_uid="orchestrator.search.lifted")
        # A migration that rebuilds a table drops its triggers, so they are put back after every migrate.
        post_migrate.connect(install_guards, sender=self, dispatch_uid="orchestrator.guards")
        post_migrate.connect(install_search, sender=self, dispatch_uid="orchestrator.search")
        post_migrate.connect(install_bells, sender=self, dispatch_uid="orchestrator.bells")
