"""Access tokens: JWTs of one kind, signed by HMAC with SHA-256; no other kind is read.

A token begins with the one head that is written here, byte for byte, so that none can say how it is
to be checked. A library that reads every kind brings 8 MB, a tenth of what the role has.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final

import msgspec

ISSUER: Final = "syndicate-gateway"
AUDIENCE: Final = "syndicate-api"


class Claims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a token says.

    Attributes:
        sub: the session.
        iat, exp: when it was made, and until when it counts; seconds since 1970.
        jti: makes two tokens of a session two texts.
    """

    sub: str
    iat: int
    exp: int
    jti: str
    iss: str = ISSUER
    aud: str = AUDIENCE


def _written(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


_HEAD: Final = _written(b'{"alg":"HS256","typ":"JWT"}')


def write_token(claims: Claims, key: bytes) -> str:
    """Return a token that a key signs."""
    told = f"{_HEAD}.{_written(msgspec.json.encode(claims))}"
    return f"{told}.{_signature(told, key)}"


def read_token(token: str, key: bytes) -> Claims | None:
    """Return what a token says; None where the key has not signed it just so."""
    told, _, signature = token.rpartition(".")
    head, _, body = told.partition(".")
    # Compared as texts: what is signed can be written in one way only.
    expected = _signature(told, key).encode()
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), expected) or head != _HEAD:
        return None
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=="), type=Claims)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        return None
    return claims if (claims.iss, claims.aud) == (ISSUER, AUDIENCE) else None


def _signature(told: str, key: bytes) -> str:
    return _written(hmac.digest(key, told.encode("utf-8", "replace"), hashlib.sha256))
