"""Plans: the list and submitting (WF-2). The review that people decide on: `plan_review.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods

from orchestrator.core.changes.adoption import adoption_of
from orchestrator.core.errors import InvalidInput, Refusal, TooLarge
from orchestrator.core.plans.checks.checkpoints import checkpoints_of, with_remarks
from orchestrator.core.plans.formats import task_master
from orchestrator.core.plans.impossible import names_impossible
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.text.parameters import Parameter, parameters_of
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.terms import Format, VersionStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.plans import plans as queries
from orchestrator.queries.plans.judged import judged
from orchestrator.queries.plans.library import LibraryEntry, find_entry
from orchestrator.queries.plans.readings import checked, reading_of, turn_to_read
from orchestrator.services.base.form_keys import Made
from orchestrator.services.plans import plans
from orchestrator.services.plans.saved_workflows import usable
from orchestrator.services.plans.submissions import read_files
from orchestrator.services.plans.templates import source_of_tag, source_with_values
from orchestrator.services.plans.versions import Note
from orchestrator.web.acting import does, now, number_in, off, proceed, typed, viewer
from orchestrator.web.moments import typed_moment
from orchestrator.web.once import once
from orchestrator.web.plans import plan_files
from orchestrator.web.plans.format_names import FORMAT_NAMES
from orchestrator.web.show import show

PER_PAGE = 50
#: Characters of a text and of the one that it was made from, which one form carries.
MOST_CARRIED = 4 * 1024 * 1024
#: What a pasted plan is called when the person gives no name.
PASTED = "PLAN.md"
#: A field with the value of a parameter is called by this and the parameter's name.
VALUE = "value-"


@dataclass(frozen=True, slots=True)
class Origin:
    """The text that a plan was opened from as PLAN.md, and what it was called; both empty for none."""

    text: str = ""
    name: str = ""


@require_GET
def plan_list(request: HttpRequest) -> HttpResponse:
    """Plans waiting for review first, then the others."""
    wanted = queries.PlanFilter.from_query(request.GET)
    context = {
        "page_obj": Paginator(queries.latest_versions(wanted), PER_PAGE).get_page(request.GET.get("page")),
        "may_not_submit": off(plans.why_not_submit(None, viewer(request).actor)),
        "filters": wanted,
        "sort": wanted.sort,
        "unknown": wanted.unknown,
        "states": list(VersionStatus),
        "domains": queries.plan_domains(),
    }
    return show(request, "plans/list.html", context, parts=frozenset({"results"}))


@require_http_methods(["GET", "POST"])
def plan_submit(request: HttpRequest) -> HttpResponse:
    """Paste or upload; Check shows findings and preview and stores nothing, Submit registers the plan."""
    if request.method == "GET":
        return submit_page(request, workstream=_resubmitted(request))
    workstream = None
    try:
        workstream = _resubmitted(request)
        if workstream is None and plan_files.has_several(request):
            return plan_files.several(request, _wanted(request))
        source, name = _given_source(request)
        if tag := request.POST.get("tag", ""):
            source = source_of_tag(source, tag).decode()
        if request.POST.get("act") == "each":
            return plan_files.page(request, read_files({name: _bytes(source)}, _wanted(request)))
        source = _with_values(request, source)
        reason, note = typed(request, "change_reason"), _note(request)
        if request.POST.get("act") == "edit":
            return _edit_as_plan(request, source, name, workstream)
        if request.POST.get("checkpoints") == "remarks":
            source = with_remarks(_readable(source)) if _readable(source) else source
        if request.POST.get("act") == "check" or {"reading", "tag", "checkpoints"} & request.POST.keys():
            with turn_to_read(len(source)):
                return submit_page(request, source=source, name=name, workstream=workstream, laid_out=True)
    except Refusal as refusal:
        return submit_page(
            request, source=request.POST.get("source", ""), workstream=workstream, refusal=refusal
        )
    return _submitted(request, source, name, workstream, reason, note)


def _edit_as_plan(
    request: HttpRequest, source: str | bytes, name: str, workstream: Workstream | None
) -> HttpResponse:
    """The form with the canonical PLAN.md of the reading in it; nothing is stored."""
    with turn_to_read(len(source)):
        reading = checked(source, _wanted(request), name)
        if reading.plan is None:
            return submit_page(request, source=source, name=name, workstream=workstream, laid_out=True)
        text = render_plan(reading.plan, () if plans.why_not_adopt(workstream) else reading.progress)
        if len(text) + len(source) > MOST_CARRIED:
            raise TooLarge(
                "The plan is too large to be edited here together with its source.",
                recovery="Submit it as it is, then open it as PLAN.md from its review.",
                field="source",
            )
        return submit_page(
            request,
            source=text,
            name=PASTED,
            workstream=workstream,
            laid_out=True,
            form=Format.PLAN,
            origin=Origin(_readable(source), name),
        )


def _adopt(request: HttpRequest) -> bool:
    """Whether the state that the source tells is to be taken over.

    The box is ticked when the page is opened.
    """
    return request.method == "GET" or request.POST.get("adopt") == "yes"


def _submitted(
    request: HttpRequest,
    source: str | bytes,
    name: str,
    workstream: Workstream | None,
    reason: str,
    note: Note,
) -> HttpResponse:
    text = _bytes(source)
    try:
        if refusal := plans.why_not_submit(workstream, viewer(request).actor):
            raise refusal
        checked(text, _wanted(request))  # A long text is read before anything is locked, and kept read.
        made = once(request, partial(_submit, request, text, name, workstream, reason, note))
    except Refusal as refusal:
        return submit_page(
            request, source=source, name=name, workstream=workstream, refusal=refusal, laid_out=True
        )
    return proceed(request, made)


@does(plans.submit_plan)
def _submit(
    request: HttpRequest, text: bytes, name: str, workstream: Workstream | None, reason: str, note: Note
) -> Made:
    done = plans.submit_plan(
        source=text,
        source_name=name,
        actor=viewer(request).actor,
        now=now(),
        workstream=workstream,
        change_reason=reason,
        wanted=_wanted(request),
        adopt=_adopt(request),
        leave_needs=request.POST.get("leave_needs") == "yes",
        note=note,
    )
    then = reverse("plan-review", args=[done.version.workflow.slug, done.version.number])
    return Made(f"Version {done.version.number} is submitted and waits for review.", then)


def submit_page(
    request: HttpRequest,
    *,
    source: str | bytes = "",
    name: str = "",
    workstream: Workstream | None = None,
    refusal: Refusal | None = None,
    laid_out: bool = False,
    form: Format | None = None,
    origin: Origin | None = None,
) -> HttpResponse:
    """The form with what was typed; `laid_out` adds the findings and the preview of the source.

    `form` is the format that it is read in, instead of the one that was chosen; `origin` the text that the
    source was made from, instead of the one that the form brings.
    """
    wanted, review = form or _wanted(request), None
    may_adopt = not plans.why_not_adopt(workstream)
    if laid_out and source:
        reading = judged(checked(source, wanted, name), workstream=workstream)
        review = queries.lay_out(_readable(source), reading, adopts=may_adopt and _adopt(request))
    base = _base(request) if workstream is not None else None
    template = _template(request)
    if not source and base is not None and request.method == "GET":
        source, name = _text_of(base, request), base.source_name
    elif not source and template is not None and request.method == "GET":
        source = template.source
    context = {
        "source": _readable(source),
        "source_name": name or request.POST.get("source_name", ""),
        "change_reason": request.POST.get("change_reason", ""),
        "change_impact": request.POST.get("change_impact", ""),
        "wanted_effective_at": request.POST.get("wanted_effective_at", ""),
        "workstream": workstream,
        "base": base,
        "template": template,
        "parameters": _parameters(request, _readable(source)),
        "review": review,
        "formats": FORMAT_NAMES.items(),
        "wanted": wanted,
        "together": request.POST.get("together") or request.GET.get("together", ""),
        "adopt": _adopt(request),
        "may_adopt": may_adopt,
        "adoption": (adoption := adoption_of(review.reading) if review and _adopt(request) else None),
        "adopts_state": bool(adoption) and may_adopt,
        "found": review.reading.format if review else None,
        "origin": origin or _origin(request),
        "ways": review.reading.ways if review else (),
        "leave_needs": request.POST.get("leave_needs") == "yes",
        "may_leave_needs": review is not None and names_impossible(review.blockers),
        "tags": _tags(source, review.reading) if review else {},
        "checkpoints": checkpoints_of(review.reading) if review else 0,
        "may_edit": bool(review and review.reading.plan and review.reading.format is not Format.PLAN),
        "may_not_submit": off(plans.why_not_submit(workstream, viewer(request).actor)),
    }
    return show(request, "plans/submit.html", context, parts=frozenset({"submission"}), refusal=refusal)


def _tags(source: str | bytes, reading: Reading) -> Mapping[str, int]:
    """The tags of a file that holds several plans, with how many tasks each has: one of them is chosen."""
    several = reading.plan is None and reading.format is Format.TASK_MASTER
    return task_master.tags_in(_readable(source)) if several else {}


def _bytes(source: str | bytes) -> bytes:
    return source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source


def _resubmitted(request: HttpRequest) -> Workstream | None:
    """The workstream that the form makes a new version for; None for a new plan."""
    slug = request.POST.get("of") or request.GET.get("of", "")
    return queries.workstream_of(queries.find_version(slug)) if slug else None


def _base(request: HttpRequest) -> WorkflowVersion:
    """The version that a new one starts from: the one that the address names (`from`), or the newest."""
    slug = request.POST.get("of") or request.GET.get("of", "")
    given = request.POST.get("from") or request.GET.get("from", "")
    return queries.find_version(slug, number_in(given) or None)


def _text_of(version: WorkflowVersion, request: HttpRequest) -> str:
    """The text that a new version starts from: that of the old one, (`as=plan`) its canonical PLAN.md, or
    (`checkpoints=remarks`) the old one with its checkpoints as remarks.

    Boxes stay ticked as long as no task has a state of its own. The old version keeps its source in any case.
    """
    if request.GET.get("checkpoints") == "remarks":
        return with_remarks(version.source)
    reading = reading_of(version)
    if request.GET.get("as") != "plan" or reading.plan is None or version.format == Format.PLAN:
        return version.source
    begun = queries.workstream_of(version).tasks.exists()
    return render_plan(reading.plan, () if begun else reading.progress)


def _note(request: HttpRequest) -> Note:
    """What is said beside the reason: the impact, when the version is wanted in effect, and the workflow
    whose text was changed, unless a file was chosen instead of that text."""
    impact, moment = typed(request, "change_impact"), typed_moment(request, "wanted_effective_at")
    origin = _origin(request)
    template = None if request.FILES.get("file") else _template(request)
    if template is None:
        return Note(impact, moment, origin=origin.text, origin_name=origin.name)
    used = usable(template.name, template.number)
    return Note(impact, moment, used.name, used.number, origin.text, origin.name)


def _origin(request: HttpRequest) -> Origin:
    """The text that the plan was opened from as PLAN.md; a file that is chosen later has none."""
    if request.FILES.get("file"):
        return Origin()
    text = request.POST.get("origin", "").replace("\r\n", "\n")
    return Origin(text, typed(request, "origin_name")) if text.strip() else Origin()


def _wanted(request: HttpRequest) -> Format | None:
    """The format that the person chose; None when it is to be told from the content."""
    given = request.POST if request.method == "POST" else request.GET
    chosen_one = given.get("reading") or given.get("format", "")
    return Format(chosen_one) if chosen_one in set(Format) else None


def _given_source(request: HttpRequest) -> tuple[str | bytes, str]:
    """The pasted text, or the uploaded file when there is one (it wins), with its name."""
    upload = request.FILES.get("file")
    if isinstance(upload, UploadedFile) and upload.size:
        return upload.read(settings.PLAN_LIMIT + 1), upload.name or PASTED
    source = request.POST.get("source", "").replace("\r\n", "\n")
    if not source.strip():
        raise InvalidInput(
            "There is no plan yet.", recovery="Paste the text of a plan or choose a file.", field="source"
        )
    return source, typed(request, "source_name") or PASTED


def _template(request: HttpRequest) -> LibraryEntry | None:
    """The workflow of the library whose text the form starts from, in the version that was shown."""
    given = request.POST if request.method == "POST" else request.GET
    name, number = given.get("template", ""), given.get("template_number", "")
    return find_entry(name, number_in(number) or None) if name else None


def _with_values(request: HttpRequest, source: str | bytes) -> str | bytes:
    """The source with the values that were typed for the parameters it declares."""
    fields = {f"{VALUE}{parameter.name}": parameter.name for parameter in parameters_of(_readable(source))}
    given = {name: typed(request, field) for field, name in fields.items() if field in request.POST}
    return source_with_values(source, given).decode() if given else source


def _parameters(request: HttpRequest, source: str) -> list[Parameter]:
    """The parameters of the source, with what was typed for them."""
    given = request.POST
    return [
        replace(parameter, value=given.get(f"{VALUE}{parameter.name}", parameter.value))
        for parameter in parameters_of(source)
    ]


def _readable(source: str | bytes) -> str:
    """What the form shows of an uploaded file; one that is not text, or that is refused for its size, is not
    shown at all: a browser takes minutes over a field of many megabytes."""
    if len(source) > settings.PLAN_LIMIT:
        return ""
    if isinstance(source, str):
        return source
    try:
        return source.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return ""


urlpatterns: list[Any] = [
    path("plans/", plan_list, name="plans"),
    path("plans/submit/", plan_submit, name="plan-submit"),
]
