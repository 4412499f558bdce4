"""What Telegram gives a page that somebody opened: signed by keys of ours in Telegram's place."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine.domain.people import Person, Rank
from engine.facade.web import PageTerms

BOT_ID = 123_456_789
_KEY = hmac.new(b"WebAppData", b"a token of nobody", hashlib.sha256).digest()
_TELEGRAM = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)

PEOPLE = (Person(7, Rank.ADMIN), Person(8, Rank.VIEWER))


def page_terms(**changes: Any) -> PageTerms:
    """Return terms that believe these keys."""
    terms: dict[str, Any] = {
        "bot_id": BOT_ID,
        "key": _KEY,
        "people": PEOPLE,
        "age_s_max": 300,
        "telegram_key": _TELEGRAM.public_key().public_bytes_raw(),
    }
    return PageTerms(**terms | changes)


def opened(user_id: int, at_s: int, **changes: str) -> str:
    """Return what the page gets when a person opens it."""
    user = {"id": user_id, "first_name": "A + é", "language_code": "en", "is_premium": True}
    return signed(
        {
            "user": json.dumps(user, ensure_ascii=False, separators=(",", ":")),
            "chat_instance": "8134722200314281151",
            "chat_type": "private",
            "auth_date": str(at_s),
            **changes,
        }
    )


def signed(
    fields: Mapping[str, str], *, key: bytes = _KEY, telegram: Ed25519PrivateKey = _TELEGRAM
) -> str:
    """Return fields with both signatures."""
    text = f"{BOT_ID}:WebAppData\n{_lines(fields)}"
    signature = base64.urlsafe_b64encode(telegram.sign(text.encode())).decode().rstrip("=")
    all_fields = {**fields, "signature": signature}
    digest = hmac.new(key, _lines(all_fields).encode(), hashlib.sha256).hexdigest()
    return urlencode({**all_fields, "hash": digest}, quote_via=quote)


def _lines(fields: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
