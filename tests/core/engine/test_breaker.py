"""The circuit breaker's rule (FR-027, EC-6)."""

import pytest

from orchestrator.core.engine.breaker import Failure, normalised, tripped


def failures(*errors: str) -> list[Failure]:
    return [Failure(number, error) for number, error in enumerate(errors, start=1)]


def test_it_trips_at_the_number_of_attempts_the_step_allows() -> None:
    assert tripped(failures("disk full"), 2) is None
    trip = tripped(failures("disk full", "network down"), 2)
    assert trip is not None
    assert (trip.attempts, trip.alike, trip.error) == ((1, 2), False, "network down")


def test_without_a_number_in_the_plan_three_failures_are_too_many() -> None:
    assert tripped(failures("one", "two"), 0) is None
    assert tripped(failures("one", "two", "three"), 0) is not None


def test_the_same_error_three_times_trips_even_when_more_attempts_are_allowed() -> None:
    assert tripped(failures("a", "b", "c", "d"), 9) is None
    trip = tripped(failures("no licence", "other", "no licence", "no licence"), 9)
    assert trip is not None
    assert (trip.attempts, trip.alike) == ((1, 3, 4), True)
    assert tripped(failures("no licence", "no licence", "no licence", "another one"), 9) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3 failed in 0.53s", "4 failed in 12.1s"),
        ("object at 0x7f3a91 died", "object at 0x5501ff died"),
        ("no file /tmp/run-1/a.txt here", "no file /var/x/b.txt here"),
        ("at commit 4e5a9c1b2 line 7", "at commit 77ab01c9d line 91"),
        ("Timeout   after\n30 s", "timeout after 31 s"),
    ],
)
def test_what_differs_from_run_to_run_does_not_make_another_error(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


def test_other_words_make_another_error() -> None:
    assert normalised("connection refused") != normalised("connection reset")


def test_the_note_says_what_failed_how_often_and_shows_the_last_error() -> None:
    trip = tripped(failures("timeout", "x" * 5000, "disk full"), 0)
    assert trip is not None
    assert "failed 3 times (attempts 1, 2, 3)" in trip.note
    assert trip.note.endswith("The last error: disk full")
    long = tripped(failures("x" * 5000), 1)
    assert long is not None
    assert "failed once (attempt 1)" in long.note
    assert len(long.note) < 1500
