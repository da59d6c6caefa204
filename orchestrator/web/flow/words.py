"""Figures of the flow as people read them: rounded here and nowhere else."""

from datetime import date, timedelta

DAY, HOUR, MINUTE = 86_400, 3_600, 60


def span_words(span: timedelta | None) -> str:
    """A length of time in its largest fitting unit: "12.6 days", "3.2 hours", "40 minutes"; a dash without
    one."""
    if span is None:
        return "–"
    number, unit = span_parts(span)
    return f"{number} {unit}"


def span_parts(span: timedelta) -> tuple[str, str]:
    """Number and unit of a length of time."""
    seconds = span.total_seconds()
    for size, unit in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= size:
            number = f"{seconds / size:.1f}".removesuffix(".0")
            return number, unit if number == "1" else f"{unit}s"
    return f"{seconds:.0f}", "second" if round(seconds) == 1 else "seconds"


def days(span: timedelta) -> float:
    return span.total_seconds() / DAY


def percent(share: float | None) -> str:
    """A share as whole per cent; a dash where there is nothing to divide by."""
    return "–" if share is None else f"{100 * share:.0f} %"


def day_words(day: date) -> str:
    return f"{day.day} {day:%b}"


def counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
