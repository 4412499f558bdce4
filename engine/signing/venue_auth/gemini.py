"""Gemini: all of a call in one header, signed by HMAC-SHA384; the body stays empty."""

import base64
import hashlib
import hmac
from typing import Final

import msgspec

from engine.domain.errors import SettingsError
from engine.gateways.calls import Call, SignedCall
from engine.gateways.stream import is_of_socket
from engine.signing.venue_auth.auth import VenueKey

_MS_PER_S: Final = 1_000


class GeminiAuth:
    """Obeys `Authentication`."""

    def __init__(self, key: VenueKey) -> None:
        """Make it of a key.

        Raises:
            SettingsError: its secret is empty or not ASCII.
        """
        if not key.secret or not key.secret.isascii():
            raise SettingsError(f"the secret of key {key.name} of gemini is empty or not ASCII")
        self._name = key.name
        self._secret = key.secret.encode()

    def sign(self, call: Call, *, now_ms: int, nonce: int) -> SignedCall:
        """See `Authentication.sign`; the number is the time where the key is made so."""
        if is_of_socket(call):
            return self._socket(call, now_ms // _MS_PER_S)
        content = {"request": call.path, "nonce": str(nonce), **call.fields}
        payload = base64.b64encode(msgspec.json.encode(content))
        return SignedCall(
            method=call.method,
            target=call.path,
            headers={
                "Content-Type": "text/plain",
                "Content-Length": "0",
                "Cache-Control": "no-cache",
                "X-GEMINI-APIKEY": self._name,
                "X-GEMINI-PAYLOAD": payload.decode(),
                "X-GEMINI-SIGNATURE": self.signature(payload),
            },
        )

    def _socket(self, call: Call, now_s: int) -> SignedCall:
        """Sign the socket's own request: of that the number is the time, whatever the key's are."""
        payload = base64.b64encode(str(now_s).encode())
        return SignedCall(
            method=call.method,
            target=call.path,
            headers={
                "X-GEMINI-APIKEY": self._name,
                "X-GEMINI-NONCE": str(now_s),
                "X-GEMINI-PAYLOAD": payload.decode(),
                "X-GEMINI-SIGNATURE": self.signature(payload),
            },
            body=msgspec.json.encode(call.fields),
        )

    def signature(self, payload: bytes) -> str:
        """Sign what the payload's header holds; of a stream that is the number alone."""
        return hmac.new(self._secret, payload, hashlib.sha384).hexdigest()
