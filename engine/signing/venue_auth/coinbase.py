"""Coinbase: a token for each call, signed by a key of P-256 or Ed25519 (RFC 7519).

The key's name is `organizations/.../apiKeys/...`; its secret is a PEM of P-256, or the base64 of an
Ed25519 seed, with or without its public half. The body is no part of what is signed: the same bytes
may go again with another token.
"""

import base64
import binascii
from typing import Final
from urllib.parse import urlencode

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from engine.domain.errors import SettingsError
from engine.gateways.calls import Call, SignedCall
from engine.gateways.coinbase.gateway import TOKEN_S
from engine.gateways.stream import is_of_socket
from engine.signing.venue_auth.auth import VenueKey

HOST: Final = "api.coinbase.com"

_PEM: Final = "-----BEGIN"
_SEED_BYTES: Final = 32
_KEY_BYTES: Final = (32, 64)

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey


class CoinbaseAuth:
    """Obeys `Authentication`."""

    def __init__(self, key: VenueKey) -> None:
        """Make it of a key.

        Raises:
            SettingsError: its secret is neither a PEM of P-256 nor an Ed25519 key in base64.
        """
        self._name = key.name
        self._private = private_key_of(key)
        is_edwards = isinstance(self._private, Ed25519PrivateKey)
        self._algorithm = "EdDSA" if is_edwards else "ES256"

    def sign(self, call: Call, *, now_ms: int, nonce: int) -> SignedCall:
        """See `Authentication.sign`; a message of the stream has its token within it."""
        if is_of_socket(call):
            token = self.token(uri="", now_s=now_ms // 1_000, nonce=f"{nonce:032x}")
            body = msgspec.json.encode({**call.fields, "jwt": token})
            return SignedCall(method=call.method, target=call.path, headers={}, body=body)
        uri = f"{call.method} {HOST}{call.path}"
        token = self.token(uri=uri, now_s=now_ms // 1_000, nonce=f"{nonce:032x}")
        headers = {"Authorization": f"Bearer {token}"}
        if call.method == "GET":
            query = urlencode(call.fields, doseq=True)
            target = f"{call.path}?{query}" if query else call.path
            return SignedCall(method=call.method, target=target, headers=headers)
        return SignedCall(
            method=call.method,
            target=call.path,
            headers={**headers, "Content-Type": "application/json"},
            body=msgspec.json.encode(call.fields),
        )

    def token(self, *, uri: str, now_s: int, nonce: str) -> str:
        """Make a token; for the user stream `uri` is empty."""
        claims: dict[str, object] = {
            "sub": self._name,
            "iss": "cdp",
            "nbf": now_s,
            "exp": now_s + TOKEN_S,
        }
        if uri:
            claims["uri"] = uri
        headers = {"kid": self._name, "nonce": nonce}
        return jwt.encode(claims, self._private, algorithm=self._algorithm, headers=headers)


def private_key_of(key: VenueKey) -> PrivateKey:
    """Read the secret of a key.

    Raises:
        SettingsError: it is neither a PEM of P-256 nor an Ed25519 key in base64.
    """
    try:
        if key.secret.lstrip().startswith(_PEM):
            return _p256(key.secret)
        return _ed25519(key.secret)
    except (ValueError, TypeError, binascii.Error) as error:
        raise SettingsError(
            f"the secret of key {key.name} of coinbase is neither a PEM of P-256 nor an Ed25519 key"
            " in base64"
        ) from error


def _p256(secret: str) -> PrivateKey:
    # Where it was copied from a file of JSON, its lines are still joined by backslash n.
    private = load_pem_private_key(secret.replace("\\n", "\n").encode(), password=None)
    if not isinstance(private, EllipticCurvePrivateKey) or not isinstance(private.curve, SECP256R1):
        raise TypeError(type(private))
    return private


def _ed25519(secret: str) -> PrivateKey:
    raw = base64.b64decode(secret, validate=True)
    if len(raw) not in _KEY_BYTES:
        raise ValueError(len(raw))
    return Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])
