"""Messages of the queue that were signed with an earlier key are read while `SECRET_KEY_FALLBACKS` has it.

The queue's library knows the present key only, so a change of it would lose whatever waits.
"""

from typing import Any

from django.conf import settings
from django_q import core_signing
from django_q.conf import Conf
from django_q.signing import BadSignature, PickleSerializer, SignedPackage


def read_earlier_keys() -> None:
    """From now on this process reads messages under any known key, and signs with the present one."""
    SignedPackage.loads = staticmethod(loads)


def loads(message: str) -> Any:
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return core_signing.loads(message, key=key, salt=Conf.PREFIX, serializer=PickleSerializer)
        except BadSignature:
            continue
    raise BadSignature("The message was signed with a key that is not known here.")
