"""Templates: a plan with parameters is given values and is then submitted like any other plan (AD-8)."""

from collections.abc import Mapping

from orchestrator.core.errors import PlanRejected
from orchestrator.core.findings import Finding
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
