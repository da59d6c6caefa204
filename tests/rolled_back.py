"""Transactions around the examples of one test: what the acts inside take and write is a
transaction of each.
"""

from django.db import transaction
from django.db.transaction import Atomic


def around_an_example() -> Atomic:
    """As Django's own transaction around a test case; the caller rolls it back."""
    around = transaction.atomic()
    around._from_testcase = True
    return around
