"""A crew: coding agents as processes of their own, which work on one installation and can be killed.

`python -m tests.acceptance.crew WAY NAME WORKSTREAM` reads what it needs from the environment (URL, MCP,
TOKEN, WORKSPACE, FOLDER), prints `claimed KEY`, `done KEY` and `refused WORD`, and works until it is ended.
WAY is `mcp` (the official client over HTTP), `rest` (in the worktree of this machine), `remote` (REST, with
what it checked out elsewhere), `plain` (REST, a plan without a repository) or `files` (nothing but git).
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.acceptance.agents_git import command

TIMESTAMP: Final = "2026-03-04T12:00:00Z"
SECONDS: Final = 10
#: A file of several lanes: each of their steps adds a line.
SHARED: Final = {"A": "shared/one.txt", "B": "shared/one.txt", "C": "shared/two.txt", "D": "shared/two.txt"}


def say(line: str) -> None:
    print(line, flush=True)


class Refused(Exception):
    """The word of the refusal."""


def do(key: str, folder: Path) -> None:
    """A step's work: its own module with its test, a line in what its lane shares."""
    lane, module = key[0], f"part_{key.lower()}"
    write(folder / "parts" / lane / f"{module}.py", f'def name() -> str:\n    return "{key}"\n')
    test = (
        f"from parts.{lane}.{module} import name\n\n\n"
        f'def test_{module}() -> None:\n    assert name() == "{key}"\n'
    )
    write(folder / "parts" / lane / f"test_{module}.py", test)
    if shared := SHARED.get(lane):
        with (folder / shared).open("a", encoding="utf-8") as lines:
            lines.write(f"{key}\n")
    time.sleep(0.05)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def commit(key: str, folder: Path) -> str:
    command(folder, "add", "--all")
    command(folder, "commit", "--quiet", "--message", key)
    return command(folder, "rev-parse", "HEAD")


def elsewhere(claim: dict[str, Any]) -> str:
    """The step's work on another machine: checked out, done, pushed; its commit."""
    place, folder, key = claim["brief"]["place"], Path(os.environ["FOLDER"]), claim["attempt"]["key"]
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command(folder, "init", "--quiet")
    for line in place["checkout"]:
        subprocess.run(line, shell=True, cwd=folder, check=True, capture_output=True)
    assert command(folder, "rev-parse", "HEAD") == place["start"], place["said"]
    do(key, folder)
    made = commit(key, folder)
    address = place["checkout"][0].split()[2]
    command(folder, "push", "--quiet", "--force", address, f"HEAD:{place['push_to']}")
    return made


def here(claim: dict[str, Any]) -> str:
    """The same in the worktree that the claim made; where somebody began already, the rest of it."""
    folder, key = Path(claim["brief"]["place"]["path"]), claim["attempt"]["key"]
    do(key, folder)
    return commit(key, folder)


def completion(claim: dict[str, Any], made: str) -> dict[str, Any]:
    key = claim["attempt"]["key"]
    asked = {str(one["id"]): f"{key}: pytest ran green" for one in claim["criteria"] if one["asked"]}
    return {"token": claim["token"], "commit": made, "outcome": f"{key} is there.", "evidence": asked}


def is_handed_in(claim: dict[str, Any]) -> bool:
    """Whether the work is done and being verified, so that there is nothing to do but wait."""
    return (claim["attempt"]["verification"] or {}).get("state") == "pending"


class OverRest:
    """What an agent does over REST; `work` does the step."""

    def __init__(self, work: Callable[[dict[str, Any]], str]) -> None:
        headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
        self.client = httpx.Client(base_url=f"{os.environ['URL']}/api/", headers=headers, timeout=90)
        self.work = work

    def call(self, method: str, address: str, body: object = None) -> Any:
        answer = self.client.request(method, address, json=body)
        told = answer.json()
        if answer.status_code >= 500:
            say(f"broken {address} {answer.text}")
        if answer.status_code >= 400:
            raise Refused(told["code"])
        return told

    def next(self, workstream: str) -> dict[str, Any] | None:
        claim = self.call("POST", "next", {"wait": SECONDS, "workstream": workstream})["claim"]
        return None if claim is None else dict(claim)

    def finish(self, claim: dict[str, Any], made: str) -> None:
        attempt = claim["attempt"]["id"]
        told = self.call("POST", f"attempts/{attempt}/complete", completion(claim, made) | {"wait": 60})
        if told["status"] != "completed":
            raise Refused(f"it is {told['status']}")

    def run(self, workstream: str) -> None:
        while True:
            try:
                claim = self.next(workstream)
                if claim is not None:
                    say(f"claimed {claim['attempt']['key']}")
                    self.finish(claim, self.work(claim))
                    say(f"done {claim['attempt']['key']}")
            except Refused as refused:
                say(f"refused {refused}")
                time.sleep(1)


async def over_mcp(workstream: str) -> None:
    """The official client over streamable HTTP."""
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    web = httpx2.AsyncClient(headers=headers, timeout=90)
    async with web, Client(streamable_http_client(os.environ["MCP"], http_client=web)) as client:

        async def call(tool: str, **arguments: Any) -> Any:
            answer = await client.call_tool(tool, arguments)
            if answer.is_error:
                raise Refused(str((answer.structured_content or {"code": answer.content})["code"]))
            return answer.structured_content

        while True:
            await _turn_over_mcp(call, workstream)


async def _turn_over_mcp(call: Callable[..., Awaitable[Any]], workstream: str) -> None:
    try:
        claim = (await call("next_task", wait=SECONDS, workstream=workstream))["claim"]
        if claim is None:
            return
        if is_handed_in(claim):
            await asyncio.sleep(0.5)
            return
        say(f"claimed {claim['attempt']['key']}")
        body = completion(claim, here(claim))
        await call("complete_task", attempt_id=claim["attempt"]["id"], **body)
        say(f"done {claim['attempt']['key']}")
    except Refused as refused:
        say(f"refused {refused}")
        await asyncio.sleep(1)


class FilesOnly:
    """Sees the workspace's repository and nothing else; what it holds stands in its outbox branch."""

    def __init__(self, name: str) -> None:
        self.name, self.folder = name, Path(f"{os.environ['FOLDER']}-results")
        self.workspace, self.turn = os.environ["WORKSPACE"], 0
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            command(self.folder, "init", "--quiet")

    def push(self, **members: Any) -> str:
        self.turn += 1
        file = f"{self.turn:04d}.result.json"
        said = {"schemaVersion": "1.0", "timestamp": TIMESTAMP, **members}
        (self.folder / file).write_text(json.dumps(said), encoding="utf-8")
        commit(file, self.folder)
        command(self.folder, "push", "--quiet", "--force", self.workspace, f"HEAD:refs/inbox/{self.name}")
        return file

    def answered(self, file: str) -> dict[str, Any]:
        """What became of the file, with what is held now."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            time.sleep(0.3)
            told = self.told()
            for one in told["files"]:
                if one["path"] == file:
                    return {"problem": one["problem"] if one["state"] != "ingested" else "", **told}
        raise Refused(f"nobody answered to {file}")

    def told(self) -> dict[str, Any]:
        try:
            command(self.folder, "fetch", "--quiet", self.workspace, f"+refs/outbox/{self.name}:refs/told")
        except subprocess.CalledProcessError:
            return {"files": [], "held": []}
        return dict(json.loads(command(self.folder, "show", "refs/told:answer.json")))

    def run(self, workstream: str) -> None:
        while True:
            try:
                told = self.answered(self.push(eventType="claim", workstream=workstream))
                if not told["held"]:
                    time.sleep(1)
                    continue
                (claim,) = told["held"]
                if is_handed_in(claim):
                    time.sleep(1)
                    continue
                say(f"claimed {claim['attempt']['key']}")
                brief = command(self.folder, "show", f"refs/told:BRIEF-{claim['attempt']['id']}.md")
                assert claim["attempt"]["key"] in brief
                body = completion(claim, elsewhere(claim))
                done = self.push(eventType="attempt-completed", attemptId=claim["attempt"]["id"], **body)
                if problem := self.answered(done)["problem"]:
                    raise Refused(problem)
                say(f"done {claim['attempt']['key']}")
            except Refused as refused:
                say(f"refused {refused}")
                time.sleep(1)


WAYS: Final = {"rest": here, "remote": elsewhere, "plain": lambda _: ""}


def main(way: str, name: str, workstream: str) -> None:
    if way == "mcp":
        asyncio.run(over_mcp(workstream))
    elif way == "files":
        FilesOnly(name).run(workstream)
    else:
        OverRest(WAYS[way]).run(workstream)


if __name__ == "__main__":
    main(*sys.argv[1:4])
