"""Static files are collected again only when one of them changed."""

import pytest
from django.contrib.staticfiles.finders import get_finder

from orchestrator.management.static_stamp import collect_static


@pytest.fixture
def source(settings, tmp_path):
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "app.css").write_text("a { color: red }")
    settings.DATA_DIR, settings.STATIC_ROOT, settings.STATICFILES_DIRS = (
        tmp_path,
        tmp_path / "collected",
        [folder],
    )
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    get_finder.cache_clear()
    yield folder
    get_finder.cache_clear()


def test_files_are_collected_when_they_change_and_not_otherwise(source, settings):
    assert collect_static()
    assert not collect_static()
    (source / "app.css").write_text("a { color: dark-red }")
    assert collect_static()
    assert "dark-red" in (settings.STATIC_ROOT / "app.css").read_text()
    (source / "app.css").unlink()
    assert collect_static()
    assert not (settings.STATIC_ROOT / "app.css").exists()
