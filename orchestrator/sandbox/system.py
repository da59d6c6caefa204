"""What every program may read: the system's programs and libraries, and our interpreter with its packages."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from orchestrator.core.errors import ToolsUnprotected

#: Parts of a folder that programs are installed in. Its other parts are somebody's: `/usr/src/app`, a venv's
#: `var`.
PARTS: Final = ("bin", "sbin", "include", "lib", "lib32", "lib64", "libexec", "share", "ssl", "pyvenv.cfg")
PREFIXES: Final = ("/", "/usr", "/usr/local")
STORES: Final = ("/nix/store", "/gnu/store")
#: Of /etc what programs need to start, to name users and to check certificates; no keys and no passwords.
SETTINGS: Final = (
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
)
#: More of it for tools that may use the network.
NAMES_OF_MACHINES: Final = (
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/services",
)
PROCESSORS: Final = "/sys/devices/system/cpu"


def readable(*, network: bool, private: Iterable[Path]) -> tuple[str, ...]:
    """Absolute paths, each as it is written and as it really is.

    Raises `ToolsUnprotected` when one of them holds a private folder: then it could not be kept from the
    tools.
    """
    interpreter = sorted({sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix})
    named = [os.path.join(prefix, part) for prefix in (*PREFIXES, *interpreter) for part in PARTS]
    named += [*STORES, *SETTINGS, PROCESSORS, *(NAMES_OF_MACHINES if network else ())]
    found = dict.fromkeys(
        path for name in named for path in (name, os.path.realpath(name)) if os.path.lexists(path)
    )
    for folder in private:
        for path in found:
            if folder.resolve().is_relative_to(path):
                raise ToolsUnprotected(
                    f"{folder} lies in {path}, which tools have to read.",
                    recovery="Move DATA_DIR and REPOSITORIES_DIR out of the interpreter's folder "
                    "and the system's.",
                )
    return tuple(found)
