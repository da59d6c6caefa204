"""Moments that people type, in the project time zone (FR-016)."""

from datetime import UTC, datetime

from django.http import HttpRequest

from orchestrator.core.errors import InvalidInput
from orchestrator.models import WorkflowVersion
from orchestrator.web.acting import typed
from orchestrator.web.zone import project_zone


def typed_moment(request: HttpRequest, field: str) -> datetime | None:
    """The moment of a `datetime-local` field; None when it is empty.

    A time that the clock change skips is later.
    """
    text = typed(request, field)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=project_zone())
        # It is stored as UTC and shown in the project's zone: a moment at the ends of the calendar is in
        # neither.
        moment.astimezone(UTC), moment.astimezone(project_zone())
    except (ValueError, OverflowError):
        message = f"{text[:40]} is no date with a time."
        raise InvalidInput(message, recovery="Write it like 2026-03-04T12:00.", field=field) from None
    return moment


def as_typed(moment: datetime) -> str:
    """A moment as a `datetime-local` field holds it."""
    return moment.astimezone(project_zone()).strftime("%Y-%m-%dT%H:%M")


def wanted_moment(version: WorkflowVersion, now: datetime) -> str:
    """When the submitter wants a version in effect, for the approver's field.

    Empty when that is over or not said.
    """
    wanted = version.wanted_effective_at
    return as_typed(wanted) if wanted and wanted > now else ""
