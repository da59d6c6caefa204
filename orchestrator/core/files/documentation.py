"""The first page of a workstream's documentation: what was built, with links to the files themselves (WF-6).

Links are relative to `docs/<slug>/`, so they work in the workspace, in a clone and on a forge. The same rows
give the same text.
"""

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from urllib.parse import quote

#: The page, and its name when a documentation step hands over a file of the first name itself.
PAGES: Final = ("README.md", "OUTPUTS.md")


@dataclass(frozen=True, slots=True)
class Built:
    """A step and what it handed over; `state` says why there is nothing when it is not complete. Paths are
    the workspace's."""

    stage: str
    batch: str
    thread: str
    key: str
    title: str
    state: str
    outcome: str
    outputs: tuple[str, ...]
    documentation: bool


@dataclass(frozen=True, slots=True)
class Signed:
    """A decision at a gate, at a moment as artifacts write it."""

    key: str
    title: str
    decision: str
    by: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Taught:
    after: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentationView:
    slug: str
    title: str
    summary: str
    built: tuple[Built, ...]
    signed: tuple[Signed, ...]
    taught: tuple[Taught, ...]


def documentation_folder(slug: str) -> str:
    return f"docs/{slug}"


def page_path(slug: str, outputs: Iterable[str]) -> str:
    """Where the page stands: beside the documents, never over one of them. "" when both names are taken."""
    taken = set(outputs)
    paths = (f"{documentation_folder(slug)}/{name}" for name in PAGES)
    return next((path for path in paths if path not in taken), "")


def render_documentation(view: DocumentationView) -> str:
    lines = [f"# {_plain(view.title)}", ""]
    lines += [view.summary.strip(), ""] if view.summary.strip() else []
    lines += [*_documents(view), "## What was built", "", *_built(view)]
    if view.signed:
        lines += ["## Decisions at gates", "", *(_decision(signature) for signature in view.signed), ""]
    if view.taught:
        lines += ["## Learnings", ""]
        for one in view.taught:
            lines += [f"- After {_plain(one.after)}:", *(f"  - {_plain(line)}" for line in one.lines)]
        lines += [""]
    return "\n".join(lines)


def _documents(view: DocumentationView) -> list[str]:
    paths = [path for step in view.built if step.documentation for path in step.outputs]
    lines = _links(view.slug, sorted(paths, key=_is_log), "")
    return ["## Documents", "", *(lines or ["None yet."]), ""]


def _is_log(path: str) -> bool:
    """What a run left behind stands after what people read."""
    return path.endswith((".log", ".out", ".err"))


def _built(view: DocumentationView) -> list[str]:
    lines: list[str] = []
    work = [step for step in view.built if not step.documentation]
    for stage, in_stage in groupby(work, key=lambda one: one.stage):
        lines += [f"### {_plain(stage)}", ""]
        for batch, in_batch in groupby(in_stage, key=lambda one: one.batch):
            lines += [f"#### {_plain(batch)}", ""]
            for one in in_batch:
                lines += [_step(one), *_links(view.slug, one.outputs, "  ")]
            lines += [""]
    return lines


def _step(one: Built) -> str:
    told = _plain(one.outcome) or "no summary"
    return f"- **{_plain(one.key)}: {_plain(one.title)}** ({_plain(one.thread)}): {one.state or told}"


def _decision(one: Signed) -> str:
    reason = f": {_plain(one.reason)}" if one.reason else ""
    return (
        f"- **{_plain(one.key)}: {_plain(one.title)}** {one.decision} by {_plain(one.by)}, {one.at}{reason}"
    )


def _links(slug: str, paths: Sequence[str], indent: str) -> list[str]:
    folder = documentation_folder(slug)
    relative = (posixpath.relpath(path, folder) for path in paths)
    return [f"{indent}- [{_plain(path)}]({quote(path, safe='/')})" for path in relative]


def _plain(text: str) -> str:
    """Text inside one line of Markdown, where it can neither open a link nor HTML."""
    line = " ".join(text.split())
    for mark in "\\`*_[]<>":
        line = line.replace(mark, f"\\{mark}")
    return line
