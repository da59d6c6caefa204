"""The tool with which an agent says what a batch or merge point taught (BX-7)."""

from dataclasses import dataclass

from django.utils import timezone

from orchestrator.contract.learnings import LearningList
from orchestrator.mcp.tools import Tools
from orchestrator.mcp.workstreams import uuid_of
from orchestrator.queries.workstreams.learnings import learnings
from orchestrator.queries.workstreams.workstream_facts import find_workstream
from orchestrator.services.workstreams.learnings import nothing_to_record, record_learning


@dataclass(frozen=True)
class LearningTools(Tools):
    def record_learning(
        self,
        workstream_id: str,
        after: str,
        went_wrong: str = "",
        worked: str = "",
        tighten: str = "",
        nothing: bool = False,
    ) -> LearningList:
        """Write down what a batch or merge point taught, for the brief of every later task.

        `after` names it as `due` in the answer does: "Batch 01", or a merge point's key. It takes at least
        one text, or `nothing`: then it is recorded that there was nothing to record.
        """
        now = timezone.now()
        if nothing:
            caller = self.doer(nothing_to_record)
            workstream = find_workstream(uuid_of(workstream_id))
            nothing_to_record(workstream=workstream, after=after, actor=caller.actor, now=now)
            return learnings(workstream)
        caller = self.doer(record_learning)
        workstream = find_workstream(uuid_of(workstream_id))
        record_learning(
            workstream=workstream,
            after=after,
            went_wrong=went_wrong,
            worked=worked,
            tighten=tighten,
            actor=caller.actor,
            now=now,
        )
        return learnings(workstream)
