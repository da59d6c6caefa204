"""The rule for passwords that Django does not have: none is made of the words of the place (FR-011)."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from orchestrator.core.people.passwords import LETTERS_BESIDE, PRODUCT_WORDS, words_in, words_of


def words_of_the_place() -> list[str]:
    """The product's, the hosts' that it is reached by, and the operator's own (`PASSWORD_WORDS`)."""
    hosts = [*settings.ALLOWED_HOSTS, urlsplit(settings.PUBLIC_URL).hostname or ""]
    return words_of([*PRODUCT_WORDS, *hosts, *settings.PASSWORD_WORDS])


class WordsOfThePlace:
    """Asked by Django wherever a password is chosen: on pages, in the administration, by commands."""

    def validate(self, password: str, _user: User | None = None) -> None:
        found, beside = words_in(password, words_of_the_place())
        if found and beside < LETTERS_BESIDE:
            raise ValidationError(
                f"The password is made of words that belong to this place: {', '.join(found)}. "
                f"Beside them it needs at least {LETTERS_BESIDE} letters.",
                code="password_words_of_the_place",
            )

    def get_help_text(self) -> str:
        return (
            "Your password can’t be made of words that belong to this place, such as its name, its address "
            f"or the name of a role; beside them it needs at least {LETTERS_BESIDE} letters."
        )
