"""Kraken: the path with a digest of number and body, signed by HMAC-SHA512."""

import base64
import binascii
import hashlib
import hmac
from urllib.parse import urlencode

from engine.domain.errors import SettingsError
from engine.gateways.calls import Call, SignedCall
from engine.signing.venue_auth.auth import VenueKey


class KrakenAuth:
    """Obeys `Authentication`."""

    def __init__(self, key: VenueKey) -> None:
        """Make it of a key.

        Raises:
            SettingsError: its secret is no base64.
        """
        try:
            self._secret = base64.b64decode(key.secret, validate=True)
        except (ValueError, binascii.Error) as error:
            raise SettingsError(f"the secret of key {key.name} of kraken is no base64") from error
        if not self._secret:
            raise SettingsError(f"the secret of key {key.name} of kraken is empty")
        self._name = key.name

    def sign(self, call: Call, *, now_ms: int, nonce: int) -> SignedCall:  # noqa: ARG002
        """See `Authentication.sign`; the latest time is the order's own."""
        body = urlencode({"nonce": str(nonce), **call.fields})
        return SignedCall(
            method=call.method,
            target=call.path,
            headers={
                "API-Key": self._name,
                "API-Sign": self.signature(call.path, nonce, body),
                "Content-Type": "application/x-www-form-urlencoded",
            },
            body=body.encode(),
        )

    def signature(self, path: str, nonce: int, body: str) -> str:
        """Sign a path with the number and body of its call."""
        digest = hashlib.sha256(f"{nonce}{body}".encode()).digest()
        signed = hmac.new(self._secret, path.encode() + digest, hashlib.sha512).digest()
        return base64.b64encode(signed).decode()
