"""JSON as one text for one value: names sorted, no spaces, signs as they are (FR-009).

What RFC 8785 writes of text, whole numbers and truth values under ASCII names.
"""

import json
from typing import Final

#: Raises TypeError for what JSON has not, ValueError for what holds itself.
json_text: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
