"""The guide says what is so: every command, setting, page and label named in it exists (FR-025)."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.test import Client
from django.urls import Resolver404, resolve

from orchestrator.web.guide import CHAPTERS, FOLDER, HELPS
from tests.architecture.test_docs import variables
from tests.cast import Cast, Driver
from tests.web.pages import words

#: Where folders of a machine stand: their paths are no pages.
FOLDERS = ("/tmp", "/opt")
ROOT = Path(__file__).parents[2]
TEXTS = {name: (FOLDER / f"{name}.md").read_text(encoding="utf-8") for name in CHAPTERS} | {
    "README": (ROOT / "README.md").read_text(encoding="utf-8")
}
#: What an example puts for a part of an address.
SAMPLES = {
    "NAME": "name",
    "N": "1",
    "ID": "1",
    "UUID": "00000000-0000-0000-0000-000000000000",
    "{slug}": "name",
    "{number}": "1",
    "{id}": "1",
}
#: Words in capitals that are no settings: shell variables of the examples, and methods.
NO_SETTINGS = {
    "ATTEMPT",
    "FENCE",
    "TASK",
    "WORKSTREAM",
    "TOKEN",
    "APPROVER",
    "FOLDER",
    "FILE",
    "POST",
    "PATCH",
}
#: In italics without being a label of a page: things of the demo, another page's heading, a word.
NO_LABELS = {"person", "executor", "plan's", "another", "held", "outputs", "why", "Quotes in four currencies"}
NO_LABELS |= {"Opening hours on every page"}


@pytest.mark.parametrize("name", TEXTS)
def test_fr025_every_block_of_code_in_the_guide_is_closed(name: str) -> None:
    """An open one swallows the headings behind it."""
    assert len(re.findall(r"^\s*```", TEXTS[name], re.MULTILINE)) % 2 == 0


def coded(text: str) -> list[str]:
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+(?:\n[^`\n]+)?)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [" ".join(part.split()) for block in blocks for part in block.split("\n")] + [
        " ".join(span.split()) for span in spans
    ]


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Each use of a command: its name and its options."""
    found = []
    for part in coded(text):
        for name, rest in re.findall(r"manage\.py (\w+)([^#]*)", part):
            found.append((name, re.findall(r"(?<!\S)--[a-z][a-z-]*", rest)))
    return found


def address(text: str) -> str:
    """An address of an example with something for each of its parts."""
    parts = [SAMPLES.get(part, part) for part in text.partition("?")[0].split("/")]
    return "/".join(parts)


@pytest.mark.parametrize("chapter", TEXTS)
def test_fr025_every_command_of_the_guide_exists_with_its_options(chapter: str) -> None:
    known = get_commands()
    for name, options in commands(TEXTS[chapter]):
        assert name in known, name
        command = load_command_class(known[name], name)
        parser = command.create_parser("manage.py", name)
        accepted = {option for action in parser._actions for option in action.option_strings}
        assert set(options) <= accepted, f"{name} {options}"


@pytest.mark.parametrize("chapter", TEXTS)
def test_fr025_every_setting_of_the_guide_is_read(chapter: str) -> None:
    known = variables(ROOT / "orchestrator" / "settings.py") | {"DATABASE_URL", "DEMO_PASSWORD"}
    for path in (ROOT / "orchestrator").rglob("*.py"):
        known |= set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", path.read_text(encoding="utf-8")))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {
        word
        for part in coded(TEXTS[chapter])
        for word in re.findall(r"(?<![\w./<$-])([A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]{4,})(?==)", part)
    }
    unknown = {
        one for one in named - NO_SETTINGS - known if f"{one} ?=" not in makefile and one not in ("URL",)
    }
    assert unknown == set()


@pytest.mark.parametrize("chapter", TEXTS)
def test_fr025_every_page_of_the_guide_is_there(chapter: str) -> None:
    named = [part.split(" ")[-1] for part in coded(TEXTS[chapter])]
    pages = [one for one in named if re.fullmatch(r"/[a-z][\w/{}.?=-]*", one) and not one.startswith(FOLDERS)]
    for page in pages:
        try:
            resolve(address(page))
        except Resolver404:
            resolve(address(page) + "/")


@pytest.mark.parametrize("chapter", TEXTS)
def test_fr025_every_label_of_the_guide_stands_on_a_page(chapter: str) -> None:
    """What stands in italics is what a page says: in a template, or in the code that makes it."""
    sources = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "orchestrator").rglob("*.py")]
    said = " ".join(" ".join(path.read_text(encoding="utf-8") for path in sources).split()).lower()
    said = re.sub(r"\{\{[^}]*pluralize:\"[^,\"]*,?([^,\"]*)\" \}\}", r"\1", said)
    said = re.sub(r"\{\{[^}]*pluralize \}\}", "s", said)
    said = re.sub(r"\{% if count != 1 %\}([^{]*)\{% endif %\}", r"\1", said)
    said += re.sub(r"\{\{[^}]*\}\}|\{%[^%]*%\}|\{[a-z_.]+\}", "N", said)
    prose = re.sub(r"```.*?```|`[^`]*`", "", TEXTS[chapter], flags=re.DOTALL)
    labels = re.findall(r"(?<![*\w])\*([A-Za-z][^*\n]*(?:\n[^*\n]+)?)\*(?![*\w])", prose)
    for label in labels:
        plain = " ".join(label.split()).lower()
        if " ".join(label.split()) in NO_LABELS:
            continue
        variants = {plain, re.sub(r"\bv1\b", "vN", plain), re.sub(r"\bn\b", "N", plain)}
        assert any(variant in said for variant in variants), label


def test_fr025_chapters_are_short_and_lead_to_one_another(client: Client, cast: Cast) -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(CHAPTERS)
    client.force_login(cast.observer)
    for name in CHAPTERS:
        page = client.get(f"/guide/{name}/")
        assert page.status_code == 200
        assert len(TEXTS[name].split("\n")) <= 150, name
        text = page.content.decode()
        assert "<h2 id=" in text, "it is Markdown, laid out"
        for other in re.findall(r'href="(/guide/[^"#]*)', text):
            assert client.get(other).status_code == 200
    assert client.get("/guide/nothing/").status_code == 404


def test_fr025_pages_and_refusals_lead_to_the_chapter_that_helps(
    client: Client, cast: Cast, driver: Driver
) -> None:
    work = driver.start()
    client.force_login(cast.observer)
    for page, chapter in {
        f"/plans/{work.version.workflow.slug}/v1/": "reviewing",
        "/plans/": "plans",
        "/gates/": "signing",
        "/tokens/": "agents",
        "/history/": "finding",
        "/account/": "start",
        "/operating/": "trouble",
        "/nothing/": "trouble",
    }.items():
        assert f'href="/guide/{chapter}/"' in client.get(page).content.decode(), page
    assert {name for _, name in HELPS} <= set(CHAPTERS)
    assert "Guide" in words(client.get("/"))


def test_the_readme_is_short_and_its_pictures_are_light() -> None:
    text = TEXTS["README"]
    assert len(text.split("\n")) <= 150
    for name in re.findall(r"\]\(([\w/.-]+)[^)]*\)", text):
        assert (ROOT / name).exists(), name
    for picture in (ROOT / "fixtures" / "pictures").iterdir():
        assert picture.stat().st_size < 60_000, picture.name
        assert picture.name in text
