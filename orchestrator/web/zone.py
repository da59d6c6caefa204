"""The time zone that pages, forms and exports use."""

from zoneinfo import ZoneInfo

from django.conf import settings


def project_zone() -> ZoneInfo:
    """The zone that the setting PROJECT_TIME_ZONE names."""
    return ZoneInfo(settings.PROJECT_TIME_ZONE)
