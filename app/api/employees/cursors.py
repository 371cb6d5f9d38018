"""Where a page of a listing ends, as a text that callers give back and do not read."""

from __future__ import annotations

import base64
import binascii

from app.domain import errors

_CURSOR_PREFIX = b"k1:"
_LARGEST_KEY = 2**63 - 1


def encode_cursor(key: int) -> str:
    """Return the opaque cursor for the page after ``key``."""
    return base64.urlsafe_b64encode(_CURSOR_PREFIX + str(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """Return the key in a cursor; raises ``InvalidCursorError``."""
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = int(content.removeprefix(_CURSOR_PREFIX))
    except (binascii.Error, ValueError):
        raise errors.InvalidCursorError("the cursor is not one of this service") from None
    if not content.startswith(_CURSOR_PREFIX) or not 0 <= key <= _LARGEST_KEY:
        raise errors.InvalidCursorError("the cursor is not one of this service")
    return key
