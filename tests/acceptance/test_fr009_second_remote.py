"""FR-009: the workspace's branches go to a second remote, beside the queue, and trouble holds up nobody."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.urls import reverse

from orchestrator.core.git_names import address_shown, is_remote_address
from orchestrator.services.sealing.anchors import seal_and_anchor
from orchestrator.services.sealing.second_remote import KEY, push_beside, push_now, remote_seen
from orchestrator.workspace import Workspace
from tests.cast import NOON, Driver
from tests.web.pages import signed_in, words


@pytest.fixture
def remote(driver: Driver, settings, tmp_path: Path):
    """A bare repository elsewhere, for a workspace in which something was handed over and sealed."""
    driver.start()
    driver.finish()
    seal_and_anchor(now=NOON)
    place = tmp_path / "elsewhere.git"
    subprocess.run(["git", "init", "-q", "--bare", place], check=True)
    settings.WORKSPACE_REMOTE = str(place)
    cache.delete(KEY)
    yield place
    cache.delete(KEY)


def heads_of(place: Path) -> set[str]:
    words = ["git", "-C", place, "for-each-ref", "--format=%(refname) %(objectname)"]
    return set(subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines())


def test_fr009_both_branches_stand_at_the_second_remote_and_what_stands_there_is_not_sent_again(
    remote: Path, settings
) -> None:
    thread = push_beside(lambda: NOON)
    assert thread is not None
    thread.join()
    space = Workspace(settings.WORKSPACE_DIR)
    assert heads_of(remote) == {
        f"refs/heads/main {space.head()}",
        f"refs/heads/history {space.seals_head()}",
    }
    assert not push_now(lambda: NOON), "there is nothing new"


def test_fr009_what_the_second_remote_has_is_never_overwritten_and_operating_says_why(
    remote: Path, driver: Driver, settings
) -> None:
    assert push_now(lambda: NOON)
    other = ["git", "-C", settings.WORKSPACE_DIR, "-c", "user.name=o", "-c", "user.email=o@localhost"]
    tree = subprocess.run([*other, "rev-parse", "HEAD^{tree}"], check=True, capture_output=True, text=True)
    made = subprocess.run(
        [*other, "commit-tree", "-m", "later", "-p", "HEAD", tree.stdout.strip()],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    subprocess.run([*other, "push", "-q", remote, f"{made}:refs/heads/main"], check=True)
    cache.delete(KEY)
    assert not push_now(lambda: NOON + timedelta(hours=1))
    assert f"refs/heads/main {made}" in heads_of(remote)
    shown = words(signed_in(driver.cast.approver).get(reverse("operating")))
    assert "Second remote" in shown
    assert "rejected" in shown


def test_fr009_a_remote_that_is_not_there_is_told_and_one_that_hangs_is_given_up(
    remote: Path, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not push_now(lambda: NOON, seconds=0.0)
    assert "not done after 0 seconds" in remote_seen().trouble
    remote.rename(remote.with_name("gone"))
    assert not push_now(lambda: NOON)
    assert remote_seen().trouble
    assert remote_seen().pushed_at is None
    remote.with_name("gone").rename(remote)
    assert push_now(lambda: NOON)
    assert remote_seen().trouble == ""
    assert remote_seen().pushed_at == NOON


def test_without_the_setting_nothing_is_pushed(settings) -> None:
    settings.WORKSPACE_REMOTE = ""
    assert push_beside(lambda: NOON) is None
    assert remote_seen() is None


@pytest.mark.parametrize(
    "address",
    [
        "--upload-pack=touch /tmp/x",
        "-x",
        "ext::sh -c touch% /tmp/x",
        "http://example.org/x.git",
        "ssh://-oProxyCommand=x/y",
        "ssh://me@-oProxyCommand=x/y",
        "https://example.org/a b",
        "https://example.org/a\nb",
        "relative/path",
        "git@example.org:x.git",
        "https:///x",
    ],
)
def test_b2_an_address_that_git_could_read_otherwise_is_none(address: str) -> None:
    assert not is_remote_address(address)


@pytest.mark.parametrize(
    "address",
    ["https://example.org/x.git", "ssh://git@example.org:2222/srv/x.git", "/srv/x.git", "file:///srv/x.git"],
)
def test_addresses_of_repositories_are_taken(address: str) -> None:
    assert is_remote_address(address)


def test_an_address_is_shown_without_its_password() -> None:
    assert address_shown("https://me:hidden@example.org/x.git") == "https://example.org/x.git"
    assert address_shown("/srv/x.git") == "/srv/x.git"
