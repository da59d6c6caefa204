"""Several files on the page that submits plans: each shown as it was read, then submitted, one by one or as a
bundle.

What was read travels in the form, so that what is submitted is what was shown (WF-2, AD-3).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from orchestrator.core.errors import BundleRejected, InvalidInput, Refusal
from orchestrator.core.plans.formats.folder import sources_of
from orchestrator.core.plans.impossible import names_impossible
from orchestrator.core.terms import Format
from orchestrator.services.base.form_keys import Made
from orchestrator.services.plans.bundles import PlanFile, submit_bundle
from orchestrator.services.plans.submissions import Outcome, ReadFiles, read_files, submit_each
from orchestrator.web.acting import does, now, proceed, typed, viewer
from orchestrator.web.once import once
from orchestrator.web.show import show

#: Texts of all plans of one form; what is more goes over the command line.
MOST_BYTES: Final = 4 * 1024 * 1024


def has_several(request: HttpRequest) -> bool:
    """Whether the form brings more than one plan.

    Several files, one that holds several, or those that were shown.
    """
    if "plan-source" in request.POST:
        return True
    uploads = _uploads(request)
    if len(uploads) != 1 or not (uploads[0].name or "").endswith((".json", ".jsonl")):
        return len(uploads) > 1
    data = uploads[0].read(settings.PLAN_LIMIT + 1)
    uploads[0].seek(0)
    return len(sources_of({uploads[0].name or "": data}).plans) > 1


def several(request: HttpRequest, wanted: Format | None) -> HttpResponse:
    """Files are read and shown; what was shown is submitted, or shown again with what keeps it out."""
    if "plan-source" not in request.POST:
        return page(request, _read_uploads(request, wanted))
    names, sources = request.POST.getlist("plan-name"), request.POST.getlist("plan-source")
    if len(names) != len(sources):
        raise InvalidInput("The form came in parts.", recovery="Choose the files again.", field="file")
    found = read_files({n: _text(s) for n, s in zip(names, sources, strict=True)}, wanted)
    if request.POST.get("act") == "check":
        return page(request, found)
    adopt, leave_needs = (request.POST.get(name) == "yes" for name in ("adopt", "leave_needs"))
    files = [replace(plan.file, adopt=adopt, leave_needs=leave_needs) for plan in found.plans]
    if request.POST.get("together") == "bundle":
        return _as_bundle(request, found, files)
    return _each(request, found, files)


def _as_bundle(request: HttpRequest, found: ReadFiles, files: Sequence[PlanFile]) -> HttpResponse:
    try:
        made = once(request, partial(_submit_bundle, request, files))
    except Refusal as refusal:
        return page(request, found, refusal=refusal)
    return proceed(request, made)


@does(submit_bundle)
def _submit_bundle(request: HttpRequest, files: Sequence[PlanFile]) -> Made:
    name = typed(request, "bundle")
    done = submit_bundle(name=name, files=files, actor=viewer(request).actor, now=now())
    said = f"{len(done.members)} plans are submitted; each waits for its review."
    return Made(said, reverse("bundle", args=[done.bundle.pk]))


def _each(request: HttpRequest, found: ReadFiles, files: Sequence[PlanFile]) -> HttpResponse:
    """What was submitted leaves the form, so that nobody submits it twice."""
    outcomes: list[Outcome] = []

    try:
        made = once(request, partial(_submit_each, request, files, outcomes), several=True)
    except Refusal as refusal:
        return page(request, found, refusal=refusal)
    refused = {outcome.name for outcome in outcomes if outcome.refusal}
    if not refused:
        return proceed(request, made)
    rest = replace(found, plans=tuple(plan for plan in found.plans if plan.file.name in refused), left_out=())
    return page(request, rest, outcomes)


@does(submit_each)
def _submit_each(request: HttpRequest, files: Sequence[PlanFile], outcomes: list[Outcome]) -> Made:
    """What became of each file is added to `outcomes`."""
    outcomes.extend(submit_each(files=files, actor=viewer(request).actor, now=now()))
    count = sum(1 for outcome in outcomes if outcome.submission)
    said = f"{count} plan{' is' if count == 1 else 's are'} submitted; each waits for its review."
    return Made(said, reverse("plans"))


def page(
    request: HttpRequest, found: ReadFiles, outcomes: Sequence[Outcome] = (), refusal: Refusal | None = None
) -> HttpResponse:
    """What was read.

    Plans that need one another are proposed as a bundle: alone, one of them would be refused.
    """
    rejected = refusal.findings if isinstance(refusal, BundleRejected) else {}
    refused = {outcome.name: outcome for outcome in outcomes if outcome.refusal}
    context = {
        "found": found,
        "rows": [
            {
                "plan": plan,
                "outcome": refused.get(plan.file.name),
                "held_up_by": rejected.get(plan.file.name, plan.refused),
            }
            for plan in found.plans
        ],
        "submitted": [outcome for outcome in outcomes if outcome.submission],
        "tells_state": any(plan.adoption for plan in found.plans),
        "adopt": "plan-source" not in request.POST or request.POST.get("adopt") == "yes",
        "leave_needs": request.POST.get("leave_needs") == "yes",
        "may_leave_needs": any(names_impossible(plan.reading.blockers) for plan in found.plans),
        "held_back": bool(rejected),
        "together": request.POST.get("together") or ("bundle" if found.need_one_another else "each"),
        "bundle": request.POST.get("bundle", ""),
        "wanted": request.POST.get("format", ""),
        "may_not_submit": viewer(request).lacks(submit_each),
    }
    return show(request, "plans/several.html", context, parts=frozenset({"submission"}), refusal=refusal)


def _read_uploads(request: HttpRequest, wanted: Format | None) -> ReadFiles:
    files: dict[str, bytes] = {}
    for upload in _uploads(request):
        name = upload.name or "PLAN.md"
        if name in files:
            raise InvalidInput(
                f"Two files are called {name}.",
                recovery="Submit them one after the other, or their folder with manage.py submit_plan.",
                field="file",
            )
        files[name] = upload.read(settings.PLAN_LIMIT + 1).replace(b"\r\n", b"\n")
    if sum(len(data) for data in files.values()) > MOST_BYTES:
        raise InvalidInput(
            f"The files are larger than {MOST_BYTES // 1024 // 1024} MB together.",
            recovery="Submit fewer at once, or their folder with manage.py submit_plan.",
            field="file",
        )
    return read_files(files, wanted)


def _uploads(request: HttpRequest) -> "list[UploadedFile[Any]]":
    return [file for file in request.FILES.getlist("file") if isinstance(file, UploadedFile)]


def _text(source: str) -> bytes:
    return source.replace("\r\n", "\n").encode("utf-8", "surrogatepass")
