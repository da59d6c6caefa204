"""Passwords that others lost: a file of them, which the operator may have downloaded, is asked (FR-011)."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

#: Hexadecimal digits of a SHA-1.
_DIGITS = 40


def is_breached(password: str, file: Path) -> bool:
    """Whether the file has its SHA-1. It has one a line, in their order, and what stands behind it is not
    read: some gigabytes are asked in a few dozen reads. Nothing leaves this machine."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with file.open("rb") as lines:
        lines.seek(_place_of(wanted, lines))
        return _digest(lines.readline()) == wanted


def _place_of(wanted: bytes, lines: BinaryIO) -> int:
    """Where the first line begins that is not before it."""
    low, high = 0, lines.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        lines.seek(max(middle - 1, 0))
        if middle:
            lines.readline()
        line = lines.readline()
        if line and _digest(line) < wanted:
            low = lines.tell()
        else:
            high = middle
    return low


def _digest(line: bytes) -> bytes:
    return line[:_DIGITS].upper()


class BreachedPasswords:
    """Asked by Django wherever a password is chosen, where `BREACHED_PASSWORDS` names a file."""

    def validate(self, password: str, _user: User | None = None) -> None:
        if not settings.BREACHED_PASSWORDS:
            return
        try:
            found = is_breached(password, Path(settings.BREACHED_PASSWORDS))
        except OSError as problem:
            raise ValidationError(
                "The list of breached passwords cannot be read, so no password can be chosen now. "
                "Tell an operator of this server: BREACHED_PASSWORDS names it.",
                code="breached_passwords_unreadable",
            ) from problem
        if found:
            raise ValidationError(
                "This password is in a list of passwords that were stolen elsewhere. Choose another one, and "
                "change it wherever else you use it.",
                code="password_breached",
            )

    def get_help_text(self) -> str:
        if not settings.BREACHED_PASSWORDS:
            return ""
        return "Your password can’t be one of those that were stolen elsewhere."
