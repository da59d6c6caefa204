"""What work on a repository taught, whichever workstream it was in (BX-7)."""

from django.db.models import Q, QuerySet

from orchestrator.models import Learning, Workstream

#: Learnings of other workstreams that a brief has, the newest.
OF_OTHERS = 50
_SAID = ~Q(went_wrong="", worked="", tighten="")


def learned_on(repository: str) -> QuerySet[Learning]:
    """Learnings of every workstream whose plan names the repository, oldest first. Those without a word,
    which say that there was nothing to record, are left out.
    """
    rows = Learning.objects.filter(_SAID, workstream__version__repository=repository)
    return rows.select_related("workstream").order_by("recorded_at", "pk")


def learned_for(workstream: Workstream) -> list[Learning]:
    """What a brief of the workstream tells.

    The newest of what others taught on its repository, then its own, each oldest first.
    """
    own = Learning.objects.filter(_SAID, workstream=workstream).select_related("workstream")
    repository = workstream.version.repository
    if not repository:
        return list(own)
    others = learned_on(repository).exclude(workstream=workstream).reverse()[:OF_OTHERS]
    return [*reversed(others), *own]


def repositories_with_learnings() -> list[tuple[str, str]]:
    """Repository and base branch of the workstreams that taught something, each once, by name."""
    said = Learning.objects.filter(_SAID).exclude(workstream__version__repository="")
    pairs = said.order_by().values_list("workstream__version__repository", "workstream__version__base_branch")
    return sorted(set(pairs))
