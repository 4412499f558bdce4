"""How factories tell of a new pool, by make; an event that cannot be is refused by name.

Whoever deploys a factory writes what it tells. From an event of one in the table a pool is taken
over only as far as its address follows from what is told, or as far as the pool confirms it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.chains.discovery.found import FoundPool, PoolRefusal, PoolRefusedError
from engine.chains.families.words import address_at, check_words, flag, signed, topic, unsigned
from engine.chains.ports import Log
from engine.domain.dexes import Dex
from engine.domain.errors import BadValueError
from engine.domain.pools import Protocol
from engine.domain.tokens import NATIVE_ADDRESS
from engine.pools.integers import PIPS
from engine.pools.tick_table import TICK_SPACING_MAX

DYNAMIC_FEE_V4: Final = 0x800000
"""In place of a fee: a hook says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """An event that tells of a new pool.

    Attributes:
        topic_count, word_count: of the event, all topics counted; no other number of them is one.
        told: takes it apart.
    """

    topic: bytes
    topic_count: int
    word_count: int
    told: Callable[[Dex, Log], FoundPool]


def found_in(dex: Dex, log: Log) -> FoundPool:
    """Return the pool that a DEX's factory tells of.

    Raises:
        PoolRefusedError: it cannot be one, or none that can be followed.
    """
    made = ANNOUNCED[dex.protocol]
    if len(log.topics) != made.topic_count or log.topics[0] != made.topic:
        raise PoolRefusedError(
            PoolRefusal.MALFORMED, f"{len(log.topics)} topics are none of a new pool of {dex.name}"
        )
    try:
        check_words(log.data, made.word_count, what=f"a new pool of {dex.name}")
        found = made.told(dex, log)
    except BadValueError as error:
        raise PoolRefusedError(PoolRefusal.MALFORMED, str(error)) from error
    _check_tokens(found)
    return found


def _topic_address(log: Log, index: int) -> str:
    return address_at(log.topics[index], 0, what=f"topic {index}")


def _pair(dex: Dex, log: Log) -> FoundPool:
    return FoundPool(
        dex=dex,
        address=address_at(log.data, 0, what="the pair"),
        tokens=(_topic_address(log, 1), _topic_address(log, 2)),
        fee_pips=dex.fee_pips,
        serial=unsigned(log.data, 1),
        block=log.block_number,
    )


def _fee_tier(dex: Dex, log: Log) -> FoundPool:
    fee_pips = unsigned(log.topics[3], 0)
    _check_fee(fee_pips)
    _check_spacing(signed(log.data, 0))
    return FoundPool(
        dex=dex,
        address=address_at(log.data, 1, what="the pool"),
        tokens=(_topic_address(log, 1), _topic_address(log, 2)),
        fee_pips=fee_pips,
        number=fee_pips,
        block=log.block_number,
    )


def _algebra(dex: Dex, log: Log) -> FoundPool:
    return FoundPool(
        dex=dex,
        address=address_at(log.data, 0, what="the pool"),
        tokens=(_topic_address(log, 1), _topic_address(log, 2)),
        block=log.block_number,
    )


def _slipstream(dex: Dex, log: Log) -> FoundPool:
    spacing = signed(log.topics[3], 0)
    _check_spacing(spacing)
    return FoundPool(
        dex=dex,
        address=address_at(log.data, 0, what="the pool"),
        tokens=(_topic_address(log, 1), _topic_address(log, 2)),
        number=spacing,
        block=log.block_number,
    )


def _solidly(dex: Dex, log: Log) -> FoundPool:
    return FoundPool(
        dex=dex,
        address=address_at(log.data, 0, what="the pool"),
        tokens=(_topic_address(log, 1), _topic_address(log, 2)),
        number=flag(log.topics[3], 0, what="whether it is stable"),
        serial=unsigned(log.data, 1),
        block=log.block_number,
    )


def _solidly_v1(dex: Dex, log: Log) -> FoundPool:
    return FoundPool(
        dex=dex,
        address=address_at(log.data, 1, what="the pair"),
        tokens=(_topic_address(log, 1), _topic_address(log, 2)),
        number=flag(log.data, 0, what="whether it is stable"),
        serial=unsigned(log.data, 2),
        block=log.block_number,
    )


def _v4(dex: Dex, log: Log) -> FoundPool:
    fee_pips, spacing = unsigned(log.data, 0), signed(log.data, 1)
    hooks = address_at(log.data, 2, what="the hooks")
    _check_spacing(spacing)
    if hooks != NATIVE_ADDRESS:
        raise PoolRefusedError(PoolRefusal.HOOKS, f"its hooks {hooks} may change any amount")
    if fee_pips == DYNAMIC_FEE_V4:
        raise PoolRefusedError(PoolRefusal.HOOKS, "its fee is what a hook says, and it has none")
    _check_fee(fee_pips)
    return FoundPool(
        dex=dex,
        address="0x" + log.topics[1].hex(),
        tokens=(_topic_address(log, 2), _topic_address(log, 3)),
        fee_pips=fee_pips,
        number=spacing,
        block=log.block_number,
    )


def _balancer(dex: Dex, log: Log) -> FoundPool:
    pool_id, pool = log.topics[1], _topic_address(log, 2)
    if pool_id[:20].hex() != pool[2:]:
        raise BadValueError(f"the id 0x{pool_id.hex()} is none of the pool {pool}")
    return FoundPool(dex=dex, address="0x" + pool_id.hex(), block=log.block_number)


def _listed(dex: Dex, log: Log) -> FoundPool:
    raise BadValueError(f"event {log.index} of {dex.name} does not say where its pool is")


def _check_fee(fee_pips: int) -> None:
    if fee_pips >= PIPS:
        raise BadValueError(f"a fee of {fee_pips} of {PIPS}")


def _check_spacing(spacing: int) -> None:
    if not 1 <= spacing <= TICK_SPACING_MAX:
        raise BadValueError(f"its tick spacing is {spacing}")


def _check_tokens(found: FoundPool) -> None:
    if not found.tokens:
        return
    low, high = found.tokens
    may_be_native = found.dex.protocol is Protocol.UNISWAP_V4
    if not low < high or (low == NATIVE_ADDRESS and not may_be_native):
        raise PoolRefusedError(PoolRefusal.TOKENS, f"its tokens are {low} and {high}")
    if found.address in (NATIVE_ADDRESS, low, high, found.dex.factory):
        raise PoolRefusedError(PoolRefusal.TOKENS, f"it is at {found.address}, which is no pool")


PAIR: Final = Announcement(
    topic=topic("PairCreated(address,address,address,uint256)"),
    topic_count=3,
    word_count=2,
    told=_pair,
)
FEE_TIER: Final = Announcement(
    topic=topic("PoolCreated(address,address,uint24,int24,address)"),
    topic_count=4,
    word_count=2,
    told=_fee_tier,
)
ALGEBRA: Final = Announcement(
    topic=topic("Pool(address,address,address)"), topic_count=3, word_count=1, told=_algebra
)
SLIPSTREAM: Final = Announcement(
    topic=topic("PoolCreated(address,address,int24,address)"),
    topic_count=4,
    word_count=1,
    told=_slipstream,
)
SOLIDLY: Final = Announcement(
    topic=topic("PoolCreated(address,address,bool,address,uint256)"),
    topic_count=4,
    word_count=2,
    told=_solidly,
)
SOLIDLY_V1: Final = Announcement(
    topic=topic("PairCreated(address,address,bool,address,uint256)"),
    topic_count=3,
    word_count=3,
    told=_solidly_v1,
)
V4: Final = Announcement(
    topic=topic("Initialize(bytes32,address,address,uint24,int24,address,uint160,int24)"),
    topic_count=4,
    word_count=5,
    told=_v4,
)
BALANCER: Final = Announcement(
    topic=topic("PoolRegistered(bytes32,address,uint8)"),
    topic_count=3,
    word_count=1,
    told=_balancer,
)
LIST: Final = Announcement(
    topic=topic("PlainPoolDeployed(address[],uint256,uint256,address)"),
    topic_count=1,
    word_count=0,
    told=_listed,
)
"""Curve tells of a pool without its address: its list is read (`list_scan`), not its events."""

ANNOUNCED: Final[Mapping[Protocol, Announcement]] = {
    Protocol.UNISWAP_V2: PAIR,
    Protocol.SUSHISWAP_V2: PAIR,
    Protocol.PANCAKESWAP_V2: PAIR,
    Protocol.QUICKSWAP_V2: PAIR,
    Protocol.CAMELOT_V2: PAIR,
    Protocol.BASESWAP_V2: PAIR,
    Protocol.BISWAP_V2: PAIR,
    Protocol.UNISWAP_V3: FEE_TIER,
    Protocol.SUSHISWAP_V3: FEE_TIER,
    Protocol.PANCAKESWAP_V3: FEE_TIER,
    Protocol.QUICKSWAP_V3: ALGEBRA,
    Protocol.CAMELOT_V3: ALGEBRA,
    Protocol.THENA_FUSION: ALGEBRA,
    Protocol.AERODROME_SLIPSTREAM: SLIPSTREAM,
    Protocol.VELODROME_SLIPSTREAM: SLIPSTREAM,
    Protocol.UNISWAP_V4: V4,
    Protocol.AERODROME_V2: SOLIDLY,
    Protocol.VELODROME_V2: SOLIDLY,
    Protocol.THENA_V1: SOLIDLY_V1,
    Protocol.BALANCER_WEIGHTED: BALANCER,
    Protocol.BALANCER_STABLE: BALANCER,
    Protocol.CURVE: LIST,
}
"""What each make tells; of one that is not here no pool is found."""
