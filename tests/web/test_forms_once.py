"""DC-5: every form that makes or decides something carries a key, so that sending it twice does it once."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TEMPLATES = Path(__file__).parents[2] / "templates"
#: Where forms without a key are sent to, and why none needs one. Empty is the page's own address.
WITHOUT = {
    "account/enrol.html": "asks for a code that counts once",
    "account/password.html": "asks for the old password, which is the old one once",
    "account/second_factor.html": "asks for a code that counts once",
    "account/page.html": "nobody is signed out twice",
    "account/notifications.html notifications-read": "what is read is read",
    "account/notifications.html unsubscribe": "a subscription ends for good",
    "collected/page.html": "looks for what is new, each time",
    "plans/section.html": "says which of two states it means",
    "site/base.html": "signs out",
    "site/refused.html": "signs out",
    "site/login.html": "signs in",
    "site/login_code.html": "signs in",
    "tasks/acts.html task-act": "an attempt is claimed once; who holds it is told so",
    "tokens/table.html": "a token is revoked for good",
    "workspace/consistency.html": "fixes what is to be fixed then",
    "workstreams/baseline.html look": "looks in the repository, each time",
    "workstreams/republish.html": "writes the same again, each time",
}


class PostedForm(NamedTuple):
    template: str
    line: int
    text: str

    @property
    def names(self) -> set[str]:
        """The template, and the template with each word of the address."""
        action = (re.search(r'action="([^"]*)"', self.text) or ["", ""])[1]
        words = re.findall(r"'([\w-]+)'", action)
        return {self.template, *(f"{self.template} {word}" for word in words)}


def posted_forms() -> Iterator[PostedForm]:
    for file in sorted(TEMPLATES.rglob("*.html")):
        text = file.read_text()
        for form in re.finditer(r'<form\b[^>]*\bmethod="post".*?</form>', text, re.DOTALL | re.IGNORECASE):
            name = file.relative_to(TEMPLATES).as_posix()
            yield PostedForm(name, text[: form.start()].count("\n") + 1, form[0])


def test_dc5_every_form_that_decides_carries_a_key() -> None:
    forms = list(posted_forms())
    assert len(forms) > 50, "the walk finds the forms"
    bare = [form for form in forms if "{% once %}" not in form.text]
    unknown = [f"{form.template}:{form.line}" for form in bare if not form.names & set(WITHOUT)]
    assert unknown == [], "give these {% once %}, and their view `perform` or `once`"
    used = {name for form in bare for name in form.names}
    assert set(WITHOUT) <= used, f"not needed any more: {sorted(set(WITHOUT) - used)}"
