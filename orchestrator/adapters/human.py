"""A step that a person does by hand, as a tool: nobody else is offered it (AD-6).

`Tool: human` with `Run: Press the bell and listen` stands in a person's inbox as *Ready to be claimed*, with
what `Run` says. It is no run, so what the person says of it is asserted, and it verifies nothing.
"""

from orchestrator.adapters.tool import Job, Result
from orchestrator.core.errors import InvalidInput
from orchestrator.core.people.roles import HUMAN


class Human:
    """Says what is to be done, and is never started."""

    name = HUMAN

    def arguments(self, run: str) -> list[str]:
        if not run.strip():
            raise InvalidInput("Say in Run what the person does.", field="Run")
        return [run.strip()]

    def run(self, job: Job) -> Result:
        said = "A person does this by hand; nothing runs it."
        return Result(False, f"{self.name} {job.run}".strip(), "", summary=said, error=said)
