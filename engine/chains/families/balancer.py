"""Pools of Balancer V2, whose tokens one vault holds: what it tells of them, and what all have.

A pool is its id in the vault, of which the first twenty bytes are the contract that says its
prices. That contract tells of fees and rates under its own address, which is known to be of a pool
once that was read.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from engine.chains.families.reading import NotReadError, answered
from engine.chains.families.words import (
    WORD,
    address_at,
    call_data,
    check_starts,
    check_words,
    flag,
    selector,
    signed,
    topic,
    unsigned,
)
from engine.chains.ports import BlockRef, Call, Log, ReadAgain, Reader
from engine.domain.errors import BadValueError
from engine.domain.pools import TOKENS_MAX, Pool
from engine.pools.blocks import PoolMoved
from engine.pools.moves import FlowsMove

SWAP: Final = topic("Swap(bytes32,address,address,uint256,uint256)")
POOL_BALANCE_CHANGED: Final = topic(
    "PoolBalanceChanged(bytes32,address,address[],int256[],uint256[])"
)
POOL_BALANCE_MANAGED: Final = topic("PoolBalanceManaged(bytes32,address,address,int256,int256)")
VAULT_TOPICS: Final = frozenset((SWAP, POOL_BALANCE_CHANGED, POOL_BALANCE_MANAGED))

FEE_CHANGED: Final = topic("SwapFeePercentageChanged(uint256)")
PAUSE_CHANGED: Final = topic("PausedStateChanged(bool)")
RECOVERY_CHANGED: Final = topic("RecoveryModeStateChanged(bool)")
OWN_TOPICS: Final = frozenset((FEE_CHANGED, PAUSE_CHANGED, RECOVERY_CHANGED))
"""Of the pool's own contract."""

GET_POOL_TOKENS: Final = selector("getPoolTokens(bytes32)")
GET_FEE: Final = call_data(selector("getSwapFeePercentage()"))
GET_PAUSED: Final = call_data(selector("getPausedState()"))
IN_RECOVERY: Final = call_data(selector("inRecoveryMode()"))
HEAD_CALLS: Final = 4

FEE_ONE: Final = 10**18
_ID_CHARACTERS = 2 + 2 * WORD
_ADDRESS_CHARACTERS = 2 + 40
_TOPICS = 4
_T = TypeVar("_T")
_LIST_MAX = TOKENS_MAX + 1
"""A pool's tokens, and its own share among them."""


class Vault:
    """What the vault of a chain says of its pools, and which contracts are theirs."""

    def __init__(self, vaults: frozenset[str]) -> None:
        """Take the vault of a chain.

        Raises:
            BadValueError: it has several.
        """
        if len(vaults) != 1:
            raise BadValueError(f"{len(vaults)} vaults of Balancer V2; a chain has one")
        (self.address,) = vaults
        self._ids: dict[str, str] = {}

    def address_of(self, log: Log) -> str:
        """Return the id of the pool that an event of the vault or of the pool's contract is about.

        Raises:
            BadValueError: it cannot be an event of such a pool.
        """
        if log.address != self.address:
            return self._ids.get(log.address, log.address)
        if len(log.topics) < 2 or len(log.topics[1]) != WORD:  # noqa: PLR2004 - kind, id
            raise BadValueError("an event of a Balancer pool without its id")
        return "0x" + log.topics[1].hex()

    def change_of(self, pool: Pool, log: Log) -> PoolMoved | ReadAgain | None:
        """Return what flowed in and out, of the pool's tokens but for its own share.

        Raises:
            BadValueError: it cannot be an event of such a pool.
        """
        kind = log.topics[0]
        if kind not in VAULT_TOPICS:
            return ReadAgain(why="its contract told of another fee, rate or pause")
        if log.address != self.address:
            return None  # anybody's contract may use the words of the vault
        if kind == SWAP:
            flows = _swapped(log)
        elif kind == POOL_BALANCE_MANAGED:
            flows = _managed(log)
        else:
            flows = _joined(log)
        own = contract_of(pool)
        flows_raw = [0] * len(pool.token_addresses)
        for token, flow in flows:
            if token == own:
                continue
            if token not in pool.token_addresses:
                raise BadValueError(f"{token} flowed, which is no token of pool {pool.pool_id}")
            flows_raw[pool.token_addresses.index(token)] += flow
        if not any(flows_raw):
            return None
        return PoolMoved(address=pool.address, move=FlowsMove(flows_raw=tuple(flows_raw)))

    async def heads(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list["PoolHead | NotReadError"]:
        """Read what every pool has.

        Raises:
            NodeError: nothing could be read.
        """
        calls = []
        for pool in pools:
            own = contract_of(pool)
            self._ids[own] = pool.address
            calls += [
                Call(self.address, call_data(GET_POOL_TOKENS, _number(pool))),
                *(Call(own, data) for data in (GET_FEE, GET_PAUSED, IN_RECOVERY)),
            ]
        answers = await reader.call(calls, at)
        heads: list[PoolHead | NotReadError] = []
        for index, pool in enumerate(pools):
            try:
                start = index * HEAD_CALLS
                heads.append(_head(pool, answers[start : start + HEAD_CALLS]))
            except NotReadError as error:
                heads.append(error)
            except BadValueError as error:
                heads.append(NotReadError(str(error)))
        return heads


class PoolHead(NamedTuple):
    """What every pool has.

    `share_at` is where its own share stands among the vault's tokens, if it does; `is_late` tells
    contracts of 2022 and later, which have a mode of recovery.
    """

    pool: Pool
    balances_raw: tuple[int, ...]
    fee_e18: int
    share_at: int | None
    is_late: bool


def contract_of(pool: Pool) -> str:
    """Return the contract of a pool from its id."""
    return pool.address[:_ADDRESS_CHARACTERS]


def numbers(data: bytes, index: int, *, what: str) -> tuple[int, ...]:
    """Return a list of numbers whose place stands in a word.

    Raises:
        BadValueError: the place or the length is beyond the data, or beyond any pool's.
    """
    place = unsigned(check_starts(data, index + 1, what=what), index)
    if place % WORD or place > len(data) - WORD:
        raise BadValueError(f"{what} stands at byte {place} of {len(data)}")
    start = place // WORD
    count = unsigned(data, start)
    if count > _LIST_MAX:
        raise BadValueError(f"{count} of {what}; a pool has {_LIST_MAX} at most")
    check_starts(data, start + 1 + count, what=what)
    return tuple(unsigned(data, start + 1 + one) for one in range(count))


def without_share(values: Sequence[_T], head: PoolHead) -> tuple[_T, ...]:
    """Return what is said of all tokens, without what is said of the pool's own share."""
    return tuple(one for index, one in enumerate(values) if index != head.share_at)


def _number(pool: Pool) -> int:
    digits = pool.address.removeprefix("0x")
    try:
        return int(digits, 16) if len(pool.address) == _ID_CHARACTERS else 0
    except ValueError:
        return 0


def _head(pool: Pool, answers: Sequence[bytes | None]) -> PoolHead:
    if not _number(pool):
        raise NotReadError("its address is no id of a pool of Balancer V2")
    held = answered(answers[0], 3, what="tokens in the vault")
    words = numbers(held, 0, what="tokens")
    tokens = tuple(f"0x{one:040x}" for one in words)
    balances = numbers(held, 1, what="balances")
    if len(tokens) != len(balances):
        raise NotReadError(f"{len(tokens)} tokens and {len(balances)} balances in the vault")
    if flag(answered(answers[2], 1, what="pause"), 0, what="its pause"):
        raise NotReadError("it is paused")
    is_late = answers[3] is not None
    if is_late and flag(answered(answers[3], 1, what="mode of recovery"), 0, what="recovery"):
        raise NotReadError("it is in recovery mode")
    own = contract_of(pool)
    head = PoolHead(
        pool=pool,
        balances_raw=balances,
        fee_e18=unsigned(answered(answers[1], 1, what="fee"), 0),
        share_at=tokens.index(own) if own in tokens else None,
        is_late=is_late,
    )
    if without_share(tokens, head) != pool.token_addresses:
        raise NotReadError(f"the vault has it with {len(tokens)} other tokens than it is known by")
    return head._replace(balances_raw=without_share(balances, head))


def _swapped(log: Log) -> tuple[tuple[str, int], ...]:
    data = check_words(log.data, 2, what="a Swap")
    token_in, token_out = _topic_address(log, 2), _topic_address(log, 3)
    return (token_in, unsigned(data, 0)), (token_out, -unsigned(data, 1))


def _managed(log: Log) -> tuple[tuple[str, int], ...]:
    data = check_words(log.data, 2, what="a PoolBalanceManaged")
    return ((_topic_address(log, 3), signed(data, 0) + signed(data, 1)),)


def _joined(log: Log) -> tuple[tuple[str, int], ...]:
    """Return what came or went, less what the protocol took of it."""
    what = "a PoolBalanceChanged"
    tokens = numbers(log.data, 0, what=f"tokens of {what}")
    deltas = numbers(log.data, 1, what=f"deltas of {what}")
    fees = numbers(log.data, 2, what=f"fees of {what}")
    if not len(tokens) == len(deltas) == len(fees):
        raise BadValueError(f"{what} of {len(tokens)} tokens, {len(deltas)} and {len(fees)}")
    return tuple(
        (f"0x{token:040x}", _signed(delta) - fee)
        for token, delta, fee in zip(tokens, deltas, fees, strict=True)
    )


def _signed(word: int) -> int:
    return word - (1 << 256) if word >> 255 else word


def _topic_address(log: Log, index: int) -> str:
    if len(log.topics) != _TOPICS or len(log.topics[index]) != WORD:
        raise BadValueError(f"an event of a Balancer pool with {len(log.topics)} topics")
    return address_at(log.topics[index], 0, what="a token")
