"""FR-009: every column of every table is spoken of by the history, is made again from something else, or is
named with the reason why nothing is decided by it."""

from django.apps import apps

from orchestrator.queries.base.covered import APART, BY_MODEL, COVERED

MODELS = list(apps.get_app_config("orchestrator").get_models())
WITHOUT = {name for names in APART for name in names.split()}


def test_fr009_every_table_is_declared_once() -> None:
    names = {model.__name__ for model in MODELS}
    declared = {model.__name__ for model in BY_MODEL}
    assert (declared | WITHOUT, declared & WITHOUT) == (names, set())
    assert len(BY_MODEL) == len(COVERED)
    assert all(APART.values())


def test_fr009_every_column_is_declared_once() -> None:
    wrong = {}
    for one in COVERED:
        columns = {field.attname for field in one.model._meta.concrete_fields if not field.primary_key}
        said = [*(name for part in one.parts for name in part.columns), *one.derived, *one.apart]
        odd = (columns ^ set(said)) | {name for name in said if said.count(name) > 1}
        if odd:
            wrong[one.model.__name__] = sorted(odd)
        assert all([*one.derived.values(), *one.apart.values()])
    assert wrong == {}


def test_fr009_every_part_has_a_word_of_its_own() -> None:
    kinds = [part.kind for one in COVERED for part in one.parts]
    assert len(kinds) == len(set(kinds))
