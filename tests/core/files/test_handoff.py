"""What an artifact says and which names may stand in the workspace (FR-014, B1 to B10)."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import jsonschema
import pytest

from orchestrator.core.errors import InvalidInput
from orchestrator.core.files.handoff import (
    PATH_LENGTH,
    FileLink,
    Handoff,
    OutputPlace,
    artifact_path,
    artifact_value,
    check_output_name,
    output_paths,
    timestamp,
)
from orchestrator.core.terms import EventType, StageKind

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "orchestrator/schema/handoff-artifact.schema.json").read_text()
)
PLACE = OutputPlace("login", "stage-1-build", "01-setup", "a-auth")
HANDOFF = Handoff(
    work_item="3f0f4c6e-7d0e-4f36-9f0e-3f0f4c6e7d0e",
    workflow="Login",
    version=2,
    step_key="A1",
    order=(1, 2, 3),
    event=EventType.ATTEMPT_COMPLETED,
    attempt="login/A1/1",
    at=datetime(2026, 11, 20, 10, 0, tzinfo=timezone(timedelta(hours=1))),
    actor="builder-1 (agent of carl)",
    executor="builder-1",
    account="carl",
    kind="agent",
    outcome="Done.",
    proof="asserted",
    next_action="Go on.",
    integrated=True,
    links=(FileLink("workstreams/login/handoffs/000001-A1-attempt-queued.json", "a" * 64),),
    outputs=(FileLink("workstreams/login/files/x", "b" * 64),),
)


def test_every_field_of_fr_014_is_there() -> None:
    assert artifact_value(HANDOFF) == {
        "schemaVersion": "1.0",
        "workItemId": "3f0f4c6e-7d0e-4f36-9f0e-3f0f4c6e7d0e",
        "workflow": {"name": "Login", "version": 2},
        "step": {"key": "A1", "order": [1, 2, 3]},
        "eventType": "attempt-completed",
        "attemptId": "login/A1/1",
        "timestamp": "2026-11-20T09:00:00.000000Z",
        "actor": "builder-1 (agent of carl)",
        "executor": "builder-1",
        "account": "carl",
        "actorKind": "agent",
        "outcome": "Done.",
        "proof": "asserted",
        "nextAction": "Go on.",
        "baselineIntegration": "post",
        "links": [{"path": "workstreams/login/handoffs/000001-A1-attempt-queued.json", "sha256": "a" * 64}],
        "outputs": [{"path": "workstreams/login/files/x", "sha256": "b" * 64}],
    }


def test_the_schema_accepts_it_and_asks_for_every_field() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    value = artifact_value(HANDOFF)
    assert validator.is_valid(value)
    for field in value:
        assert not validator.is_valid({key: each for key, each in value.items() if key != field}), field
        assert not validator.is_valid(value | {field: 7}), field
    assert not validator.is_valid(value | {"extra": "field"})


def test_the_schema_knows_exactly_our_events() -> None:
    assert SCHEMA["properties"]["eventType"]["enum"] == [event.value for event in EventType]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("A1", "000007-A1-gate-approved.json"),
        ("01.02/../x y", "000007-01-02-x-y-gate-approved.json"),
        ("測試", "000007-step-gate-approved.json"),
    ],
)
def test_artifact_names_are_safe_whatever_the_key(key: str, name: str) -> None:
    assert (
        artifact_path("login", 7, key, EventType.GATE_APPROVED) == f"workstreams/login/handoffs/0000/{name}"
    )


@pytest.mark.parametrize(("sequence", "folder"), [(99, "0000"), (100, "0001"), (1234567, "12345")])
def test_artifacts_stand_in_folders_of_a_hundred(sequence: int, folder: str) -> None:
    path = artifact_path("login", sequence, "A1", EventType.ATTEMPT_COMPLETED)
    assert path.split("/")[-2] == folder


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (PLACE, "workstreams/login/files/stage-1-build/01-setup/a-auth/api/v1.md"),
        (
            OutputPlace("login", "stage-3-docs", "01-write", "d", StageKind.DOCUMENTATION),
            "docs/login/api/v1.md",
        ),
        (OutputPlace("login", "stage-1-build", "99-document", "d"), "docs/login/api/v1.md"),
    ],
)
def test_wf6_wf7_outputs_stand_by_stage_batch_and_thread_and_documentation_apart(
    place: OutputPlace, path: str
) -> None:
    assert output_paths(place, ["api/v1.md"]) == {"api/v1.md": path}


@pytest.mark.parametrize(
    "name",
    [
        "report.md",
        "notes/api v2.md",
        ".env.example",
        "a..b",
        "測試.txt",
        "e\u0301te\u0301.md",
        "x" * 255,
        "-rf",
    ],
)
def test_ordinary_names_are_taken(name: str) -> None:
    assert check_output_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "../escape",
        "a/../../escape",
        "a/./b",
        "/etc/passwd",
        "a//b",
        "",
        "folder/",
        "C:\\x",
        "a\\..\\b",
        "file:stream",
        "nul\0byte",
        "line\nbreak",
        ".git/config",
        "a/.GIT/hooks/post-commit",
        ".gitmodules",
        "GIT~1/config",
        ".g\u200cit/config",
        "x" * 256,
        "測" * 100,
        "report\u202egpj.exe",
        "zero\u200bwidth",
        "\ufeffbom",
        "soft\u00adhyphen",
        "half\ud800",
        "private\ue000",
        "line\u2028separator",
        "space /x",
        " x",
        "dot./x",
    ],
)
def test_b1_to_b10_other_names_are_refused_by_field(name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_output_name(name)
    assert refusal.value.details["field"] == "outputs"
    assert refusal.value.message.startswith("outputs: ")
    refusal.value.message.encode()


def test_b9_two_spellings_of_one_name_are_one_file() -> None:
    assert next(iter(output_paths(PLACE, ["e\u0301.md"]).values())).endswith("/\u00e9.md")
    with pytest.raises(InvalidInput, match="same file"):
        output_paths(PLACE, ["\u00e9.md", "e\u0301.md"])


@pytest.mark.parametrize("names", [["a", "a/b"], ["a/b/c", "a/b"]])
def test_one_output_is_never_the_folder_of_another(names: list[str]) -> None:
    with pytest.raises(InvalidInput, match="folder"):
        output_paths(PLACE, names)


def test_a_path_that_the_register_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidInput, match=str(PATH_LENGTH)):
        output_paths(PLACE, ["/".join(["folder"] * 60)])


def test_timestamps_are_utc_and_of_one_width() -> None:
    assert timestamp(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)) == "2026-01-02T03:04:05.000006Z"
