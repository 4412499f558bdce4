"""What is asked of a node for sending, and what its answers mean: pure, with no answer trusted."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from eth_hash.auto import keccak

from engine.chains.gas.base_fee import BASE_FEE_MAX_WEI, GAS_MAX, FeeHeader
from engine.chains.gas.data_fee import Fork, L1Terms, operator_fee_wei
from engine.chains.ports import Json, Refusal
from engine.chains.ports import NodeError as NodeError  # noqa: PLC0414 - whoever asks meets it
from engine.chains.rpc.parsing import (
    BLOCK_NUMBER_MAX,
    SECOND_MAX,
    parse_bytes,
    parse_hash,
    parse_quantity,
)
from engine.domain.errors import BadValueError
from engine.sending.facts import Answer, Landed

TRANSFER: Final = keccak(b"Transfer(address,address,uint256)")
_BALANCE_OF: Final = keccak(b"balanceOf(address)")[:4]
_RECOVERY: Final = keccak(b"RECOVERY()")[:4]
_OWNER: Final = keccak(b"owner()")[:4]
_WORD: Final = 32
_FEE_MAX: Final = 10**24

_ANSWERS: Final[Sequence[tuple[str, Answer]]] = (
    ("already known", Answer.KNOWN),
    ("already imported", Answer.KNOWN),
    ("known transaction", Answer.KNOWN),
    ("underpriced", Answer.UNDERPRICED),
    ("fee too low", Answer.UNDERPRICED),
    ("less than block base fee", Answer.UNDERPRICED),
    ("nonce too low", Answer.NONCE_USED),
    ("nonce is too low", Answer.NONCE_USED),
    ("insufficient funds", Answer.NO_FUNDS),
)
"""What nodes say, in lower case (go-ethereum, reth, anvil), and what it means; anything else that
they refuse with is a plain refusal."""


class HeadNow(msgspec.Struct, frozen=True, kw_only=True):
    """A newest block, and the newest final one's number.

    Attributes:
        fees: what of its header decides the next base fee.
        miner, randomness: as the next block is simulated with.
        final_hash: of the newest final block, empty where nodes name none.
    """

    hash: str
    ts: int
    final: int
    final_hash: str = ""
    fees: FeeHeader
    miner: str
    randomness: bytes

    @property
    def number(self) -> int:
        """Of the block."""
        return self.fees.number


def parse_head(newest: Json, final: Json) -> HeadNow:
    """Read two blocks.

    Raises:
        BadValueError: they cannot be.
    """
    block = _object(newest, "the newest block")
    number = parse_quantity(block.get("number"), "a block's number", most=BLOCK_NUMBER_MAX)
    final_block = {"number": "0x0"} if final is None else _object(final, "the final block")
    final_number = parse_quantity(
        final_block.get("number"), "a final block's number", most=BLOCK_NUMBER_MAX
    )
    return HeadNow(
        hash=parse_hash(block.get("hash"), "a block's hash"),
        ts=parse_quantity(block.get("timestamp"), "a block's time", most=SECOND_MAX),
        final=min(final_number, number),
        final_hash=""
        if final is None
        else parse_hash(final_block.get("hash"), "a final block's hash"),
        fees=FeeHeader(
            number=number,
            base_fee_wei=parse_quantity(
                block.get("baseFeePerGas", "0x0"), "a base fee", most=BASE_FEE_MAX_WEI
            ),
            gas_used=parse_quantity(block.get("gasUsed"), "gas used", most=GAS_MAX),
            gas_limit=parse_quantity(block.get("gasLimit"), "a gas limit", most=1 << 60),
            extra=parse_bytes(block.get("extraData", "0x"), "extra data"),
        ),
        miner=str(block.get("miner", "0x" + "0" * 40)),
        randomness=parse_bytes(block.get("mixHash") or "0x" + "00" * 32, "randomness"),
    )


def parse_landed(said: Json) -> Landed | None:
    """Read a receipt, None where there is none.

    Raises:
        BadValueError: it cannot be.
    """
    if said is None:
        return None
    receipt = _object(said, "a receipt")
    return Landed(
        hash=parse_hash(receipt.get("transactionHash"), "a transaction's hash"),
        block=parse_quantity(receipt.get("blockNumber"), "a block's number", most=BLOCK_NUMBER_MAX),
        block_hash=parse_hash(receipt.get("blockHash"), "a block's hash"),
        is_success=parse_quantity(receipt.get("status"), "a status", most=1) == 1,
        gas_used=parse_quantity(receipt.get("gasUsed"), "gas used", most=GAS_MAX),
        gas_price_wei=parse_quantity(
            receipt.get("effectiveGasPrice"), "a gas price", most=BASE_FEE_MAX_WEI
        ),
        data_fee_wei=parse_quantity(receipt.get("l1Fee") or "0x0", "an L1 fee", most=10**18)
        + _operator_wei(receipt),
    )


def _operator_wei(receipt: dict[str, Json]) -> int:
    """Return what a rollup's operator took beside gas and bytes, which no receipt says in sum.

    A receipt since Jovian has a scalar of its footprint, and with it another formula.
    """
    if "operatorFeeScalar" not in receipt and "operatorFeeConstant" not in receipt:
        return 0
    scalar, constant = (
        parse_quantity(receipt.get(name) or "0x0", "an operator's fee", most=most)
        for name, most in (("operatorFeeScalar", 2**32 - 1), ("operatorFeeConstant", 2**64 - 1))
    )
    is_jovian = receipt.get("daFootprintGasScalar") is not None
    terms = L1Terms(
        fork=Fork.JOVIAN if is_jovian else Fork.ISTHMUS,
        base_fee_wei=0,
        blob_base_fee_wei=0,
        base_fee_scalar=0,
        blob_base_fee_scalar=0,
        operator_scalar=scalar,
        operator_constant=constant,
    )
    return operator_fee_wei(terms, parse_quantity(receipt.get("gasUsed"), "gas used", most=GAS_MAX))


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A token's `Transfer` event: believed of tokens that were probed, and compared with balances.

    Attributes:
        token, source, target: addresses in lower case.
    """

    token: str
    source: str
    target: str
    amount_raw: int


def parse_moved(said: Json) -> tuple[Moved, ...]:
    """Read the transfers of a receipt, in their order.

    Raises:
        BadValueError: they cannot be.
    """
    logs = _object(said, "a receipt").get("logs")
    if not isinstance(logs, list):
        raise BadValueError("a receipt has no list of events")
    found = []
    for log in logs:
        event = _object(log, "an event")
        topics = event.get("topics")
        if not isinstance(topics, list) or len(topics) != 3:  # noqa: PLR2004 - of a Transfer
            continue
        kind, source, target = (parse_bytes(one, "a topic") for one in topics)
        data = parse_bytes(event.get("data"), "an event's data")
        if kind == TRANSFER and len(data) == _WORD:
            found.append(
                Moved(
                    token=str(event.get("address")).lower(),
                    source="0x" + source[-20:].hex(),
                    target="0x" + target[-20:].hex(),
                    amount_raw=int.from_bytes(data),
                )
            )
    return tuple(found)


def parse_answer(error: NodeError | None) -> tuple[Answer, str]:
    """Return what a node's answer to a sending means; no answer at all is unclear."""
    if error is None:
        return Answer.TAKEN_IN, ""
    if error.refusal is not Refusal.REFUSED:
        return Answer.UNCLEAR, str(error)
    text = str(error).lower()
    for word, answer in _ANSWERS:
        if word in text:
            return answer, str(error)
    return Answer.REFUSED, str(error)


def balance_call(token: str, holder: str) -> dict[str, Any]:
    """Return the call that asks for a balance."""
    return {
        "to": token,
        "data": "0x" + (_BALANCE_OF + bytes.fromhex(holder[2:]).rjust(32, b"\0")).hex(),
    }


def owner_call(contract: str) -> dict[str, Any]:
    """Return the call that asks who owns a contract of ours."""
    return {"to": contract, "data": "0x" + _OWNER.hex()}


def recovery_call(contract: str) -> dict[str, Any]:
    """Return the call that asks our contract where gains go."""
    return {"to": contract, "data": "0x" + _RECOVERY.hex()}


def parse_word(said: Json, what: str) -> int:
    """Read one word of 32 bytes.

    Raises:
        BadValueError: it is none.
    """
    word = parse_bytes(said, what)
    if len(word) != _WORD:
        raise BadValueError(f"{what} has {len(word)} bytes, not {_WORD}")
    return int.from_bytes(word)


def _object(said: Json, what: str) -> dict[str, Json]:
    if not isinstance(said, dict):
        raise BadValueError(f"{what} is no object")
    return said
