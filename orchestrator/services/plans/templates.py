"""What is done to a text before it is submitted like any other plan: the parameters of a template are given
values (AD-8), and of a file of several plans one is chosen.
"""

from collections.abc import Mapping

from orchestrator.core.errors import InvalidInput, PlanRejected
from orchestrator.core.findings import Finding
from orchestrator.core.plans.formats import task_master
from orchestrator.core.plans.text.parameters import with_values
from orchestrator.core.plans.text.source import decode_source


def source_with_values(source: bytes | str, values: Mapping[str, str]) -> bytes:
    """The source with these values written into its front matter, so that the text is complete in itself.

    PlanRejected when it is no text, InvalidInput when the values do not fit its parameters.
    """
    text = decode_source(source)
    if isinstance(text, Finding):
        raise PlanRejected((text,))
    return with_values(text, values).encode()


def source_of_tag(source: bytes | str, tag: str) -> bytes:
    """One tag of a task-master file as a file of its own.

    PlanRejected when it is no text, InvalidInput when it has no such tag.
    """
    text = decode_source(source)
    if isinstance(text, Finding):
        raise PlanRejected((text,))
    tags = task_master.tags_in(text)
    if tag not in tags:
        known = ", ".join(list(tags)[:10])
        raise InvalidInput(
            f"The plan has no tag “{tag[:60]}” with tasks.",
            recovery=f"Choose one of {known}." if known else "Leave the tag out: the plan has none.",
            field="tag",
        )
    return task_master.only(text, [tag])[0].encode()
