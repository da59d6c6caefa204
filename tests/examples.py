"""Properties that are tried on random examples: few of them every day, many at night."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

Property = Callable[..., None]


def tried_on(few: int, many: int, **examples: SearchStrategy[Any]) -> Callable[[Property], Property]:
    """Make a test of a property of its arguments, tried on `few` examples, and on `many` with
    `make nightly`.
    """

    def decorate(holds: Property) -> Property:
        @pytest.mark.parametrize("count", [few, pytest.param(many, marks=pytest.mark.nightly)])
        def test(count: int) -> None:
            settings(
                max_examples=count, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
            )(given(**examples)(holds))()

        test.__name__, test.__doc__, test.__module__ = holds.__name__, holds.__doc__, holds.__module__
        return test

    return decorate
