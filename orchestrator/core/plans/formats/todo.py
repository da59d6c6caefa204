"""To-do lists of coding agents as JSON: `[{"content": …, "status": …}]`, `{"plan": [{"step": …, "status":
…}]}`.
"""

from typing import Any, Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats import yaml_plan
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.finish import UNNAMED, Gathered, ListedBatch, ListedStage, finish
from orchestrator.core.plans.prose.order import ListedStep
from orchestrator.core.plans.reading.items import Item, key_of
from orchestrator.core.plans.reading.json_source import Lines, listed, load_any, name_of, plain
from orchestrator.core.plans.reading.progress import status_of
from orchestrator.core.plans.text.titles import split_title

_LISTS: Final = ("todos", "plan", "todo", "items", "newTodos", "todo_list", "steps", "list")
_TITLES: Final = ("subject", "content", "step", "task", "text", "title", "description", "name")
_NEEDS: Final = ("dependencies", "depends_on", "dependsOn", "blockedBy", "blocked_by", "needs")
_SURE_TITLES: Final = ("subject", "content", "step", "task")
#: What the call of an agent's tool is wrapped in.
_WRAPPERS: Final = ("input", "arguments", "params", "parameters", "tool_input")
_VAGUE: Final = frozenset({"", "items", "list"})
_STATES: Final = frozenset({"status", "state", "done", "completed", *_NEEDS})
#: Keys of files that other readers know: their `tasks` are no to-do list.
_OTHERS: Final = frozenset({"files_scope", "openspec_change", "ccpm_issue", "stream_id"})
_OTHER_ROWS: Final = frozenset({"stage_name", "batch_name", "thread_name"})
_READ: Final = frozenset(
    {
        *_TITLES,
        "id",
        "status",
        "state",
        "activeForm",
        *_NEEDS,
        "blocks",
        "done",
        "completed",
    }
)


def looks_like(value: Any) -> bool:
    """Whether a JSON value is a list of to-dos: texts, or objects with a title under one of its usual names,
    or such lists below phases.
    """
    if yaml_plan.has_groups(value):
        return True
    rows = _rows(value)
    while isinstance(value, dict) and not any(part is rows for part in value.values()):
        value = next((value[name] for name in _WRAPPERS if isinstance(value.get(name), dict)), None)
    key = next((name for name in value if value[name] is rows), "") if isinstance(value, dict) else ""
    return bool(rows) and all(_is_to_do(row, key) for row in rows[:5])


def _is_to_do(row: Any, key: str) -> bool:
    """A task with `title` under `tasks` is one of a tracker's; rows of a list that says nothing of work need
    more than a name.
    """
    if isinstance(row, str):
        return bool(row.strip())
    if not isinstance(row, dict) or _OTHER_ROWS & row.keys() or (key == "tasks" and "title" in row):
        return False
    titles = _TITLES if key not in _VAGUE or _STATES & row.keys() else _SURE_TITLES
    return any(isinstance(row.get(name), str) for name in titles)


def read(text: str) -> Reading:
    findings = Findings()
    value = load_any(text, findings)
    if yaml_plan.has_groups(value):
        titled = yaml_plan.located(value, Lines(text, yaml_plan.TITLES))
        return yaml_plan.read_value(titled, "a JSON plan", findings)
    rows = [row for row in _rows(value) if isinstance(row, dict | str)]
    lines, titled = Lines(text), Lines(text, _TITLES)
    steps = [step for row in rows if (step := _step(row, lines, titled, findings)) is not None]
    if not steps:
        if value is not None:
            findings.add(
                "no-step",
                0,
                "The list holds no to-do.",
                'Write `[{"content": "Paint the wall", "status": "pending"}]`.',
            )
        return Reading(None, findings.all())
    _wait_for_blockers(rows, steps)
    left = len(_rows(value)) - len(steps)
    if left:
        findings.add(
            "line-left-out",
            1,
            f"{left} entries of the list say nothing and are left out.",
            "Give each a text.",
        )
    stage = ListedStage(UNNAMED, steps[0].item.line or 1, batches=[ListedBatch(UNNAMED, 1, steps)])
    name, summary = _about(value)
    return finish(Gathered(name, "a to-do list", [stage], summary), findings)


def _rows(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        names = _LISTS if _OTHERS & value.keys() else (*_LISTS, "tasks")
        found = next((value[name] for name in names if isinstance(value.get(name), list)), None)
        wrapped = next((value[name] for name in _WRAPPERS if isinstance(value.get(name), dict)), None)
        return found if found is not None else _rows(wrapped)
    return []


def _wait_for_blockers(rows: list[dict[str, Any] | str], steps: list[ListedStep]) -> None:
    """`blocks` names the tasks that wait for this one."""
    by_name = {name: step for step in steps for name in step.names[:1]}
    for row in rows:
        for name in listed(row.get("blocks")) if isinstance(row, dict) else ():
            waiting = by_name.get(key_of(plain(name)))
            before = plain(row.get("id")) if isinstance(row, dict) else ""
            if waiting and before and all(before != value for value, _, _ in waiting.waits):
                waiting.waits.append((before, waiting.item.line, False))


def _about(value: Any) -> tuple[str, list[str]]:
    if not isinstance(value, dict):
        return "", []
    name = name_of(value.get("name") or value.get("title"))
    said = [plain(value.get(word)) for word in ("explanation", "description", "goal")]
    return name, [text for text in said if text]


def _step(row: dict[str, Any] | str, lines: Lines, titled: Lines, findings: Findings) -> ListedStep | None:
    fields: dict[str, Any] = {"content": row} if isinstance(row, str) else row
    said = next((plain(fields[name]) for name in _TITLES if plain(fields.get(name))), "")
    if not said:
        return None
    stands = titled.take(said)
    line = (lines.take(fields.get("id")) if "id" in fields else 0) or stands
    title, whole = split_title(said)
    kept = [f"{name}: {plain(fields[name])}" for name in fields if name not in _READ and plain(fields[name])]
    others = [plain(fields[name]) for name in _TITLES if plain(fields.get(name)) not in ("", said)]
    done = fields.get("done", fields.get("completed"))
    status = status_of(
        "done" if done is True else plain(fields.get("status") or fields.get("state")), line, findings
    )
    item = Item(
        "", title, line, details=[text for text in (whole, *others, "\n".join(kept)) if text], status=status
    )
    needs = [need for word in _NEEDS for need in listed(fields.get(word))]
    name = key_of(plain(fields.get("id")))
    waits = [(plain(need), line, False) for need in needs if plain(need)]
    stated = any(word in fields for word in _NEEDS) and not waits
    return ListedStep(item, (name,) if name else (), 0, waits, independent=stated, by_id=True)
