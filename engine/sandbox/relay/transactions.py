"""Signed transactions as a builder of blocks reads them: who pays what, with which nonce."""

from dataclasses import dataclass
from typing import Any, Final

import rlp
from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from engine.domain.errors import BadValueError

_FIELDS: Final = 12
_UNSIGNED: Final = 9
_ADDRESS_BYTES: Final = 20
_DYNAMIC_FEE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTransaction:
    """A transaction with a dynamic fee (EIP-1559) and its signature.

    Attributes:
        raw: as it is sent.
        hash: 0x and digits.
        sender, to: addresses in lower case; `to` is empty where a contract is made.
        gas: the most that it may use.
    """

    raw: bytes
    hash: str
    sender: str
    to: str
    chain_id: int
    nonce: int
    gas: int
    max_fee_wei: int
    max_tip_wei: int
    value_wei: int
    data: bytes

    def call(self) -> dict[str, str]:
        """Return it as nodes simulate it."""
        return {
            "from": self.sender,
            **({"to": self.to} if self.to else {}),
            "nonce": hex(self.nonce),
            "gas": hex(self.gas),
            "maxFeePerGas": hex(self.max_fee_wei),
            "maxPriorityFeePerGas": hex(self.max_tip_wei),
            "value": hex(self.value_wei),
            "input": "0x" + self.data.hex(),
        }


def parse_transaction(raw: bytes) -> SignedTransaction:
    """Read a signed transaction.

    Raises:
        BadValueError: it is none, of another type, has a list of accesses, or nobody signed it.
    """
    if raw[:1] != bytes([_DYNAMIC_FEE]):
        raise BadValueError("only transactions with a dynamic fee (type 2) are taken here")
    try:
        fields: Any = rlp.decode(raw[1:])
    except (rlp.exceptions.RLPException, RecursionError) as error:
        raise BadValueError("this is no signed transaction") from error
    if not isinstance(fields, list) or len(fields) != _FIELDS:
        raise BadValueError(f"a signed transaction has {_FIELDS} fields")
    accesses = fields[8]
    plain = [one for index, one in enumerate(fields) if index != 8]  # noqa: PLR2004 - as above
    if any(not isinstance(one, bytes) for one in plain):
        raise BadValueError("a field of a signed transaction is a list")
    if accesses:
        raise BadValueError("a list of accesses is not understood here")
    if len(fields[5]) not in {0, _ADDRESS_BYTES}:
        raise BadValueError("a transaction's receiver is no address")
    numbers = [int.from_bytes(one) for one in (*fields[:5], fields[6], *fields[9:])]
    chain_id, nonce, tip, fee, gas, value, v, r, s = numbers
    if tip > fee:
        raise BadValueError(f"a tip of {tip} wei is more than the whole fee of {fee} wei")
    digest = keccak(raw[:1] + rlp.encode(fields[:_UNSIGNED]))
    try:
        key = Signature(vrs=(v, r, s)).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError, ValueError) as error:
        raise BadValueError("nobody signed this transaction") from error
    return SignedTransaction(
        raw=raw,
        hash="0x" + keccak(raw).hex(),
        sender=key.to_address(),
        to="0x" + fields[5].hex() if fields[5] else "",
        chain_id=chain_id,
        nonce=nonce,
        gas=gas,
        max_fee_wei=fee,
        max_tip_wei=tip,
        value_wei=value,
        data=fields[7],
    )
