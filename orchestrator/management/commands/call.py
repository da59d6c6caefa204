"""`manage.py call POST /api/attempts/7/claim --executor builder-1`: one REST call, without a server (FR-025).

The request goes through the same URLs, sign-in, services and refusals as one that comes by HTTP. Fields are
JSON when they read as JSON (`token=3`, `evidence={"5": "seen"}`), text otherwise. Every act has a REST route,
so every act is a command too. Whatever is refused, here or there, is printed as the same JSON.
"""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import Resolver404, resolve

from orchestrator.core.errors import InvalidInput, NotFound, Refusal
from orchestrator.management.printed import as_json
from orchestrator.queries.plans.refusal_facts import refusal_facts
from orchestrator.services.people.callers import Caller, caller_by_command, member_by_command

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ERROR = 400
WAY_OUT = "Addresses begin with /api/; GET /api/openapi.json lists them."


class Command(BaseCommand):
    help = "Run one REST call in this process and print the JSON it answers; exit code 1 when it is refused."
    # The answer is read by programs; system checks would stand before it.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("method", type=str.upper, choices=METHODS)
        parser.add_argument("path", help="for example /api/tasks/?needs_human=true")
        parser.add_argument("field", nargs="*", help="name=value of the JSON body")
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--executor", help="act as this executor")
        who.add_argument("--as", dest="user", metavar="USER", help="act as this person")
        parser.add_argument("--key", default="", help="an idempotency key")

    def handle(
        self, *, method: str, path: str, field: list[str], executor: str, user: str, key: str, **_options: Any
    ) -> None:
        try:
            _refuse_other_addresses(path)
            caller = member_by_command(executor) if executor else _person(user)
            status, answer = _call(method, path, _body(field), caller, key)
        except Refusal as refusal:
            status, answer = refusal.status, as_json(refusal_facts(refusal))
        self.stdout.write(answer)
        if status >= ERROR:
            sys.exit(1)


def _refuse_other_addresses(path: str) -> None:
    if not path.startswith("/api/"):
        raise InvalidInput(f"{path} is no REST address.", recovery=WAY_OUT, field="path")


def _person(name: str) -> Caller:
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise NotFound(
            f"There is no active account {name!r}.",
            recovery="Name an account that can sign in, or an executor with --executor.",
            field="as",
        )
    return caller_by_command(user)


def _body(fields: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for text in fields:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidInput(f"{text!r} is no field.", recovery="Write name=value.", field="field")
        if name in body:
            raise InvalidInput(f"The field {name} is given twice.", recovery="Give it once.", field=name)
        try:
            body[name] = json.loads(value)
        except ValueError:
            body[name] = value
    return body


def _call(method: str, path: str, body: dict[str, Any], caller: Caller, key: str) -> tuple[int, str]:
    host = next(
        (name for name in settings.ALLOWED_HOSTS if "*" not in name and not name.startswith(".")), "localhost"
    )
    headers = {"host": host, "accept": "application/json"} | ({"idempotency-key": key} if key else {})
    data = json.dumps(body) if body else ""
    request = RequestFactory().generic(method, path, data, content_type="application/json", headers=headers)
    request.local_caller = caller  # type: ignore[attr-defined]
    request.user = caller.actor.account
    try:
        view, arguments, keywords = resolve(request.path_info)
    except Resolver404:
        raise NotFound(f"There is nothing at {path}.", recovery=WAY_OUT, field="path") from None
    response = view(request, *arguments, **keywords)
    return response.status_code, _printed(response)


def _printed(response: HttpResponse) -> str:
    """An answer, or a refusal, as every command prints it; a file as it is."""
    text = response.content.decode()
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    return as_json(json.loads(text)) if is_json and text else text
