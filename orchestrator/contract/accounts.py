"""What became of every line of a plan's text that looks like work (WF-2, AD-1)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AccountFacts:
    """How a text was read, line by line; `sentence` says it for people.

    `lines` is how many lines look like work or like a dependency: so many of them are `steps`, `headings` of
    steps, `details` of a step or a dependency that the plan has, and so many are `named_in_findings`.
    `kept_as_text` are the numbers of lines that stand in the text of the plan and in no step, `unread` those
    of lines that are in no part of the plan. Lines count from 1.
    """

    sentence: str
    lines: int
    steps: int
    headings: int
    details: int
    named_in_findings: int
    kept_as_text: tuple[int, ...]
    unread: tuple[int, ...]
