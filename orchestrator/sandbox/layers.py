"""Which protections this machine has, and whether they suffice."""

import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Final

from orchestrator.core.errors import ToolsUnprotected
from orchestrator.sandbox import kernel, landlock, start
from orchestrator.sandbox.policy import Layers

#: The user that tools run as when root starts them; no account has this number.
USER: Final = 64123


def missing(layers: Layers) -> Sequence[str]:
    """What these layers leave open, in words; nothing when they suffice."""
    held = {
        "files outside the worktree": layers.namespaces or bool(layers.landlock),
        # The filter counts only with Landlock, without which other processes' memory could be written.
        "other processes": layers.namespaces
        or layers.landlock >= landlock.SIGNALS_FROM
        or bool(layers.landlock and layers.filter),
        "the network and local sockets": layers.namespaces or layers.filter,
    }
    return [what for what, is_held in held.items() if not is_held]


def described(layers: Layers) -> str:
    """The layers as people call them."""
    names = [
        "namespaces" if layers.namespaces else "",
        f"Landlock (ABI {layers.landlock})" if layers.landlock else "",
        "a filter of system calls" if layers.filter else "",
        f"a user of their own ({layers.user})" if layers.user else "",
    ]
    used = [name for name in names if name]
    return f"{', '.join(used[:-1])} and {used[-1]}" if len(used) > 1 else "".join(used) or "nothing"


@cache
def found() -> Layers:
    """The layers that work here, tried by running a program with them: all at once, else each alone."""
    if not kernel.LINUX:
        return Layers()
    abi, user = landlock.version(), 0 if os.getuid() else USER
    everything = Layers(abi, namespaces=True, filter=True, user=user)
    if abi and _works(everything):
        return everything
    return Layers(
        landlock=abi if abi and _works(Layers(landlock=abi)) else 0,
        namespaces=_works(Layers(namespaces=True)),
        filter=_works(Layers(filter=True)),
        # Another user reaches the worktree and the interpreter only in a root folder that is made for it.
        user=user if user and _works(Layers(namespaces=True, user=user)) else 0,
    )


def sufficient() -> Layers:
    """The layers that work here. Raises `ToolsUnprotected` when they leave something open."""
    layers = found()
    if open_ := missing(layers):
        raise ToolsUnprotected(
            f"This machine cannot keep tools from {' and from '.join(open_)}: it has {described(layers)}."
        )
    return layers


def told(sandbox: str) -> str:
    """One sentence for the operator: which protections are in force, by the setting `TOOLS_SANDBOX`."""
    if sandbox == "off":
        return "Tools run unprotected (TOOLS_SANDBOX=off): what a step runs may do whatever the server may."
    try:
        return f"Tools run shut in by {described(sufficient())}."
    except ToolsUnprotected as refusal:
        return f"Tool steps are refused. {refusal.message} {refusal.way_out}"


def _works(layers: Layers) -> bool:
    try:
        return start.tried([sys.executable, "-I", "-S", "-c", ""], layers)
    except OSError:
        return False
