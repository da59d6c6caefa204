"""Dates of the administration, like those of the pages: 4 Mar 2026, 12:00 UTC."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i T"
