"""Bitstamp: all of a call in one text, signed by HMAC-SHA256 (API v2 authentication)."""

import hashlib
import hmac
import uuid
from typing import Final
from urllib.parse import urlencode

from engine.domain.errors import SettingsError
from engine.gateways.calls import Call, SignedCall
from engine.signing.venue_auth.auth import VenueKey

HOST: Final = "www.bitstamp.net"

_FORM: Final = "application/x-www-form-urlencoded"
_VERSION: Final = "v2"
_NOTHING: Final = "foo=bar"
"""What stands in a body that asks for nothing: an empty one is refused."""


class BitstampAuth:
    """Obeys `Authentication`."""

    def __init__(self, key: VenueKey) -> None:
        """Make it of a key.

        Raises:
            SettingsError: its secret is empty or not ASCII.
        """
        if not key.secret or not key.secret.isascii():
            raise SettingsError(f"the secret of key {key.name} of bitstamp is empty or not ASCII")
        self._auth = f"BITSTAMP {key.name}"
        self._secret = key.secret.encode()

    def sign(self, call: Call, *, now_ms: int, nonce: int) -> SignedCall:
        """See `Authentication.sign`; a nonce has the form of a UUID and counts once in 150 s."""
        unique = str(uuid.UUID(bytes=hashlib.blake2b(str(nonce).encode(), digest_size=16).digest()))
        body = urlencode(call.fields) or _NOTHING
        parts = (call.method, HOST, call.path, _FORM, unique, str(now_ms), _VERSION, body)
        return SignedCall(
            method=call.method,
            target=call.path,
            headers={
                "X-Auth": self._auth,
                "X-Auth-Signature": self.signature(self._auth + "".join(parts)),
                "X-Auth-Nonce": unique,
                "X-Auth-Timestamp": str(now_ms),
                "X-Auth-Version": _VERSION,
                "Content-Type": _FORM,
            },
            body=body.encode(),
        )

    def signature(self, text: str) -> str:
        """Sign a text."""
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
