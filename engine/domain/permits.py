"""Permits: by whose word a plan may be carried out where a person has to allow it.

A permit names an approval of one plan, or a mandate that covers many. Whoever carries a plan out
looks the permit up again; nothing that was shown in a chat is trusted.
"""

import base64
import hashlib
from enum import StrEnum
from typing import Final

import msgspec

_DOMAIN: Final = b"syndicate-plan-1"
_DIGEST_BYTES: Final = 16
_SHOWN_BITS_OF: Final = 5
_SHOWN_HALF: Final = 3


class PermitKind(StrEnum):
    """What a permit rests on."""

    APPROVAL = "approval"
    MANDATE = "mandate"


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """By whose word a plan is carried out.

    Attributes:
        id: of the approval or mandate.
        digest: of the terms that were approved; empty for a mandate.
    """

    kind: PermitKind
    id: str
    digest: str = ""


def digest_of_terms(content: bytes) -> str:
    """Return the digest of the canonical form of terms: BLAKE2b of 16 bytes, in hexadecimal."""
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES, person=_DOMAIN).hexdigest()


def shown_digest(digest: str) -> str:
    """Return a digest as a person can compare it: six letters and digits, as ``7K2-QX9``."""
    text = base64.b32encode(bytes.fromhex(digest)[:_SHOWN_BITS_OF]).decode()
    return f"{text[:_SHOWN_HALF]}-{text[_SHOWN_HALF : 2 * _SHOWN_HALF]}"
