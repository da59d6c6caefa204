"""The templates that are shipped: plans with parameters to start from (AD-8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from orchestrator.core.errors import NotFound
from orchestrator.core.plan_markdown import read_plan
from orchestrator.core.plan_parameters import Parameter, parameters_of, with_values

FOLDER: Final = settings.BASE_DIR / "fixtures" / "workflows"
SUFFIX: Final = ".PLAN.md"


@dataclass(frozen=True)
class Template:
    """`name` stands in addresses; `summary` has the names of the parameters where their values will stand."""

    name: str
    source: str
    summary: str
    parameters: tuple[Parameter, ...]

    @property
    def title(self) -> str:
        return self.name.replace("-", " ").capitalize()


def templates() -> Iterator[Template]:
    for path in sorted(FOLDER.glob(f"*{SUFFIX}")):
        source = path.read_text(encoding="utf-8")
        parameters = parameters_of(source)
        plan = read_plan(with_values(source, {one.name: f"‹{one.name}›" for one in parameters})).plan
        yield Template(path.name.removesuffix(SUFFIX), source, plan.summary if plan else "", parameters)


def find_template(name: str) -> Template:
    """NotFound names the ones that there are."""
    found = {template.name: template for template in templates()}
    if name not in found:
        raise NotFound(f"There is no template {name[:60]}.", recovery=f"Use one of {', '.join(found)}.")
    return found[name]
