"""The shipped templates; each is started from the form that submits plans (AD-8)."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from orchestrator.queries.templates import templates
from orchestrator.web.acting import show


@require_GET
def template_list(request: HttpRequest) -> HttpResponse:
    return show(request, "plans/templates.html", {"shipped": list(templates())})


urlpatterns = [path("plans/templates/", template_list, name="templates")]
