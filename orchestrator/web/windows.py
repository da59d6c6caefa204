"""The seven windows of time as filters say them (LC-4)."""

from typing import Final

from orchestrator.core.terms import TimeWindow

WINDOW_WORDS: Final = {
    TimeWindow.LAST_HOUR: "1 hour",
    TimeWindow.LAST_DAY: "24 hours",
    TimeWindow.LAST_WEEK: "7 days",
    TimeWindow.LAST_MONTH: "30 days",
    TimeWindow.TODAY: "Today",
    TimeWindow.THIS_WEEK: "This week",
    TimeWindow.THIS_MONTH: "This month",
}
