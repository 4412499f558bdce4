"""Pairs that a block brings side by side: as if each had come as a move of its own."""

import random
from dataclasses import replace as with_terms

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.core.inputs.block import BLOCK
from engine.detect.moving.pool_moves import move_pool
from engine.domain.errors import BadValueError
from engine.domain.faults import Fault
from engine.pools.blocks import (
    Block,
    ChainWord,
    PairMoves,
    PoolLost,
    PoolMoved,
    move_of,
    words_of,
)
from engine.pools.integers import UINT112_MAX, UINT256_MAX
from engine.pools.snapshot_rows import PAIR_LIQUIDITY_MIN
from tests.core.test_blocks import CHAIN, FIRST, make_world
from tests.detect.test_live_pools import pair_of
from tests.detect.test_pool_moves import DEEP, check_same
from tests.effort import examples
from tests.reference.world import World

POOLS = 5
RESERVES = (PAIR_LIQUIDITY_MIN, 10**18, 3 * 10**12, 10**24 + 1, UINT112_MAX)
UNSOUND = (0, PAIR_LIQUIDITY_MIN - 1, UINT112_MAX + 1, UINT256_MAX)


def address(number: int) -> str:
    return f"0x{number:040x}"


def world_of_pairs() -> World:
    """Pairs, and a pool of another form at an address like theirs."""
    deep = replace(DEEP.snapshot, pool=with_terms(DEEP.pool, address=address(POOLS)))
    pairs = [pair_of(1_000, 2_000_000 + n, address=address(n)) for n in range(POOLS)]
    return make_world(*pairs, deep, undo_blocks=8)


def side_by_side(told: list[tuple[int, bytes]]) -> PairMoves:
    return PairMoves(
        addresses=tuple(address(number) for number, _ in told),
        words=b"".join(words for _, words in told),
    )


def made(number: int, rng: random.Random, *, undone: int, branch: int) -> Block:
    """A block of pairs, most of them known and sound, and of what else may come."""
    told = {}
    for pool in rng.sample(range(POOLS + 2), rng.randrange(POOLS + 1)):
        if pool >= POOLS and rng.random() < 0.8:
            continue
        amounts = [rng.choice(UNSOUND if rng.random() < 0.05 else RESERVES) for _ in range(2)]
        told[pool] = words_of(*amounts)
    after: list[PoolMoved | PoolLost] = []
    if rng.random() < 0.3:
        one = address(rng.randrange(POOLS))
        after.append(
            PoolLost(address=one, fault=Fault.BAD_NUMBER)
            if rng.random() < 0.4
            else PoolMoved(address=one, move=move_of(words_of(10**18, rng.choice(RESERVES))))
        )
    return Block(
        chain=CHAIN,
        number=number,
        hash=f"{number}/{branch}",
        parent_hash="",
        made_at_ns=number,
        changes=tuple(after),
        undone=undone,
        pairs=side_by_side(list(told.items())),
    )


def one_by_one(block: Block) -> Block:
    return replace(block, changes=tuple(block.each_change()), pairs=None)


def check_equal(one: World, other: World) -> None:
    assert one.moving.reasons == other.moving.reasons
    assert one.moving.faults == other.moving.faults
    assert one.graph.pools.keys() == other.graph.pools.keys()
    for number, held in one.graph.pools.items():
        check_same(held, other.graph.pools[number])
        assert held.block == other.graph.pools[number].block
    used = one.graph.market.edges_used
    rates, wanted = (of.graph.market.arrays[3][:used] for of in (one, other))
    assert np.array_equal(rates, wanted)
    assert one.graph.side_arrays[0][:used].tolist() == other.graph.side_arrays[0][:used].tolist()


@settings(max_examples=examples(40), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_pairs_side_by_side_come_to_what_each_comes_to_as_a_move(seed: int) -> None:
    rng = random.Random(seed)
    at_once, by_one = world_of_pairs(), world_of_pairs()
    hashes = [f"{FIRST}"]
    for branch in range(12):
        undone = rng.randrange(min(len(hashes), 4)) if rng.random() < 0.3 else 0
        del hashes[len(hashes) - undone :]
        if not hashes:
            return
        number = FIRST + len(hashes)
        block = made(number, rng, undone=undone if len(hashes) > 1 else 0, branch=branch)
        block = replace(block, parent_hash=hashes[-1])
        hashes.append(block.hash)

        at_once.take(BLOCK.decode(BLOCK.encode(block)))
        by_one.take(one_by_one(block))

        check_equal(at_once, by_one)


def test_a_pair_that_is_named_twice_has_its_last_reserves_and_goes_back_to_its_first() -> None:
    world = world_of_pairs()
    before = world.graph.pool(1)
    first = Block(chain=CHAIN, number=FIRST + 1, hash="1", parent_hash="0", made_at_ns=0)
    world.take(first)
    told = [(1, words_of(10**18, 10**18)), (1, words_of(10**19, 10**18))]

    world.take(
        replace(first, number=FIRST + 2, hash="2", parent_hash="1", pairs=side_by_side(told))
    )
    check_same(world.graph.pool(1), move_pool(before, move_of(told[1][1]), block=FIRST + 2))

    world.take(replace(first, number=FIRST + 2, hash="3", parent_hash="1", undone=1))
    check_same(world.graph.pool(1), before)


def test_pools_that_are_stale_do_not_keep_the_others_from_moving_at_once() -> None:
    world = world_of_pairs()
    lost = PoolLost(address=address(0), fault=Fault.BAD_NUMBER)
    first = Block(
        chain=CHAIN, number=FIRST + 1, hash="1", parent_hash="0", made_at_ns=0, changes=(lost,)
    )
    world.take(first)
    told = [(number, words_of(10**18, 10**18)) for number in range(POOLS)]

    world.take(
        replace(
            first, number=FIRST + 2, hash="2", parent_hash="1", changes=(), pairs=side_by_side(told)
        )
    )

    assert set(world.moving.reasons) == {0}
    assert 0 not in world.graph.pools
    assert {world.graph.pool(number).block for number in range(1, POOLS)} == {FIRST + 2}


def test_what_no_block_can_undo_any_more_is_let_go_after_each() -> None:
    world = world_of_pairs()

    for number in range(1, 12):
        told = [(0, words_of(10**18, 10**18 + number))]
        world.take(
            Block(
                chain=CHAIN,
                number=FIRST + number,
                hash=f"{number}",
                parent_hash=f"{number - 1}",
                made_at_ns=0,
                pairs=side_by_side(told),
            )
        )

    blocks = world.moving._chains[CHAIN].blocks
    assert len(blocks._blocks) == blocks._blocks.maxlen == len(blocks._hashes)
    assert not blocks._gone


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        ((address(1),), b""),
        ((), bytes(64)),
        ((address(1),), bytes(63)),
        ((address(1), address(2)), bytes(64)),
    ],
)
def test_addresses_without_two_words_each_are_refused(
    addresses: tuple[str, ...], words: bytes
) -> None:
    with pytest.raises(BadValueError, match="reserves"):
        PairMoves(addresses=addresses, words=words)
    text = msgspec.json.encode({"block": {
        "chain": CHAIN, "number": 1, "hash": "1", "parent_hash": "0", "made_at_ns": 0,
        "pairs": {"addresses": addresses, "words": words},
    }})  # fmt: skip
    with pytest.raises((msgspec.ValidationError, BadValueError)):
        msgspec.json.decode(text, type=ChainWord)


def test_a_block_of_an_older_recording_has_no_pairs() -> None:
    text = (
        b'{"chain":"c","number":1,"hash":"1","parent_hash":"0","made_at_ns":0,"changes":[],'
        b'"undone":0}'
    )

    assert BLOCK.decode(text).pairs is None
