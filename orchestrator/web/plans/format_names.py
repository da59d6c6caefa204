"""What people call the formats that plans are read in; the words themselves are for the command line."""

from collections.abc import Mapping
from typing import Final

from orchestrator.core.terms import Format

FORMAT_NAMES: Final[Mapping[Format, str]] = {
    Format.PLAN: "PLAN.md",
    Format.PLAN_FILE: "JSON plan file",
    Format.LIST: "List, nested items as details",
    Format.LIST_FINE: "List, nested items as steps",
    Format.TODO: "To-do or task list as JSON",
    Format.YAML: "YAML",
    Format.FOLDER: "Files of one workstream, joined",
    Format.TASKS: "tasks.json of a workstream",
    Format.TASKS_MD: "TASKS.md of a workstream",
    Format.BUNDLE_WS: "Bundle with files_scope and tasks",
    Format.SPEC_KIT: "spec-kit",
    Format.SPEC_KITTY: "spec-kitty",
    Format.TASK_MASTER: "task-master",
    Format.BEADS: "beads",
    Format.BACKLOG: "Backlog.md",
    Format.GSD: "get-shit-done",
    Format.SUPERPOWERS: "superpowers",
    Format.CONDUCTOR: "Conductor",
    Format.KIRO: "Kiro",
    Format.OPENSPEC: "OpenSpec",
    Format.PLAN_MODE: "Plan mode of a coding agent",
}
