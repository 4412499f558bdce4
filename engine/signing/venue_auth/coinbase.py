"""Coinbase: a token for each call, signed by a key of P-256 or Ed25519 (RFC 7519, RFC 7515).

The key's name is `organizations/.../apiKeys/...`; its secret is a PEM of P-256, or the base64 of an
Ed25519 seed, with or without its public half. The body is no part of what is signed: the same bytes
may go again with another token.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

import msgspec
from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS, eddsa

from engine.domain.errors import SettingsError
from engine.gateways.calls import Call, SignedCall
from engine.gateways.coinbase.gateway import TOKEN_S
from engine.signing.venue_auth.auth import VenueKey

HOST: Final = "api.coinbase.com"

_PEM: Final = "-----BEGIN"
_SEED_BYTES: Final = 32
_KEY_BYTES: Final = (32, 64)


class CoinbaseAuth:
    """Obeys `Authentication`."""

    def __init__(self, key: VenueKey) -> None:
        """Make it of a key.

        Raises:
            SettingsError: its secret is neither a PEM of P-256 nor an Ed25519 key in base64.
        """
        self._name = key.name
        self._algorithm, self._sign = signer_of(key)

    def sign(self, call: Call, *, now_ms: int, nonce: int) -> SignedCall:
        """See `Authentication.sign`."""
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
        header = {"alg": self._algorithm, "kid": self._name, "nonce": nonce, "typ": "JWT"}
        claims: dict[str, object] = {
            "sub": self._name,
            "iss": "cdp",
            "nbf": now_s,
            "exp": now_s + TOKEN_S,
        }
        if uri:
            claims["uri"] = uri
        text = f"{_part(msgspec.json.encode(header))}.{_part(msgspec.json.encode(claims))}"
        return f"{text}.{_part(self._sign(text.encode()))}"


def signer_of(key: VenueKey) -> tuple[str, Callable[[bytes], bytes]]:
    """Return the algorithm's name, and what signs a text with a key.

    Raises:
        SettingsError: it is neither a PEM of P-256 nor an Ed25519 key in base64.
    """
    try:
        if key.secret.lstrip().startswith(_PEM):
            return "ES256", _p256(key.secret)
        return "EdDSA", _ed25519(key.secret)
    except (ValueError, TypeError, binascii.Error) as error:
        raise SettingsError(
            f"the secret of key {key.name} of coinbase is neither a PEM of P-256 nor an Ed25519 key"
            " in base64"
        ) from error


def _p256(secret: str) -> Callable[[bytes], bytes]:
    # Where it was copied from a file of JSON, its lines are still joined by backslash n.
    private = ECC.import_key(secret.replace("\\n", "\n"))
    if private.curve != "NIST P-256":
        raise ValueError(private.curve)
    signer = DSS.new(private, "fips-186-3")
    return lambda text: bytes(signer.sign(SHA256.new(text)))


def _ed25519(secret: str) -> Callable[[bytes], bytes]:
    raw = base64.b64decode(secret, validate=True)
    if len(raw) not in _KEY_BYTES:
        raise ValueError(len(raw))
    signer = eddsa.new(eddsa.import_private_key(raw[:_SEED_BYTES]), "rfc8032")
    return lambda text: bytes(signer.sign(text))


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
