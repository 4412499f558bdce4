"""Who signed a request to a relay: the header names an address and has its word on the body.

Fact: https://docs.flashbots.net/flashbots-auction/advanced/rpc-endpoint (authentication).
"""

import re
from typing import Final

from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from engine.domain.errors import BadValueError

HEADER: Final = "X-Flashbots-Signature"
_FORM: Final = re.compile(r"(0x[0-9a-fA-F]{40}):0x([0-9a-fA-F]{130})")
_V_BASE: Final = 27


def signer_of(body: bytes, header: str) -> str:
    """Return the address, in lower case, that signed a request.

    Raises:
        BadValueError: there is no signature, or it is not this address's of this body.
    """
    found = _FORM.fullmatch(header)
    if found is None:
        raise BadValueError(f"{HEADER} is no address, a colon and a signature of 65 bytes")
    address, raw = found[1].lower(), bytes.fromhex(found[2])
    # Some sign with 0 and 1 at the end, most with 27 and 28.
    v = raw[64] - _V_BASE if raw[64] >= _V_BASE else raw[64]
    text = b"0x" + keccak(body).hex().encode()
    digest = keccak(b"\x19Ethereum Signed Message:\n%d" % len(text) + text)
    try:
        signature = Signature(vrs=(v, int.from_bytes(raw[:32]), int.from_bytes(raw[32:64])))
        signer = signature.recover_public_key_from_msg_hash(digest).to_address()
    except (BadSignature, ValidationError, ValueError) as error:
        raise BadValueError(f"{HEADER} has no signature: {error}") from error
    if signer != address:
        raise BadValueError(f"the signature of {HEADER} is not {address}'s of this body")
    return address
