"""What every page shows around its content: navigation, the inbox count, the project time zone."""

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from orchestrator.core.people.roles import takes_part
from orchestrator.queries.engine.holds import work_is_stopped
from orchestrator.services.base.actor import Actor
from orchestrator.services.duties import waiting_for
from orchestrator.services.people.operating import may_operate
from orchestrator.web.admission import roles_in
from orchestrator.web.guide import helps_on

AREAS = (
    ("Inbox", "/"),
    ("Plans", "/plans/"),
    ("Gates", "/gates/"),
    ("Interventions", "/interventions/"),
    ("Portfolio", "/portfolio/"),
    ("Flow", "/flow/"),
    ("History", "/history/"),
)


#: So many items of the inbox are counted beside its name, and beyond them "+" says that there are more.
MOST_WAITING: Final = 99


@dataclass(frozen=True, slots=True)
class NavItem:
    label: str
    href: str
    here: bool
    count: int

    @property
    def shown(self) -> str:
        return f"{MOST_WAITING}+" if self.count > MOST_WAITING else str(self.count)


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Fragments do not draw the frame, so the inbox is only counted when a page does."""
    user = getattr(request, "user", None)
    context: dict[str, Any] = {"project_zone": settings.PROJECT_TIME_ZONE}
    if user is None or not user.is_authenticated:
        return context
    return context | {
        "nav": SimpleLazyObject(lambda: _nav(request, user)),
        "diverged": SimpleLazyObject(lambda: bool(work_is_stopped())),
        "operates": SimpleLazyObject(lambda: bool(may_operate(Actor.person(user, roles_in(request))))),
        "help_address": helps_on(request.path),
        "takes_part": SimpleLazyObject(lambda: takes_part(roles_in(request))),
        "role_names": SimpleLazyObject(lambda: _role_names(request, user)),
    }


def _nav(request: HttpRequest, user: User) -> list[NavItem]:
    roles = roles_in(request)
    if not roles:
        return []
    waiting = waiting_for(user, roles, timezone.now(), MOST_WAITING + 1)
    return [
        NavItem(label, href, _here(request.path, href), waiting if href == "/" else 0)
        for label, href in AREAS
    ]


def _role_names(request: HttpRequest, user: User) -> str:
    if user.is_superuser:
        return "administrator, all roles"
    return ", ".join(sorted(roles_in(request)))


def _here(path: str, href: str) -> bool:
    return path == href if href == "/" else path.startswith(href)
