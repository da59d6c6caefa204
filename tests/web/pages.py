"""How tests look at a page: as the words a person reads."""

import html
import re

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client


def signed_in(user: User, *, strict: bool = False) -> Client:
    client = Client(enforce_csrf_checks=strict)
    client.force_login(user)
    return client


def words(response: HttpResponse) -> str:
    """The visible text in one line; typed values of text areas are part of it."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def carried(page: HttpResponse) -> dict[str, list[str]]:
    """The plans that the form of several files would send again."""
    text = page.content.decode()
    names = re.findall(r'name="plan-name" value="([^"]*)"', text)
    sources = re.findall(r'<textarea name="plan-source"[^>]*>\n(.*?)</textarea>', text, re.DOTALL)
    return {
        "plan-name": [html.unescape(n) for n in names],
        "plan-source": [html.unescape(s) for s in sources],
    }


def htmx(target: str) -> dict[str, str]:
    """Request headers of htmx asking for one part."""
    return {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": target}


def control(response: HttpResponse, element_id: str) -> str:
    """The opening tag of the control with this id."""
    found = re.search(rf'<[a-z]+[^>]*\bid="{re.escape(element_id)}"[^>]*>', response.content.decode())
    assert found, f"no control {element_id}"
    return " ".join(found[0].split())
