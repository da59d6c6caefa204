"""The worker of a coding agent that the server starts: `orchestrator work`, whose log is masked like all
that the server keeps (AD-6, FR-009)."""

import os
import sys

from orchestrator.client.__main__ import main
from orchestrator.client.printed import MASKS
from orchestrator.core.secrets import SECRET_NAME, Masker


def known_secrets() -> dict[str, str]:
    """What the environment calls a secret; the worker is given none of the server's own."""
    named = os.environ.get("MASKED_NAMES", "").replace(",", " ").split()
    return {
        name: value
        for name, value in os.environ.items()
        if value and (name in named or SECRET_NAME.fullmatch(name))
    }


if __name__ == "__main__":
    masker = Masker(known_secrets())
    MASKS.append(lambda text: masker.mask(text).text)
    sys.exit(main(sys.argv[1:]))
