"""The administration, grouped by area: it shows everything, changes little, deletes nothing (DC-4, LC-10)."""

from orchestrator.admin import people, plans, records, relations, work
from orchestrator.admin.site import site

__all__ = ["people", "plans", "records", "relations", "site", "work"]
