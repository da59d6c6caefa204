"""To-do lists of coding agents as JSON: `[{"content": …, "status": …}]`, `{"plan": [{"step": …, "status":
…}]}`.
"""

from typing import Any, Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.finish import UNNAMED, Gathered, ListedBatch, ListedStage, finish
from orchestrator.core.plans.prose.order import ListedStep
from orchestrator.core.plans.reading.items import Item, key_of
from orchestrator.core.plans.reading.json_source import Lines, listed, load, name_of, plain
from orchestrator.core.plans.reading.progress import status_of
from orchestrator.core.plans.text.titles import split_title

_LISTS: Final = ("todos", "plan", "todo", "items", "newTodos", "todo_list", "steps", "list")
_TITLES: Final = ("content", "step", "task", "text", "title", "description", "name")
_READ: Final = frozenset(
    {
        *_TITLES,
        "id",
        "status",
        "state",
        "activeForm",
        "dependencies",
        "depends_on",
        "blockedBy",
        "done",
        "completed",
    }
)


def looks_like(value: Any) -> bool:
    """Whether a JSON value is a list of objects with `content` or `step`, or of plain texts under `plan`."""
    rows = _rows(value)
    return bool(rows) and all(
        isinstance(row, dict)
        and (isinstance(row.get("content"), str) or isinstance(row.get("step"), str) or _is_ticked(row))
        for row in rows[:5]
    )


def read(text: str) -> Reading:
    findings = Findings()
    value = load(text, findings)
    rows = [row for row in _rows(value) if isinstance(row, dict | str)]
    lines = Lines(text)
    steps = [step for row in rows if (step := _step(row, lines, findings)) is not None]
    if not steps:
        if value is not None:
            findings.add(
                "no-step",
                0,
                "The list holds no to-do.",
                'Write `[{"content": "Paint the wall", "status": "pending"}]`.',
            )
        return Reading(None, findings.all())
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
    return finish(Gathered(name or "To-do list", "a to-do list", [stage], summary), findings)


def _rows(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return next((value[name] for name in _LISTS if isinstance(value.get(name), list)), [])
    return []


def _is_ticked(row: dict[str, Any]) -> bool:
    """`{"text": …, "done": false}`, as to-do lists of people say it."""
    return any(isinstance(row.get(name), str) for name in _TITLES) and isinstance(
        row.get("done", row.get("completed")), bool
    )


def _about(value: Any) -> tuple[str, list[str]]:
    if not isinstance(value, dict):
        return "", []
    name = name_of(value.get("name") or value.get("title"))
    said = [plain(value.get(word)) for word in ("explanation", "description", "goal")]
    return name, [text for text in said if text]


def _step(row: dict[str, Any] | str, lines: Lines, findings: Findings) -> ListedStep | None:
    fields: dict[str, Any] = {"content": row} if isinstance(row, str) else row
    said = next((plain(fields[name]) for name in _TITLES if plain(fields.get(name))), "")
    if not said:
        return None
    line = lines.take(fields.get("id")) if "id" in fields else 0
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
    needs = (
        listed(fields.get("dependencies"))
        + listed(fields.get("depends_on"))
        + listed(fields.get("blockedBy"))
    )
    name = key_of(plain(fields.get("id")))
    waits = [(plain(need), line, False) for need in needs if plain(need)]
    return ListedStep(item, (name,) if name else (), 0, waits, by_id=True)
