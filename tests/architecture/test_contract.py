"""What REST answers is what its views declare."""

from typing import get_origin, get_type_hints

from ninja.operation import Operation

from orchestrator.api.root import api


def operations() -> list[Operation]:
    paths = [view for _, router in api._routers for view in router.path_operations.values()]
    return [operation for view in paths for operation in view.operations]


def test_no_view_answers_with_a_tuple() -> None:
    """django-ninja reads a tuple of two as status and body: two rows would answer with a server error."""
    every = operations()
    wrong = [
        one.view_func.__name__ for one in every if _is_a_tuple(get_type_hints(one.view_func).get("return"))
    ]
    assert len(every) > 50
    assert wrong == []


def _is_a_tuple(answer: object) -> bool:
    return answer is tuple or get_origin(answer) is tuple
