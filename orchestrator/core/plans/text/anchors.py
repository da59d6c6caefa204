"""Where a comment on one version of a text stands in another (WF-3).

A comment on a line follows it as long as it is there unchanged, wherever it went; it is outdated when the
line was changed or is gone. A comment on a step follows the step's key.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from orchestrator.core.plans.text.line_diff import unchanged


def follow(lines: Iterable[int], old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """1-based lines of the old text -> the same lines of the new one; what is outdated is left out.

    A line that was moved is found again when its text stands once in both texts and says something.
    """
    wanted = [line for line in dict.fromkeys(lines) if 0 < line <= len(old)]
    kept = {a + 1: b + 1 for a, b in unchanged(old, new)}
    found = {line: kept[line] for line in wanted if line in kept}
    if len(found) < len(wanted):
        in_old, in_new = Counter(old), Counter(new)
        for line in wanted:
            text = old[line - 1]
            if line not in found and text.strip() and in_old[text] == in_new[text] == 1:
                found[line] = new.index(text) + 1
    return found
