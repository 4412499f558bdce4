"""Binance: parameters with the time, and their signature by HMAC or Ed25519.

rest-api.md, "SIGNED endpoint security": what is signed is the query as it is written, after it was
percent-encoded. An Ed25519 key is given in PEM; everything else is the secret of an HMAC.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from engine.domain.errors import SettingsError
from engine.gateways.binance.stream import RECV_WINDOW_MS
from engine.gateways.calls import Call, SignedCall
from engine.gateways.stream import is_of_socket
from engine.signing.venue_auth.auth import VenueKey

_PEM: Final = "-----BEGIN"


class BinanceAuth:
    """Obeys `Authentication`."""

    def __init__(self, key: VenueKey) -> None:
        """Make it of a key.

        Raises:
            SettingsError: it is neither a private key of Ed25519 nor a secret.
        """
        self._name = key.name
        self._headers: Mapping[str, str] = {"X-MBX-APIKEY": key.name}
        self._sign = signer_of(key)

    def sign(self, call: Call, *, now_ms: int, nonce: int) -> SignedCall:  # noqa: ARG002
        """See `Authentication.sign`; there are no nonces."""
        if is_of_socket(call):
            return self._message(call, now_ms)
        timed = {**call.fields, "recvWindow": RECV_WINDOW_MS, "timestamp": now_ms}
        text = urlencode(timed, quote_via=quote)
        signature = quote(self._sign(text.encode()), safe="")
        # All of it in the query, whatever the method: one place, one order, one signature.
        target = f"{call.path}?{text}&signature={signature}"
        return SignedCall(method=call.method, target=target, headers=self._headers)

    def _message(self, call: Call, now_ms: int) -> SignedCall:
        """Write a message of the WebSocket interface: its parameters are signed by their names."""
        fields: Mapping[str, Any] = call.fields
        asked = {**fields["params"], "apiKey": self._name, "timestamp": now_ms}
        text = urlencode(sorted(asked.items()), quote_via=quote)
        params = {**asked, "signature": self._sign(text.encode())}
        body = msgspec.json.encode({**fields, "params": params})
        return SignedCall(method=call.method, target=call.path, headers={}, body=body)


def signer_of(key: VenueKey) -> Callable[[bytes], str]:
    """Return what signs a text with a key.

    Raises:
        SettingsError: it is neither a private key of Ed25519 nor a secret.
    """
    return _ed25519(key) if key.secret.lstrip().startswith(_PEM) else _hmac(key)


def _hmac(key: VenueKey) -> Callable[[bytes], str]:
    if not key.secret.isascii() or not key.secret:
        raise SettingsError(f"the secret of key {key.name} of binance is empty or not ASCII")
    secret = key.secret.encode()
    return lambda text: hmac.new(secret, text, hashlib.sha256).hexdigest()


def _ed25519(key: VenueKey) -> Callable[[bytes], str]:
    try:
        private = load_pem_private_key(key.secret.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise _no_key(key) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise _no_key(key)
    return lambda text: base64.b64encode(private.sign(text)).decode()


def _no_key(key: VenueKey) -> SettingsError:
    return SettingsError(f"the private key of {key.name} of binance is no Ed25519 key in PEM")
