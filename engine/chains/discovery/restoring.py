"""Trusts states again that were kept before a restart: each only as far as the node bears it out.

A state stands if the block that it is of is of the chain still, no event since has changed the
pool, its terms are the same, and its price, tick and liquidity are what the pool says now. All
other pools are to be read whole.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from engine.chains.discovery.announcements import ALGEBRA, ANNOUNCED
from engine.chains.discovery.log_span import LogSpan
from engine.chains.discovery.state_cache import Kept
from engine.chains.families.words import WORD, call_data, selector, signed, unsigned
from engine.chains.ports import BlockRef, Call, Family, Node, NodeError, PoolNow, Reader, Refusal
from engine.chains.rpc.parsing import hex_number, parse_block
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.pools.snapshot_rows import ConcentratedRow

GAP_BLOCKS_MAX: Final = 20_000
"""States from longer ago are not compared: by then few pools have told of nothing."""

GET_SLOT0: Final = call_data(selector("slot0()"))
GET_GLOBAL_STATE: Final = call_data(selector("globalState()"))
GET_LIQUIDITY: Final = call_data(selector("liquidity()"))


class Restored(NamedTuple):
    """What came of the states that were kept.

    Attributes:
        trusted: states that stand as of the block that was asked for.
        to_read: pools that have to be read whole.
        why: why, if no state at all could be compared; else empty.
    """

    trusted: list[PoolNow]
    to_read: list[Pool]
    why: str = ""


async def trusted_again(
    pools: Sequence[Pool],
    kept: Kept | None,
    *,
    families: Mapping[Protocol, Family],
    node: Node,
    reader: Reader,
    at: BlockRef,
    log_span: int,
) -> Restored:
    """Compare kept states with the node, as of a block.

    Raises:
        NodeError: a node does not answer.
    """
    if kept is None:
        return Restored([], list(pools), "no states were kept")
    if not 0 <= at.number - kept.number <= GAP_BLOCKS_MAX:
        return Restored([], list(pools), f"they are of block {kept.number}, far from {at.number}")
    if await _hash_of(node, kept.number) != kept.hash:
        return Restored([], list(pools), f"block {kept.number} is another one now")
    known = [kept.pools[pool.address] for pool in pools if _is_same(kept.pools, pool)]
    used = [families[protocol] for protocol in {now.pool.protocol for now in known}]
    topics = sorted({topic for family in used for topic in family.topics})
    told = await _tellers(topics, reader, (kept.number + 1, at.number), LogSpan(log_span))
    still = [now for now in known if now.pool.address not in told]
    still = await _with_same_terms(still, families, reader, at)
    still = await _with_same_price(still, reader, at)
    if await _hash_of(node, at.number) != at.hash:
        raise NodeError(Refusal.REFUSED, f"block {at.number} was left while it was read")
    stands = {now.pool.address for now in still}
    return Restored(still, [pool for pool in pools if pool.address not in stands])


def _is_same(kept: Mapping[str, PoolNow], pool: Pool) -> bool:
    """Say whether a state is kept of this very pool, but for its fee, which is asked for."""
    now = kept.get(pool.address)
    return now is not None and (now.pool.protocol, now.pool.tokens, now.pool.token_addresses) == (
        pool.protocol,
        pool.tokens,
        pool.token_addresses,
    )


async def _tellers(
    topics: Sequence[bytes], reader: Reader, blocks: tuple[int, int], span: LogSpan
) -> set[str]:
    """Return the contracts that told of such an event in these blocks."""
    first, last = blocks
    told: set[str] = set()
    while topics and first <= last:
        end = min(first + span.blocks - 1, last)
        try:
            logs = await reader.logs(first, end, topics=topics)
        except NodeError as error:
            if error.refusal is not Refusal.TOO_MANY or not span.refused():
                raise
            continue
        span.given()
        told.update(log.address for log in logs)
        first = end + 1
    return told


async def _with_same_terms(
    known: Sequence[PoolNow],
    families: Mapping[Protocol, Family],
    reader: Reader,
    at: BlockRef,
) -> list[PoolNow]:
    same: list[PoolNow] = []
    for protocol in sorted({now.pool.protocol for now in known}):
        some = [now for now in known if now.pool.protocol is protocol]
        terms = await families[protocol].terms([now.pool for now in some], reader, at)
        same += [now for now, named in zip(some, terms, strict=True) if named == now.pool]
    return same


async def _with_same_price(known: Sequence[PoolNow], reader: Reader, at: BlockRef) -> list[PoolNow]:
    calls = [call for now in known for call in _price_calls(now.pool)]
    answers = await reader.call(calls, at)
    return [
        now
        for now, price, liquidity in zip(known, answers[::2], answers[1::2], strict=True)
        if _says(now, price, liquidity)
    ]


def _price_calls(pool: Pool) -> tuple[Call, Call]:
    is_algebra = ANNOUNCED[pool.protocol] is ALGEBRA
    price = GET_GLOBAL_STATE if is_algebra else GET_SLOT0
    return Call(pool.address, price), Call(pool.address, GET_LIQUIDITY)


def _says(now: PoolNow, price: bytes | None, liquidity: bytes | None) -> bool:
    row = now.row
    if not isinstance(row, ConcentratedRow) or price is None or liquidity is None:
        return False
    if len(price) < 2 * WORD or len(liquidity) != WORD:
        return False
    return (str(unsigned(price, 0)), signed(price, 1), str(unsigned(liquidity, 0))) == (
        row.sqrt_price_x96,
        row.tick,
        row.liquidity,
    )


async def _hash_of(node: Node, number: int) -> str:
    said = await node.request("eth_getBlockByNumber", hex_number(number), False)
    if said is None:
        return ""
    try:
        return parse_block(said).hash
    except BadValueError as error:
        raise NodeError(Refusal.LIED, str(error)) from error
