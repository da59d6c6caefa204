"""What a plan may pass to a tool (design section 7)."""

import pytest

from orchestrator.adapters.arguments import Options, allowed, inside, words
from orchestrator.core.errors import InvalidInput

OPTIONS = Options(flags=frozenset({"-q"}), valued=frozenset({"-k", "--tb"}))


def test_the_tools_own_name_may_stand_in_front():
    assert words("pytest -q 'tests/a b'", "pytest") == ["-q", "tests/a b"]
    assert words("tests", "pytest") == ["tests"]


@pytest.mark.parametrize("run", ["pytest 'unclosed", "x" * 501])
def test_what_cannot_be_split_is_refused(run):
    with pytest.raises(InvalidInput):
        words(run, "pytest")


@pytest.mark.parametrize("word", ["/etc/passwd", "../up", "a/../../b", "~/x", "a\0b", "a\\b"])
def test_a_path_that_leaves_the_worktree_is_refused(word):
    with pytest.raises(InvalidInput, match="leaves the worktree"):
        inside(word)


@pytest.mark.parametrize(
    "given", [["-q", "tests"], ["-k", "x and y"], ["--tb=short"], ["tests/test_a.py::test_b"]]
)
def test_named_options_and_relative_paths_pass(given):
    assert allowed(given, "pytest", OPTIONS) == given


@pytest.mark.parametrize(
    "option",
    [
        "-p",
        "-c",
        "--rootdir=/",
        "-qp",
        "-qq",
        "-kx",
        "-pevil",
        "--",
        "-",
        "-q=1",
        "-k",
        "--t=short",
        "--tb:short",
        "--no-q",
        "@args.txt",
        "@",
        "@sub/args",
        "@@args",
    ],
)
def test_every_other_option_is_refused(option):
    with pytest.raises(InvalidInput):
        allowed([option], "pytest", OPTIONS)


def test_shell_words_stay_words():
    assert words("tests; rm -rf / | cat $(id)", "pytest") == ["tests;", "rm", "-rf", "/", "|", "cat", "$(id)"]


@pytest.mark.parametrize("given", [["-k", "@args.txt"], ["--tb", "@args.txt"], ["tests", "@args.txt"]])
def test_arguments_are_never_read_from_a_file_that_the_work_brought(given):
    with pytest.raises(InvalidInput, match="arguments from a file"):
        allowed(given, "pytest", OPTIONS)


def test_a_character_that_no_argument_can_have_is_refused():
    with pytest.raises(InvalidInput, match="NUL"):
        words("-k a\0b", "pytest")
