"""Collect static files only when one of them changed: hashing and compressing them takes seconds."""

import hashlib

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

STAMP = "static.stamp"


def collect_static() -> bool:
    """Bring `STATIC_ROOT` up to date; false when nothing had changed since the last time."""
    stamp, path = _fingerprint(), settings.DATA_DIR / STAMP
    if settings.STATIC_ROOT.is_dir() and path.exists() and path.read_text() == stamp:
        return False
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    path.write_text(stamp)
    return True


def _fingerprint() -> str:
    """Names, sizes and times of every file that would be collected, and how they are stored."""
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list(["CVS", ".*", "*~"]), key=lambda item: item[0]):
            changed = storage.get_modified_time(name).timestamp()
            digest.update(f"{name}\0{storage.size(name)}\0{changed}\n".encode())
    return digest.hexdigest()
