"""Why a task or a workstream is not moving: the chain to its root, with the rows that say since when.

Requirements: FR-015.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.urls import reverse

from orchestrator.contract.why import AlsoInTheWay, WaitingLink, WaitingRoot, WhyFacts
from orchestrator.core.engine import chain_words, explain
from orchestrator.core.engine.why import Chain, Point, Standing, Station, also_in_the_way, behind, chain
from orchestrator.core.terms import Reason, Role, RootKind
from orchestrator.models import Task, Workstream
from orchestrator.queries.base.used import asks_about_budget
from orchestrator.queries.engine.explanations import Explained, explained
from orchestrator.queries.engine.needs import needing
from orchestrator.queries.work.claimers import Claimers, claimers_of, names_in
from orchestrator.queries.work.duplicates import undecided
from orchestrator.queries.work.since import Since, hold_since

#: Links that are told of a chain, at either end; names of what waits behind its root.
ENDS: Final = 20
FIRST: Final = 10
ANSWER_FIRST: Final = "answer the question that the plan leaves open, in a new version, or send it back"

#: The roles that are expected to free each kind of root; services know them.
Freers = Mapping[RootKind, Collection[Role]]


class Waiting:
    """The workstreams that chains meet, each read once."""

    def __init__(self, freers: Freers, now: datetime, *known: Explained) -> None:
        self._freers, self._now = freers, now
        self._read: dict[str, Explained | None] = {one.workstream.slug: one for one in known}
        self._standing: dict[str, Standing] = {}

    def of_task(self, workstream: Workstream, key: str) -> WhyFacts:
        """Of a task of the version in effect; one that a later version dropped waits for nothing."""
        return self._facts(Point(workstream.slug, key), workstream)

    def of_workstream(self, workstream: Workstream) -> WhyFacts:
        return self._facts(Point(workstream.slug), workstream)

    def _facts(self, start: Point, workstream: Workstream) -> WhyFacts:
        if workstream.slug not in self._read:
            self._read[workstream.slug] = explained(workstream, self._now)
        found = chain(start, self._look)
        if not found.links:
            found = Chain((Station(start, Reason.DONE, explain.DROPPED),), RootKind.NOTHING)
        shown = found.links if len(found.links) <= 2 * ENDS else (*found.links[:ENDS], *found.links[-ENDS:])
        rows = {link.at: row for link in shown if (row := self._task(link.at))}
        since = Since([row.pk for row in rows.values()])
        links = [self._link(link, rows.get(link.at), since) for link in shown]
        root = self._root(found, links[-1], rows.get(found.root.at), since)
        links[-1] = replace(links[-1], since=root.since)
        also = self._also(start, found)
        return WhyFacts(
            workstream=start.workstream,
            key=start.key,
            sentence=self._sentence(found, start, root, [one.key for one in also]),
            links=tuple(links),
            left_out=len(found.links) - len(shown),
            root=root,
            also=also[:FIRST],
        )

    def _look(self, slug: str) -> Standing | None:
        if slug not in self._standing:
            found = self._explained(slug)
            if found is None:
                return None
            self._standing[slug] = found.standing()
        return self._standing[slug]

    def _explained(self, slug: str) -> Explained | None:
        if slug not in self._read:
            rows = Workstream.objects.select_related("version__workflow").defer("version__source")
            row = rows.filter(slug=slug).first()
            self._read[slug] = explained(row, self._now) if row else None
        return self._read[slug]

    def _workstream(self, at: Point) -> Workstream:
        found = self._explained(at.workstream)
        assert found is not None, "a link stands in a workstream that was read"
        return found.workstream

    def _task(self, at: Point) -> Task | None:
        found = self._explained(at.workstream)
        return found.loaded.tasks.get(at.key) if found else None

    def _link(self, link: Station, task: Task | None, since: Since) -> WaitingLink:
        workstream = self._workstream(link.at)
        if task is None:
            at, title = hold_since(workstream, link.reason), workstream.title
        else:
            holder = self._verdict_holder(link.at)
            at, title = since.of(task, link.reason, holder), task.step.title
        return WaitingLink(
            workstream=link.at.workstream,
            key=link.at.key,
            title=title,
            reason=link.reason.value if link.reason else "",
            sentence=link.sentence,
            since=at,
            address=_page_of(workstream, task),
        )

    def _verdict_holder(self, at: Point) -> str:
        standing = self._look(at.workstream)
        return standing.verdicts[at.key].holder if standing else ""

    def _beside(self, start: Point) -> tuple[str, ...]:
        """What the task asked about waits for as well."""
        standing = self._look(start.workstream)
        verdict = standing.verdicts.get(start.key) if standing else None
        return verdict.beside if verdict else ()

    def _root(self, found: Chain, link: WaitingLink, task: Task | None, since: Since) -> WaitingRoot:
        kind, at = found.kind, found.root.at
        workstream = self._workstream(at)
        asked, claimers = self._freed_by(kind, at, task)
        waiting = self._behind(kind, at)
        return WaitingRoot(
            kind=kind,
            workstream=at.workstream,
            key=at.key,
            title=link.title,
            stands=explain.root_stands(
                kind,
                self._detail(kind, at, claimers),
                found.root.sentence,
                since.owner_of(task.pk) if task else "",
            ),
            since=since.of_root(task.pk, kind) if task else link.since,
            freed_by=asked,
            people=() if kind is RootKind.RUNNING else names_in(asked),
            could_claim=claimers.shown,
            claimers=claimers.count,
            to_do=_to_do(kind, workstream, asked),
            address=_act_of(kind, workstream, task),
            last_word=task.breadcrumb if task and kind is RootKind.RUNNING else "",
            behind=len(waiting) or self._planned(kind, workstream),
            behind_first=waiting[:FIRST],
            workstreams_behind=self._needing(at),
        )

    def _freed_by(self, kind: RootKind, at: Point, task: Task | None) -> tuple[tuple[str, ...], Claimers]:
        """The roles and names that the act is expected of, and who could claim."""
        found = self._explained(at.workstream)
        if task is None or found is None:
            return tuple(sorted(str(role) for role in self._freers.get(kind, ()))), Claimers()
        view = next(view for view in found.loaded.snapshot.tasks if view.key == at.key)
        if kind is RootKind.GATE and (view.sign_off.decided or view.sign_off.asked):
            return () if view.sign_off.decided else view.sign_off.asked, Claimers()
        if kind is RootKind.UNCLAIMED:
            claimers = claimers_of(task.step, found.workstream)
            return claimers.roles, claimers
        if kind is RootKind.RUNNING:
            return (view.executor,), Claimers()
        if kind is RootKind.QUESTION and asks_about_budget(task):
            kind = RootKind.BUDGET
        return tuple(sorted(str(role) for role in self._freers.get(kind, ()))), Claimers()

    def _detail(self, kind: RootKind, at: Point, claimers: Claimers) -> str:
        standing = self._look(at.workstream)
        view = standing.tasks.get(at.key) if standing else None
        if view is None:
            return ""
        if kind is RootKind.UNCLAIMED:
            return claimers.sentence
        return explain.detail_of(kind, view)

    def _planned(self, kind: RootKind, workstream: Workstream) -> int:
        """The steps of a plan that is not in force: they wait too, although none of them is a task yet."""
        unborn = (
            kind in (RootKind.PLAN, RootKind.NOT_EFFECTIVE)
            and not workstream.open_tasks + workstream.done_tasks
        )
        return workstream.version.steps_planned if unborn else 0

    def _behind(self, kind: RootKind, at: Point) -> tuple[str, ...]:
        standing = self._look(at.workstream)
        if standing is None or kind is RootKind.NOTHING:
            return ()
        return behind(standing, at.key)

    def _needing(self, at: Point) -> tuple[str, ...]:
        """The workstreams that wait until this one is completed, by slug."""
        found = self._explained(at.workstream)
        if found is None or not found.loaded.ground.needed:
            return ()
        return tuple(one.slug for one in needing(found.workstream))

    def _also(self, start: Point, found: Chain) -> tuple[AlsoInTheWay, ...]:
        explained, standing = self._explained(start.workstream), self._look(start.workstream)
        if explained is None or standing is None or found.kind is RootKind.NOTHING:
            return ()
        root = found.root.at.key if found.root.at.workstream == start.workstream else ""
        others = also_in_the_way(standing, start.key, root)
        tasks = [explained.loaded.tasks[other.order.key] for other in others]
        return tuple(
            AlsoInTheWay(
                kind=other.kind,
                key=task.step.key,
                title=task.step.title,
                sentence=standing.verdicts[task.step.key].sentence,
                address=_act_of(other.kind, explained.workstream, task),
            )
            for other, task in zip(others, tasks, strict=True)
        )

    def _sentence(self, found: Chain, start: Point, root: WaitingRoot, also: Sequence[str]) -> str:
        names = [_name(link.at, start) for link in found.links if link.at != Point(start.workstream)]
        if not names or found.root.at == Point(start.workstream):
            said = f"{names[0]}: {root.stands}" if names else root.stands
        else:
            said = explain.chain_of(names, root.stands, self._beside(start))
        lasted = self._now - root.since if root.since else None
        return chain_words.whole_chain(said, lasted, root.behind, root.to_do, also)


def _name(at: Point, start: Point) -> str:
    if not at.key:
        return chain_words.the_workstream(at.workstream)
    return at.key if at.workstream == start.workstream else f"{at.workstream}/{at.key}"


def _page_of(workstream: Workstream, task: Task | None) -> str:
    if task is None:
        return reverse("workstream", args=[workstream.uuid])
    return reverse("task", args=[workstream.uuid, task.step.key])


def _act_of(kind: RootKind, workstream: Workstream, task: Task | None) -> str:
    """The page on which the root is freed."""
    if kind is RootKind.GATE and task is not None:
        return reverse("gate", args=[task.pk])
    if kind in (RootKind.PLAN, RootKind.NOT_EFFECTIVE):
        version = workstream.version
        return reverse("plan-review", args=[version.workflow.slug, version.number])
    if kind is RootKind.PREHANDOFF:
        return reverse("prehandoff", args=[workstream.uuid])
    if kind is RootKind.DIVERGENCE:
        return reverse("workspace")
    return _page_of(workstream, task)


def _to_do(kind: RootKind, workstream: Workstream, asked: Collection[str]) -> str:
    """What frees the root. A gate of which nobody is `asked` is decided, a plan that leaves a question open
    cannot be approved as it stands, and suspected duplicates are decided, by those who sign, before the
    pre-handoff review is."""
    if kind is RootKind.GATE and not asked:
        return explain.WITHDRAW_DECISION
    if kind is RootKind.PREHANDOFF and (suspects := undecided(workstream)):
        return chain_words.sign_after_deciding([one.workstream.slug for one in suspects], asked)
    asks = kind is RootKind.PLAN and workstream.version.open_questions
    return ANSWER_FIRST if asks else explain.TO_DO[kind]
