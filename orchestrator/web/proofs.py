"""An entry of the history with its proof, the proofs of a gate, and what they are checked with (FR-009)."""

from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from orchestrator import proofs as checkers
from orchestrator.core.errors import InvalidInput, Refusal
from orchestrator.models import HistoryEntry, Workstream
from orchestrator.queries.base.sealed import checkpoint_behind
from orchestrator.services.sealing.corrections import correct_entry
from orchestrator.services.sealing.proofs import Proof, entries_about, entry_of, proof_of
from orchestrator.services.sealing.reports import report_of, sealed_report
from orchestrator.web.acting import act_of, does, now, perform, typed, viewer
from orchestrator.web.show import show
from orchestrator.web.unseen import shown

#: What proofs are checked with: the script, and the page that needs no network.
CHECKERS = {"verify.py": "text/x-python; charset=utf-8", "verify.html": "text/html; charset=utf-8"}


@require_safe
def entry(request: HttpRequest, sequence: int) -> HttpResponse:
    return _entry(request, entry_of(sequence))


def _entry(request: HttpRequest, row: HistoryEntry, refusal: Refusal | None = None) -> HttpResponse:
    context = {
        "entry": row,
        "sealed": checkpoint_behind(row.sequence),
        "corrections": row.corrections.order_by("sequence"),
        "workstream": row.workstream,
        "may_not_correct": viewer(request).lacks(correct_entry),
    }
    status = refusal.status if refusal else 200
    return show(request, "history/entry.html", context, refusal=refusal, status=status)


@act_of("history-entry", "sequence")
def correct(request: HttpRequest, sequence: int) -> HttpResponse:
    """Say what is right instead."""
    row = entry_of(sequence)
    return perform(
        request,
        partial(_correct, request, sequence),
        then=reverse("history-entry", args=[sequence]),
        again=partial(_entry, request, row),
    )


@does(correct_entry)
def _correct(request: HttpRequest, sequence: int) -> str:
    correct_entry(sequence=sequence, reason=typed(request, "reason"), actor=viewer(request).actor, now=now())
    return "The correction is recorded; both entries name each other."


@require_safe
def entry_proof(request: HttpRequest, sequence: int, form: str) -> HttpResponse:
    """A file: JSON, or the text of C2SP's `tlog-proof`. `since` is the size of a checkpoint that the reader
    kept."""
    found = proof_of([entry_of(sequence)], _since(request))
    return _file(found, f"entry-{sequence}", form)


@require_safe
def step_proof(request: HttpRequest, uuid: UUID, key: str) -> HttpResponse:
    """Every entry about a gate or a step, with one checkpoint."""
    workstream = get_object_or_404(Workstream, uuid=uuid)
    return _file(
        proof_of(entries_about(workstream, key), _since(request)), f"{workstream.slug}-{key}", "json"
    )


def _since(request: HttpRequest) -> int | None:
    given = request.GET.get("since", "")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        raise InvalidInput("The size of the checkpoint that you kept is a whole number.", field="since")
    return int(given)


def _file(found: Proof, name: str, form: str) -> HttpResponse:
    kind, content = ("json", found.as_json) if form == "json" else ("plain", found.as_text)
    types = {"json": "application/json", "plain": "text/plain; charset=utf-8"}
    response = HttpResponse(content, content_type=types[kind])
    response["Content-Disposition"] = f'attachment; filename="proof-{name}.{form}"'
    return response


@require_safe
def report(_request: HttpRequest, uuid: UUID) -> HttpResponse:
    """One file, to be kept and printed: it proves itself."""
    workstream = get_object_or_404(Workstream, uuid=uuid)
    found = report_of(workstream)
    with timezone.override(UTC):
        # As every page shows it, before it is signed: behind that nothing of it may change.
        html = shown(render_to_string("workstreams/report.html", {"report": found}))
    response = HttpResponse(sealed_report(found, html), content_type="text/html; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="report-{workstream.slug}.html"'
    return response


@require_safe
def checker(_request: HttpRequest, name: str) -> FileResponse:
    """As a file to keep: it is used where nobody can reach this server."""
    folder = Path(checkers.__file__).parent
    return FileResponse(
        (folder / name).open("rb"), as_attachment=True, filename=name, content_type=CHECKERS[name]
    )


def _checker(name: str) -> Any:
    return path(f"proofs/{name}", checker, {"name": name}, name=f"checker-{name.partition('.')[2]}")


urlpatterns = [
    path("history/<int:sequence>/", entry, name="history-entry"),
    path("history/<int:sequence>/proof.json", entry_proof, {"form": "json"}, name="entry-proof"),
    path("history/<int:sequence>/proof.txt", entry_proof, {"form": "txt"}, name="entry-proof-text"),
    path("history/<int:sequence>/correct", correct, name="correct-entry"),
    path("workstreams/<uuid:uuid>/tasks/<str:key>/proof.json", step_proof, name="step-proof"),
    path("workstreams/<uuid:uuid>/report.html", report, name="workstream-report"),
    *map(_checker, CHECKERS),
]
