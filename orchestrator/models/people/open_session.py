"""Sessions of browsers, each with the account that is signed in by it (FR-011, ASVS 7.5.2)."""

from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class OpenSession(AbstractBaseSession):
    """Django's row of a session. What is known of the browser is part of its data, and goes with it."""

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="open_sessions"
    )

    @classmethod
    def get_session_store_class(cls) -> type[DatabaseStore]:
        return SessionStore


class SessionStore(DatabaseStore):
    """What `SESSION_ENGINE` names: Django's store, which writes down whose session it is."""

    @classmethod
    def get_model_class(cls) -> type[AbstractBaseSession]:
        return OpenSession

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        assert isinstance(row, OpenSession), "it is made of the class that is named above"
        row.account_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        return row
