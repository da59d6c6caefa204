"""A word of our own that stands in the SQL itself and not among its parameters."""

from typing import Any

from django.db.models import Value


class Word(Value):
    """Where an index holds only the rows with one word, such as those that still wait, databases use it for
    statements that name the word, and not for a parameter that might be any."""

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[str | int, ...]]:
        word = str(self.value)
        if not word.replace("-", "").replace("_", "").isalpha():
            raise ValueError(f"{word!r} is no word of ours.")
        return f"'{word}'", ()
