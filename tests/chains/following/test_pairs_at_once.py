"""Events that tell reserves are taken the short way, and come to what the long one gives."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.chains.families.solidly import Solidly
from engine.chains.families.uniswap_v2 import SYNC, UniswapV2
from engine.chains.following.branch import Branch, Taken
from engine.chains.following.followed import Reading
from engine.chains.following.held import Held
from engine.chains.following.pair_events import Changed
from engine.chains.following.pools import FollowedPools
from engine.chains.ports import BlockRef, Log, PoolNow
from engine.chains.rpc.block_logs import BlockLogs
from engine.domain.assets import AssetCode
from engine.domain.pools import Pool, Protocol
from engine.pools.blocks import PoolChange, PoolMoved, PoolRead
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import UINT112_MAX
from engine.pools.snapshot_rows import PAIR_LIQUIDITY_MIN, PairRow

CHAIN = "ethereum"
WHOLE = bytes([7] * 32)
POOLS = 4
"""The last one is not known, the one before it is being read."""


def pool(number: int) -> Pool:
    return Pool(
        chain=CHAIN,
        protocol=Protocol.UNISWAP_V2,
        address=f"0x{number:040x}",
        tokens=((AssetCode("ETH"), 18), (AssetCode(f"T{number}"), 6)),
        fee_ratio=Decimal("0.003"),
        gas_units=90_000,
    )


def block(number: int) -> BlockRef:
    return BlockRef(
        number=number, hash=f"0x{number:064x}", parent_hash=f"0x{number - 1:064x}", made_at_s=number
    )


def followed(*, is_short: bool) -> FollowedPools:
    pools = FollowedPools(CHAIN, Branch(8))
    family = UniswapV2()
    row = PairRow(reserve0_raw=str(10**20), reserve1_raw=str(10**20))
    for number in range(POOLS):
        pools.add(pool(number), family)
        if number < POOLS - 1:
            one = pools.of[pool(number).address]
            pools._live(one, Held.of(PoolNow(pool=pool(number), row=row)))
            if number == POOLS - 2:
                one.reading = Reading(block(1), may_differ=False)
    if not is_short:
        pools._of_pairs.clear()
    return pools


def data(first: int, second: int, length: int) -> bytes:
    return (first.to_bytes(32) + second.to_bytes(32) + bytes(32))[:length]


reserves = st.sampled_from(
    (
        0,
        PAIR_LIQUIDITY_MIN - 1,
        PAIR_LIQUIDITY_MIN,
        10**20,
        10**20 + 7,
        UINT112_MAX,
        UINT112_MAX + 1,
    )
)
events = st.builds(
    lambda number, first, second, length, topic: (number, data(first, second, length), topic),
    st.integers(0, POOLS),
    reserves,
    reserves,
    st.sampled_from((64, 64, 64, 64, 63, 96)),
    st.sampled_from(((SYNC,), (SYNC,), (SYNC,), (), (bytes(32),))),
)


def logs(told: list[tuple[int, bytes, tuple[bytes, ...]]], number: int) -> list[Log]:
    return [
        Log(
            address=pool(which).address,
            topics=topics,
            data=content,
            block_number=number,
            block_hash=block(number).hash,
            tx_hash="0x" + "00" * 32,
            index=index,
        )
        for index, (which, content, topics) in enumerate(told)
    ]


def columns(told: list[tuple[int, bytes, tuple[bytes, ...]]], number: int) -> BlockLogs:
    """The same side by side."""
    return BlockLogs(
        block_number=number,
        block_hash=block(number).hash,
        addresses=[pool(which).address for which, _, _ in told],
        topics=[topics for _, _, topics in told],
        data=[content for _, content, _ in told],
        tx_hashes=["0x" + "00" * 32] * len(told),
        indexes=range(len(told)),
    )


def is_shortened(short: Changed, long: Changed) -> bool:
    """Whether of each pool moves at most are missing that others took the place of."""
    pairs, after = short.pairs, short.changes
    assert long.pairs is None
    moves = () if pairs is None else tuple(pairs.moves())
    assert len({one.address for one in moves}) == len(moves)
    of_short, of_long = changes_of((*moves, *after)), changes_of(long.changes)
    assert of_short.keys() == of_long.keys()
    for address, own in of_short.items():
        missing = of_long[address][: -len(own)]
        assert of_long[address][-len(own) :] == own
        assert all(isinstance(one, PoolMoved) for one in missing)
        assert not missing or any(one.address == address for one in moves)
    return True


def changes_of(changes: Sequence[PoolChange]) -> dict[str, list[PoolChange]]:
    found: dict[str, list[PoolChange]] = {}
    for one in changes:
        found.setdefault(one.address, []).append(one)
    return found


@settings(max_examples=200)
@given(st.lists(st.lists(events, max_size=6), max_size=4))
def test_the_short_way_comes_to_what_the_long_one_gives(
    blocks: list[list[tuple[int, bytes, tuple[bytes, ...]]]],
) -> None:
    short, long = followed(is_short=True), followed(is_short=False)
    for number, told in enumerate(blocks, 2):
        one, other = Taken(block(number)), Taken(block(number))

        assert is_shortened(
            short.take(one, columns(told, number)), long.take(other, logs(told, number))
        )

        assert one.backs == other.backs
        assert short.of == long.of or _held(short) == _held(long)
        assert short.counts == long.counts
    assert _held(short) == _held(long)


def _held(pools: FollowedPools) -> list[object]:
    return [
        (address, None if one.held is None else one.held.state, one.why, one.reading)
        for address, one in pools.of.items()
    ]


def test_where_two_makes_tell_alike_each_is_asked_whose_event_it_is() -> None:
    pools = followed(is_short=True)
    assert pools._of_pairs

    class Other(UniswapV2):
        """Another make with the same event."""

    pools.add(pool(9), Other())

    assert SYNC not in pools._of_pairs


def test_makes_that_tell_more_than_reserves_are_taken_the_long_way() -> None:
    pools = FollowedPools(CHAIN, Branch(8))

    pools.add(pool(1), Solidly())

    assert not pools._of_pairs


@pytest.mark.parametrize("length", [0, 63, 65, 96])
@pytest.mark.parametrize("has_moved", [False, True])
def test_a_body_of_another_length_leaves_the_pair_not_known(
    length: int, *, has_moved: bool
) -> None:
    pools = followed(is_short=True)
    if has_moved:
        pools.take(Taken(block(1)), columns([(0, data(10**20, 10**20, 64), (SYNC,))], 1))
    content = (data(10**20, 10**20, 64) + bytes(64))[:length]

    pools.take(Taken(block(2)), columns([(0, content, (SYNC,))], 2))

    assert pools.of[pool(0).address].held is None


def test_what_a_pair_tells_otherwise_stays_among_its_events_where_it_was() -> None:
    pair = UniswapV2()

    class Telling:
        """A make that now and then tells the whole of a pair, by an event that another one has."""

        is_polled = False
        tells_reserves = True
        address_of, read, terms = pair.address_of, pair.read, pair.terms

        def __init__(self, *kinds: bytes) -> None:
            self.topics = frozenset(kinds)

        def change_of(self, of: Pool, log: Log) -> PoolChange:
            if log.topics[0] == WHOLE:
                row = PairRow(reserve0_raw="5000", reserve1_raw="6000")
                return PoolRead(address=of.address, row=row)
            return pair.change_of(of, log)

    pools = FollowedPools(CHAIN, Branch(8))
    pools.add(pool(0), Telling(SYNC, WHOLE))
    pools.add(pool(1), Telling(WHOLE))
    row = PairRow(reserve0_raw=str(10**20), reserve1_raw=str(10**20))
    pools._live(pools.of[pool(0).address], Held.of(PoolNow(pool=pool(0), row=row)))
    told: list[tuple[int, bytes, tuple[bytes, ...]]] = [
        (0, data(10**20, 10**21, 64), (SYNC,)),
        (0, b"", (WHOLE,)),
        (0, data(10**19, 10**18, 64), (SYNC,)),
    ]

    changed = pools.take(Taken(block(2)), columns(told, 2))

    held = pools.of[pool(0).address].held
    assert held is not None
    assert isinstance(held.state, ConstantProductState)
    assert (held.state.reserve0_raw, held.state.reserve1_raw) == (10**19, 10**18)
    assert changed.pairs is not None
    assert [type(one) for one in (*changed.pairs.moves(), *changed.changes)] == [
        PoolMoved, PoolRead, PoolMoved,
    ]  # fmt: skip
