"""A prepared query answers as the same query made anew does, whatever it was asked before."""

import threading

import pytest
from django.db import connection
from django.db.models import QuerySet

from orchestrator.models import Task
from orchestrator.queries.base.prepared import STAND_IN, Prepared


@Prepared
def placed(workstream: int, ids: list[int], gates: bool) -> QuerySet[Task, tuple[int, str]]:
    tasks = Task.objects.filter(workstream=workstream, pk__in=ids, step__parallel=False)
    tasks = tasks.exclude(step__gate_kind="") if gates else tasks
    return tasks.order_by("pk").values_list("pk", "step__key")


@Prepared
def whole(ids: list[int]) -> QuerySet[Task]:
    return (
        Task.objects.filter(pk__in=ids)
        .select_related("step")
        .prefetch_related("step__criteria")
        .order_by("pk")
    )


def test_every_call_has_its_own_arguments(driver):
    first = driver.start()
    keys = dict(Task.objects.filter(workstream=first).values_list("pk", "step__key"))
    for count in (1, 2, 3, 5, len(keys)):
        some = sorted(keys)[:count]
        assert placed(first.pk, some, False) == [(pk, keys[pk]) for pk in some]
        assert [task.step.key for task in whole(some)] == [keys[pk] for pk in some]
    assert [key for _, key in placed(first.pk, sorted(keys), True)] == ["MP1"]
    assert placed(first.pk + 1, sorted(keys), False) == []
    assert placed(first.pk, [], False) == []


def test_rows_are_read_anew_and_related_ones_come_with_them(driver, django_assert_num_queries):
    driver.start()
    pk = driver.task("A1").pk
    whole([pk])
    Task.objects.filter(pk=pk).update(breadcrumb="half done")
    with django_assert_num_queries(2):
        (task,) = whole([pk])
        assert (task.breadcrumb, task.step.key, len(task.step.criteria.all())) == ("half done", "A1", 1)


def test_no_stand_in_reaches_the_database(driver):
    driver.start()
    pk = driver.task("A1").pk
    sent: list[object] = []

    def watch(execute, sql, params, many, context):
        sent.extend(params)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        placed(driver.workstream.pk, [pk], False)
    assert pk in sent
    assert not [one for one in sent if isinstance(one, int) and one >= STAND_IN]


@pytest.mark.django_db(transaction=True)
def test_threads_use_their_own_connection(driver):
    driver.start()
    pk = driver.task("A1").pk
    whole([pk])
    found: list[str] = []

    def ask() -> None:
        found.extend(task.step.key for task in whole([pk]))
        connection.close()

    other = threading.Thread(target=ask)
    other.start()
    other.join()
    assert found == ["A1"]
