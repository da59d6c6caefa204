"""JSON as one text for one value: names sorted, no spaces, signs as they are (FR-009).

What RFC 8785 writes of text, whole numbers and truth values under ASCII names. Python's own writer makes its
writer in C anew for every value; here it is made once, which halves the time of small values.
"""

import json
import json.encoder
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, Final

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_MAKE: Final = getattr(json.encoder, "c_make_encoder", None)


def _writer() -> Callable[[Any], str]:
    if _MAKE is None:  # an interpreter without it
        return _ENCODER.encode
    parts = _MAKE(None, _ENCODER.default, encode_basestring, None, ":", ",", True, False, True)
    return lambda value: "".join(parts(value, 0))


#: Raises TypeError for what JSON has not, RecursionError for what holds itself.
json_text: Final = _writer()
