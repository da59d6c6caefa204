"""A robot that reads the forms of a page and fills them in as a person would, without any script.

It knows nothing of what a form is for: what it may type comes from the page alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.http import HttpResponse

TYPED = "because"
#: What is typed where somebody or something has to be named.
NAMES = {"to": "rita", "executor": "builder-1"}
#: Kinds of inputs that hold words of a person.
WORDS = {"text", "search", ""}


@dataclass
class Control:
    """One field of a form: what it is called, what it holds, whether it has to be filled in."""

    name: str
    kind: str
    value: str
    required: bool = False
    checked: bool = False
    options: list[str] = field(default_factory=list)


@dataclass
class PageForm:
    """A form that posts: where to, its fields, and the buttons it can be sent with."""

    action: str
    controls: list[Control] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)

    def sendings(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Each button of the form with the address it sends to and what it says of itself."""
        for action, name, value in self.buttons or [("", "", "")]:
            yield action or self.action, {name: value} if name else {}

    def filled(self, typed: str = TYPED, *, fully: bool = False) -> dict[str, list[str]]:
        """What a person sends who types `typed` wherever words are asked for (`fully`: wherever there is room
        for some), ticks everything, and chooses what was not chosen before."""
        body: dict[str, list[str]] = {}
        for control in self.controls:
            if control.kind == "checkbox" or (control.kind == "radio" and control.name not in body):
                body.setdefault(control.name, []).append(control.value)
            elif control.kind == "select":
                others = [one for one in control.options if one not in ("", control.value)]
                body[control.name] = [(others or [control.value])[-1]]
            elif control.kind in {"textarea", *WORDS} and not control.value:
                words = NAMES.get(control.name, typed) if typed.strip() else typed
                body[control.name] = [words if control.required or fully else ""]
            elif control.kind not in {"file", "radio"}:
                body[control.name] = [control.value]
        return body

    @property
    def asks_for_words(self) -> bool:
        """Whether there is an empty field of words that has to be filled in."""
        return any(c.required and not c.value and c.kind in {"textarea", *WORDS} for c in self.controls)


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, PageForm] = {}
        self._page = page
        self._open: PageForm | None = None
        self._control: Control | None = None
        self._off = self._text_is_option = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = PageForm(said.get("action") or self._page) if said.get("method") == "post" else None
            if self._open:
                self.found[said.get("id") or f"#{len(self.found)}"] = self._open
            return
        form = self.found.get(said["form"]) if "form" in said else self._open
        if tag == "fieldset":
            self._off = "disabled" in said
        if form is None or self._off or "disabled" in said:
            return
        if tag == "button" and said.get("type", "submit") == "submit":
            form.buttons.append((said.get("formaction", ""), said.get("name", ""), said.get("value", "")))
        elif tag in {"input", "textarea", "select"} and "name" in said:
            kind = said.get("type", "") if tag == "input" else tag
            self._control = Control(
                said["name"], kind, said.get("value", ""), "required" in said, "checked" in said
            )
            form.controls.append(self._control)
        elif tag == "option" and self._control is not None:
            self._text_is_option = "value" not in said
            if "value" in said:
                self._control.options.append(said["value"])
            if "selected" in said:
                self._control.value = said.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._text_is_option and self._control is not None and data.strip():
            self._control.options.append(data.strip())
        if self._control is not None and self._control.kind == "textarea":
            self._control.value += data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "fieldset":
            self._off = False
        if tag == "option":
            self._text_is_option = False
        if tag in {"textarea", "select"}:
            self._control = None


def forms_of(page: HttpResponse, address: str) -> list[PageForm]:
    """The forms of a page that post, in their order."""
    reader = _Forms(address)
    reader.feed(page.content.decode())
    return list(reader.found.values())
