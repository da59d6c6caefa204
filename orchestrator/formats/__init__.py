"""How dates are written wherever Django writes them: as on the pages (`templatetags/ledger.py`)."""
