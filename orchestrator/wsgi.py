"""The WSGI entry point that `processes/web_server.py` serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from orchestrator.core.collector import collect_seldom

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator.settings")
# A server that was not started by `manage.py serve` writes for its own account alone, too.
os.umask(0o077)
application = get_wsgi_application()
# What is loaded now stays. A full collection in a request would go through all of it, for a fifth of a
# second.
gc.collect()
gc.freeze()
collect_seldom()
