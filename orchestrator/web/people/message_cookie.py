"""Where a page's next message waits: in a cookie of this host alone, if browsers come over TLS (FR-011)."""

from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class CookieOfThisHost(CookieStorage):
    cookie_name = "__Host-messages"


class MessagesOfThisHost(FallbackStorage):
    """What is too long for a cookie waits in the session, as it does without TLS."""

    storage_classes = (CookieOfThisHost, SessionStorage)
