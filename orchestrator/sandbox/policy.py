"""What one run may touch and use, as a value: made by the one who starts a tool, kept by `launch`.

Named tuples, because `launch` starts with every tool and data classes alone would cost a third of its time.
"""

import json
from typing import Any, NamedTuple

MEGABYTE = 1024 * 1024


class ToolLimits(NamedTuple):
    """Numbers that a run may not pass; sizes in bytes, 0 for no limit."""

    processes: int = 256
    memory: int = 2048 * MEGABYTE
    file_size: int = 512 * MEGABYTE
    open_files: int = 1024
    cpu_seconds: int = 600


class Layers(NamedTuple):
    """Which protections are used: the Landlock ABI (0 for none), namespaces, the filter of system calls,
    another user.

    `user` is the user id that a tool gets when root starts it, 0 for its starter's own.
    """

    landlock: int = 0
    namespaces: bool = False
    filter: bool = False
    user: int = 0


def temporary_in(scratch: str) -> str:
    """The temporary folder of a run, which the tool may write; beside it stand things that it may not."""
    return f"{scratch}/temporary"


class SandboxPolicy(NamedTuple):
    """`read` and `write` are absolute paths and hold for everything below them; nothing else exists for the
    tool.

    `fixed` are paths below `write` that stay as they are. `scratch` is an empty folder of the run; in it lies
    `temporary`, the tool's own temporary folder.
    """

    read: tuple[str, ...]
    write: tuple[str, ...]
    scratch: str
    directory: str
    fixed: tuple[str, ...] = ()
    network: bool = False
    limits: ToolLimits = ToolLimits()
    layers: Layers = Layers()

    @property
    def temporary(self) -> str:
        return temporary_in(self.scratch)

    def text(self) -> str:
        return json.dumps(
            {**self._asdict(), "limits": self.limits._asdict(), "layers": self.layers._asdict()}
        )

    @classmethod
    def from_text(cls, text: str) -> "SandboxPolicy":
        told = json.loads(text)
        made: dict[str, Any] = {name: tuple(told.pop(name)) for name in ("read", "write", "fixed")}
        made |= {"limits": ToolLimits(**told.pop("limits")), "layers": Layers(**told.pop("layers"))}
        return cls(**made, **told)
