#!/usr/bin/env python3
"""Django's command line; `python manage.py help` lists the orchestrator's own commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator.settings")
    # Whatever is written from here on is for this account alone (orchestrator/management/private_data.py).
    os.umask(0o077)
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        from orchestrator.management.wrong_database import wrong_database

        if said := wrong_database(error):
            sys.exit(said)
        raise


if __name__ == "__main__":
    main()
