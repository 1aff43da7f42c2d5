"""Values as a configuration file spells them."""

from __future__ import annotations

import json
from collections.abc import Sequence


def toml(value: str | Sequence[str]) -> str:
    """JSON's strings and arrays of strings are TOML's too, but for the character DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
