"""Forms on pages: the key that one carries, so that sending it twice makes its thing once."""

import html
import re

from django.http import HttpResponse


def key_of(page: HttpResponse, to: str) -> str:
    """The key in the very form that is sent to this address."""
    for form in re.findall(r"<form\b.*?</form>", page.content.decode(), re.DOTALL):
        action = html.unescape((re.search(r'action="([^"]*)"', form) or ["", ""])[1])
        if (
            action in {"", to}
            and 'method="post"' in form
            and (key := re.search(r'name="once" value="([^"]+)"', form))
        ):
            return key[1]
    raise AssertionError(f"no form for {to} has a key")
