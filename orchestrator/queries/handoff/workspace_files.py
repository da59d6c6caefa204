"""Files of one workstream in the workspace, read-only (WF-4, WF-7)."""

from dataclasses import dataclass

from django.conf import settings

from orchestrator.core.errors import NotFound
from orchestrator.core.terms import ArtifactState
from orchestrator.models import HandoffArtifact, OutputFile, Workstream
from orchestrator.workspace import FileDamage, Workspace

#: Files every workstream has, beside its outputs and artifacts (WF-7).
STATE_FILES = ("PLAN.md", "tasks.json", "EXECUTION-DASHBOARD.md", "LEARNINGS.md")
LISTED = 500


@dataclass(frozen=True, slots=True)
class WorkspaceFile:
    path: str
    what: str


def files_of(workstream: Workstream) -> list[WorkspaceFile]:
    """State files, then outputs, then artifacts, newest first.

    Evidence that was never committed is none of them.
    """
    state = [WorkspaceFile(f"workstreams/{workstream.slug}/{name}", "state file") for name in STATE_FILES]
    handed_over = HandoffArtifact.objects.filter(workstream=workstream).exclude(
        state=ArtifactState.QUARANTINED
    )
    outputs = OutputFile.objects.filter(artifact__in=handed_over).order_by("path")
    artifacts = handed_over.order_by("-sequence")
    return [
        *(file for file in state if _content_on_branch(file.path) is not None),
        *(
            WorkspaceFile(path, "output")
            for path in outputs.values_list("path", flat=True).distinct()[:LISTED]
        ),
        *(
            WorkspaceFile(path, "handoff artifact")
            for path in artifacts.values_list("path", flat=True)[:LISTED]
        ),
    ]


def file_of(workstream: Workstream, path: str) -> bytes:
    """The file as it stands in the workspace; NotFound for a path of another workstream or a damaged file."""
    folders = (f"workstreams/{workstream.slug}/", f"docs/{workstream.slug}/")
    parts = path.split("/")
    if not path.startswith(folders) or "\x00" in path or any(part in {"", ".", ".."} for part in parts):
        raise NotFound(
            "This file does not belong to the workstream.", recovery="Choose a file from the list."
        )
    content = _content_on_branch(path)
    if content is None:
        raise NotFound(
            f"{path} is not in the workspace.", recovery="Open the workstream: it shows what is wrong."
        )
    return content


def _content_on_branch(path: str) -> bytes | None:
    try:
        return Workspace(settings.WORKSPACE_DIR).read(path)
    except FileDamage:
        return None
