"""The operator is told where tools run open, and where they do not run at all."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from orchestrator.sandbox import layers
from orchestrator.sandbox.policy import Layers


def said(*words: str) -> str:
    told = StringIO()
    call_command("check", "--tag", "orchestrator", *words, stdout=told, stderr=told)
    return told.getvalue()


def test_a_check_says_that_the_operator_lets_tools_run_open(settings):
    settings.TOOLS_SANDBOX = "off"
    assert "Tools run unprotected (TOOLS_SANDBOX=off)" in said()


def test_the_deployment_check_says_that_tool_steps_are_refused_and_what_to_do(monkeypatch):
    monkeypatch.setattr(layers, "found", Layers)
    told = said("--deploy")
    assert "Tool steps are refused. This machine cannot keep tools from files outside the worktree" in told
    assert "TOOLS_SANDBOX=off" in told
    with pytest.raises(SystemCheckError):
        said("--deploy", "--fail-level", "WARNING")


def test_nothing_is_said_where_tools_are_shut_in(monkeypatch):
    monkeypatch.setattr(layers, "found", lambda: Layers(landlock=7, namespaces=True, filter=True))
    assert "Tool" not in said("--deploy")


@pytest.mark.parametrize("has", [Layers(landlock=6, filter=True), Layers(namespaces=True, user=64123)])
def test_one_sentence_names_the_protections_in_force(monkeypatch, has):
    monkeypatch.setattr(layers, "found", lambda: has)
    assert layers.told("auto") == f"Tools run shut in by {layers.described(has)}."
