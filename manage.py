#!/usr/bin/env python3
"""Django's command line; `python manage.py help` lists the orchestrator's own commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator.settings")
    # Whatever is written from here on is for this account alone (orchestrator/management/private_data.py).
    os.umask(0o077)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
