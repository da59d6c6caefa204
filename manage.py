#!/usr/bin/env python3
"""Django's command line; `python manage.py help` lists the orchestrator's own commands."""

import os
import select
import sys

#: What a shell says of a command that wrote to a pipe whose reader had left.
READER_LEFT = 141


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator.settings")
    # Whatever is written from here on is for this account alone (orchestrator/management/private_data.py).
    os.umask(0o077)
    from django.core.management import execute_from_command_line

    from orchestrator.management.begun import not_begun

    if said := not_begun(sys.argv[1:]):
        sys.exit(said)

    try:
        try:
            execute_from_command_line(sys.argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        if not _reader_left():
            raise
        sys.exit(READER_LEFT)
    except Exception as error:
        from orchestrator.management.wrong_database import wrong_database

        if said := wrong_database(error):
            sys.exit(said)
        raise


def _reader_left() -> bool:
    """Whether nobody reads the output any more, as behind `head`; what is left of it goes nowhere then."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    if not output.poll(0):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


if __name__ == "__main__":
    main()
