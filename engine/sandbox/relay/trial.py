"""What transactions would do in a block that is not made: a node carries them out and forgets it.

The node's chain, which others read at the same time, stays as it is (``eth_simulateV1``): a
snapshot that is mined and reverted would show them what is sealed, and a block that never was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.sandbox.relay.transactions import SignedTransaction
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc

BUILDER: Final = "0x0000000000000000000000000000000000b1d00d"
"""Who makes the blocks, and is paid for it."""

_READER: Final = "0x0000000000000000000000000000000000b1d00e"
_ASKER: Final = "0x0000000000000000000000000000000000b1d00f"
_READ_BALANCE: Final = "0x41315f5260205ff3"
"""COINBASE BALANCE PUSH0 MSTORE, and 32 bytes of that returned."""

_READ_GAS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTerms:
    """What is settled of a block before it is made.

    Attributes:
        ts: its time in seconds.
    """

    number: int
    ts: int
    base_fee_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one transaction.

    Attributes:
        paid_wei: to the builder, tip and transfers together.
        why: it fails; empty if it does not.
    """

    paid_wei: int
    gas_used: int
    why: str = ""


def tried(
    rpc: Rpc, terms: BlockTerms, transactions: Sequence[SignedTransaction]
) -> list[Outcome] | str:
    """Carry transactions out on the newest state, or say why they cannot be in the block at all.

    Raises:
        OSError: the node is away.
    """
    if why := _why_not(rpc, terms, transactions):
        return why
    reading = {
        "from": _ASKER,
        "to": _READER,
        "gas": hex(_READ_GAS),
        "maxFeePerGas": hex(terms.base_fee_wei),
        "maxPriorityFeePerGas": "0x0",
    }
    calls: list[dict[str, str]] = [reading]
    for one in transactions:
        calls += [one.call(), reading]
    block = {
        "blockOverrides": {
            "number": hex(terms.number),
            "time": hex(terms.ts),
            "baseFeePerGas": hex(terms.base_fee_wei),
            "feeRecipient": BUILDER,
        },
        "stateOverrides": {
            _READER: {"code": _READ_BALANCE},
            _ASKER: {"balance": hex(10**24)},
        },
        "calls": calls,
    }
    try:
        (made,) = rpc.ask("eth_simulateV1", {"blockStateCalls": [block]}, "latest")
    except NodeSaidNoError as error:
        return str(error)
    try:
        return _outcomes(made["calls"])
    except (KeyError, ValueError) as error:
        return f"the node does not say what becomes of it: {error}"


def logs_of(rpc: Rpc, transaction: SignedTransaction) -> list[Any]:
    """Return the events that a transaction would cause on the newest state; none if it fails.

    Raises:
        OSError: the node is away.
    """
    try:
        (made,) = rpc.ask(
            "eth_simulateV1", {"blockStateCalls": [{"calls": [transaction.call()]}]}, "latest"
        )
    except NodeSaidNoError:
        return []
    found: list[Any] = made["calls"][0].get("logs") or []
    return found


def _why_not(rpc: Rpc, terms: BlockTerms, transactions: Sequence[SignedTransaction]) -> str:
    """Say what a simulation does not look at: nonces, and whether the base fee is paid."""
    senders = sorted({one.sender for one in transactions})
    counts = rpc.ask_all([("eth_getTransactionCount", (one, "latest")) for one in senders])
    next_of = {sender: int(count, 16) for sender, count in zip(senders, counts, strict=True)}
    for one in transactions:
        if one.nonce != next_of[one.sender]:
            return f"{one.hash} has nonce {one.nonce}, the next is {next_of[one.sender]}"
        next_of[one.sender] += 1
        if one.max_fee_wei < terms.base_fee_wei:
            return (
                f"{one.hash} pays {one.max_fee_wei} wei for gas, the block asks for"
                f" {terms.base_fee_wei}"
            )
    return ""


def _outcomes(said: Sequence[Any]) -> list[Outcome]:
    balances = [int(one["returnData"], 16) for one in said[::2]]
    return [
        Outcome(
            paid_wei=after - before,
            gas_used=int(one["gasUsed"], 16),
            why="" if one["status"] == "0x1" else _cause(one),
        )
        for one, before, after in zip(said[1::2], balances[:-1], balances[1:], strict=True)
    ]


def _cause(said: Any) -> str:
    error = said.get("error")
    text = error.get("message", "") if isinstance(error, dict) else ""
    return f"reverted: {text}"[:200]
