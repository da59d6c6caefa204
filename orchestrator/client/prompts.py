"""Prompts: what a coding agent is told of a step, or of a merge that stands open before it."""

from typing import Any, Final

from orchestrator.client.brief_text import brief_lines

HOW: Final = """
How to work:
- Work only in this folder, and only on the files that are yours. Commit if you like; what is left
  uncommitted is committed for you.
- When everything is done, end with these lines and nothing after them:
  PROOF <id>: <how you proved the criterion with this id: what you ran and what it said>   (one line for each)
  <one sentence: what was done and how it was checked>
- If a person has to decide first, end with one line: ASK: <the question, with what the person needs to know>
- If it cannot be done, say why and exit with an error.
"""


MERGE: Final = """In this folder stands a merge of the work of two earlier steps that does not fit together.
Resolve it, and do nothing beside it: keep what both sides meant, `git add` (or `git rm`) each file below, and
leave no marks. Do not commit and do not abort the merge."""


def step_prompt(claim: dict[str, Any], answer: str) -> str:
    """The brief, and what a person answered to the last question; empty where none was asked."""
    brief = "\n".join(brief_lines(claim, in_place=True))
    answered = f"\nYou asked a person. The answer: {answer}\n" if answer else ""
    return f"Do this step of a plan, and nothing beside it.\n{brief}\n{answered}{HOW}"


def merge_prompt(clash: dict[str, Any]) -> str:
    """The files in which the work of two earlier steps does not fit together."""
    files = "\n".join(f"  {one['path']}: {one['said']}" for one in clash["files"])
    return f"{MERGE}\n{files}\n\n{clash['way_on']}\n"
