"""What machines read of the library (AD-8)."""

from orchestrator.contract.library import LibraryFacts, ParameterFacts, WorkflowFacts
from orchestrator.queries.plans.library import LibraryEntry, find_entry, library


def library_facts(words: str = "", *, archived: bool = False) -> LibraryFacts:
    """Every workflow with these words, saved ones first."""
    found = tuple(_facts(entry) for entry in library(words, archived=archived))
    return LibraryFacts(len(found), found)


def workflow_facts(name: str, version: int | None = None) -> WorkflowFacts:
    """One workflow with its text."""
    entry = find_entry(name, version)
    return _facts(entry, entry.source)


def _facts(entry: LibraryEntry, source: str | None = None) -> WorkflowFacts:
    made = entry.made
    return WorkflowFacts(
        name=entry.name,
        title=entry.title,
        description=entry.description,
        summary=entry.summary,
        version=entry.number,
        parameters=tuple(
            ParameterFacts(parameter.name, parameter.value, parameter.hint) for parameter in entry.parameters
        ),
        stages=entry.shape.stages,
        steps=entry.shape.steps,
        gates=entry.shape.gates,
        threads=entry.shape.threads,
        used=entry.used,
        saved_by=made.by if made else "",
        saved_at=made.at if made else None,
        plan=made.plan if made else "",
        plan_version=made.plan_version if made else None,
        archived=entry.archived_at is not None,
        source=source,
    )
