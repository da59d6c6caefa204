"""The JSON Schema of our plan file as a value; `schema/workstream.schema.json` is the same text (AD-5)."""

from collections.abc import Mapping
from typing import Any, Final

from orchestrator.core.plans.text.front_matter import MOST_APPROVALS, USER_NAME
from orchestrator.core.terms import GateKind, StageKind

VERSION: Final = "1.0"
_END: Final = r"(?![\s\S])"
_KEY: Final = rf"^[A-Za-z0-9](?:(?:[A-Za-z0-9_-]|\.(?!\.)){{0,78}}[A-Za-z0-9])?{_END}"
_LINE: Final = r"^(?![\s\S]*[\r\n\u0000])"
_NAME: Final = r"^(?![\s\S]*[\r\n\u0000])[\s\S]*\S"
_PLAIN: Final = r"^(?![\s\S]*[\r\n\u0000`])[\s\S]*\S"


def _key(text: str) -> dict[str, Any]:
    said = "may have letters, digits, hyphens, dots and underscores inside, 80 at most"
    return {"description": text, "type": "string", "pattern": _KEY, "$comment": said}


def _line(text: str, most: int) -> dict[str, Any]:
    return {
        "description": text,
        "type": "string",
        "maxLength": most,
        "pattern": _LINE,
        "$comment": "is not one line",
    }


def _name(text: str, most: int) -> dict[str, Any]:
    said = "is empty, or not one line"
    return {"description": text, "type": "string", "maxLength": most, "pattern": _NAME, "$comment": said}


def _text(text: str) -> dict[str, Any]:
    said = "has a NUL character"
    return {"description": text, "type": "string", "pattern": r"^(?![\s\S]*\u0000)", "$comment": said}


def _number(text: str, most: int, least: int = 0) -> dict[str, Any]:
    return {"description": text, "type": "integer", "minimum": least, "maximum": most}


def _list(text: str, items: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": text, "type": "array", "items": dict(items)}


def _object(text: str, required: list[str], properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "description": text,
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": dict(properties),
    }


_ITEM: Final = {
    "type": "string",
    "maxLength": 300,
    "pattern": _PLAIN,
    "$comment": "is empty, or has a backtick",
}
_CRITERION: Final = {
    "type": "string",
    "maxLength": 500,
    "pattern": _NAME,
    "$comment": "is empty, or not one line",
}
_NEED: Final = {"type": "string", "maxLength": 120, "pattern": _NAME, "$comment": "is empty, or not one line"}
_USER: Final = {"type": "string", "pattern": f"^{USER_NAME}{_END}", "$comment": "is no user name"}

_GATE: Final = _object(
    "A person decides the step.",
    ["kind"],
    {
        "kind": {"description": "What is decided.", "enum": [kind.value for kind in GateKind]},
        "reviewers": _list("Roles or user names that may sign; empty for anyone who may review.", _NEED),
        "signatures": _number("How many different people sign; 0: one for each of the reviewers.", 999),
        "action": _text("What is done before it is signed."),
        "unlocks": _list("Keys of steps that wait for the gate.", _NEED),
    },
)

_STEP: Final = _object(
    "The unit of definition. A gate stands alone in its batch.",
    ["key", "title"],
    {
        "key": _key("Unique in the plan."),
        "title": _name("What is to be done, in one line.", 300),
        "details": _text("Everything else about it, as Markdown."),
        "gate": {"$ref": "#/$defs/gate"},
        "depends_on": _list("Keys of steps and gates that have to be complete first.", _NEED),
        "needs": _list("Another word for depends_on; both count.", _NEED),
        "parallel": {"description": "Runs beside its parallel neighbours in the thread.", "type": "boolean"},
        "role": _line("Who is responsible.", 20),
        "tool": _line("Name of a registered tool.", 60),
        "run": _line("What the tool runs.", 500),
        "verify": _line("Tool and command that prove the step; of a gate, the steps before it.", 500),
        "budget": _line("What it may use: `50,000 tokens, 1.50 USD`; beyond it a person is asked.", 200),
        "files": _list("Patterns of files that the step owns while it runs.", _ITEM),
        "resources": _list("Names of resources that it holds alone while it runs.", _ITEM),
        "entry": _list("What has to be confirmed at the start.", _CRITERION),
        "exit": _list("What has to be proved at the end.", _CRITERION),
        "doneWhen": _list("The business definition of done.", _CRITERION),
        "when": _line("Condition; the step is skipped when it is false.", 300),
        "estimate": _number("Minutes; 0 when not known.", 1_000_000),
        "outcomes": _list("Words that a completion may carry, the usual one first.", _ITEM),
        "maxAttempts": _number("Attempts before the circuit breaker trips; 0 for the default.", 999),
        "mayAdd": _number("How many steps it may add at run time.", 999),
        "addedBy": _line("Key of the step that added this one at run time.", 80),
    },
)

_THREAD: Final = _object(
    "It runs beside the other threads of its batch; its steps run in order.",
    ["name", "steps"],
    {
        "lane": _key("Its id: a number, or the letter of a thread; its position when not given."),
        "name": _name("Name of the thread.", 200),
        "summary": _text("What it is about, as Markdown."),
        "role": _line("Who is responsible for its steps.", 20),
        "files": _list("Patterns of files that it owns.", _ITEM),
        "worktree": _line("Where its work tree stands.", 200),
        "steps": _list("In the order in which they run.", {"$ref": "#/$defs/step"}) | {"minItems": 1},
    },
)

_BATCH: Final = _object(
    "A serial group of threads that run side by side; or one gate.",
    ["name", "threads"],
    {
        "prefix": _key("Its number, or the key of its gate; its position when not given."),
        "name": _name("Name of the batch.", 200),
        "summary": _text("What it is about, as Markdown."),
        "threads": _list("Threads that run side by side.", {"$ref": "#/$defs/thread"}),
    },
)

_STAGE: Final = _object(
    "A serial section of the plan.",
    ["name", "batches"],
    {
        "number": _number("Its number; its position when not given.", 999_999),
        "name": _name("Name of the stage.", 200),
        "kind": {"description": "Normal when not given.", "enum": [kind.value for kind in StageKind]},
        "definition": _text("What it is about, as Markdown."),
        "batches": _list("In the order in which they run.", {"$ref": "#/$defs/batch"}),
    },
)

_QUESTION: Final = _object(
    "Something that the plan asks; it blocks approval until it is answered.",
    ["text", "answered"],
    {"text": _name("Question, or its answer.", 10_000), "answered": {"type": "boolean"}},
)

_PLAN: Final = _object(
    "One workstream's plan.",
    ["name", "stages"],
    {
        "name": _name("Name of the plan.", 200),
        "summary": _text("What it is about, as Markdown."),
        "domain": _line("Area of the business.", 60),
        "owner": _line("Who owns the work.", 150),
        "priority": _number("Higher goes first.", 999_999, -999_999),
        "repository": _line("Name of a registered repository.", 100),
        "baseBranch": _line("Branch that the work ends on; main when not given.", 200),
        "verify": _line("Tool and command that prove every step that names none.", 500),
        "budget": _line("What all of its steps may use together; beyond, a person is asked.", 200),
        "silence": _line("When a person is asked about who says nothing: `90m`, or `none`.", 20),
        "needs": _list("Workstreams that have to be completed first.", _NEED),
        "approvers": _list("User names of people who all have to approve it.", _USER),
        "approvals": _number(
            "How many people have to approve it at least; 0 leaves it to the workflow.", MOST_APPROVALS
        ),
        "order": {
            "description": "Batches when not given. With dependencies a gate may be a thread of the batch "
            "whose steps it waits for.",
            "enum": ["batches", "dependencies"],
        },
        "parameters": {
            "description": "Values of `{{name}}` in the texts of the plan.",
            "type": "object",
            "additionalProperties": {"type": "string", "maxLength": 500, "pattern": _LINE},
        },
        "questions": _list("Open questions and answered ones.", {"$ref": "#/$defs/question"}),
        "stages": _list("In the order in which they run.", {"$ref": "#/$defs/stage"}),
    },
)

PLAN_FILE_SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": f"urn:orchestrator:schema:workstream:{VERSION}",
    "title": "Plan file",
    "description": "One plan, or several that are submitted together (AD-3). What a PLAN.md can "
    "say can be said here; "
    "texts are Markdown. Members that are given twice are refused.",
    "type": "object",
    "additionalProperties": False,
    "required": ["schemaVersion"],
    "properties": {
        "schemaVersion": {"const": VERSION},
        "plan": {"$ref": "#/$defs/plan"},
        "plans": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/plan"}},
    },
    "oneOf": [{"required": ["plan"]}, {"required": ["plans"]}],
    "$defs": {
        "plan": _PLAN,
        "question": _QUESTION,
        "stage": _STAGE,
        "batch": _BATCH,
        "thread": _THREAD,
        "step": _STEP,
        "gate": _GATE,
    },
}
