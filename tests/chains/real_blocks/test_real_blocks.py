"""Real blocks of Ethereum of 2020 and 2021 through the connector: it makes of them what was."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import pytest

from engine.chains.discovery.tables.ethereum import DEXES
from engine.chains.families.family_list import families_of
from engine.chains.following.counts import Count
from engine.chains.pending.whales import Swapped, UsdOf, Whale, WhaleTerms
from engine.chains.ports import BlockRef, Family
from engine.chains.rpc.addresses import Access
from engine.domain.chains import CHAINS
from engine.domain.dexes import Dex
from engine.domain.pools import Pool
from engine.domain.tokens import CURATED, Token, asset_of
from engine.pools.concentrated import ConcentratedState, state_after, swap_exact_in
from engine.pools.constant_product import ConstantProductState, amount_out
from engine.pools.impact import impact_of_states
from engine.pools.tick_math import TICK_MAX
from engine.pools.tick_table import TickTable
from engine.sandbox.world.abi import call_data, topic
from engine.wiring.chain_pending import ChainPending
from tests.chains.following.node import Followed, following
from tests.chains.real_blocks.cut import CONCENTRATED
from tests.chains.real_blocks.node import CHANGES, RealNode, contracts, raw, reserves_after
from tests.chains.real_blocks.recorded import Pair, RealBlock, load
from tests.chains.rpc.pretend_node import pretend_node

BLOCKS: Final = {one.number: one for one in load()}
ASKED: Final = "0x8ad599c3a0ff1de082011efddc58f1908eb6e6d8"
"""The pool of V3 that was asked for its price before and after its only swap of a block."""

WETH: Final = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
USDC: Final = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
USDT: Final = "0xdac17f958d2ee523a2206206994597c13d831ec7"
KNOWN: Final = {address.lower(): decimals for address, (_, decimals) in CURATED["ethereum"].items()}
"""Tokens that keep nothing of what is sent."""

DEX_OF: Final = {one.name: one for one in DEXES}
FAMILIES: Final = families_of(DEXES)
ROUTERS: Final = {
    "0x7a250d5630b4cf539739df2c5dacb4c659f2488d",
    "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f",
}
"""Uniswap's and SushiSwap's."""


def pool_of(dex: Dex, address: str, tokens: Sequence[str], fee: Decimal) -> Pool:
    decimals = [KNOWN.get(one, 18) for one in tokens]
    named = [
        Token(chain="ethereum", address=one, decimals=count)
        for one, count in zip(tokens, decimals, strict=True)
    ]
    return Pool(
        chain="ethereum",
        protocol=dex.protocol,
        address=address,
        tokens=tuple((asset_of(one, symbol=""), one.decimals) for one in named),
        fee_ratio=fee,
        gas_units=100_000,
        token_addresses=tuple(tokens),
    )


def pairs_of(block: RealBlock) -> list[tuple[Pool, Family]]:
    def named(pair: Pair) -> tuple[Pool, Family]:
        dex = DEX_OF[pair.dex]
        return pool_of(dex, pair.address, pair.tokens, Decimal("0.003")), FAMILIES[dex.protocol]

    return [named(pair) for pair in block.pairs]


class Seen:
    """What was made of a block."""

    def __init__(self, followed: Followed, node: RealNode) -> None:
        self.followed, self.node = followed, node
        self.machine = followed.machine
        self.swaps: list[Swapped] = []
        self.whales: list[Whale] = []

    def note(self, ref: BlockRef, swaps: Sequence[Swapped], _: UsdOf) -> None:
        if ref.hash == self.node.after["hash"]:
            self.swaps += swaps

    def flows(self, tx_hash: str) -> Counter[str]:
        """Return what the pools gave (above 0) and took of each token in a transaction."""
        flows: Counter[str] = Counter()
        for swap in self.swaps:
            assert swap.log is not None
            if swap.log.tx_hash == tx_hash:
                flows[swap.pool.token_addresses[swap.token_out]] += swap.amount_out_raw
                flows[swap.pool.token_addresses[swap.token_in]] -= swap.amount_in_raw
        return Counter({token: flow for token, flow in flows.items() if flow})


@asynccontextmanager
async def seen(
    block: RealBlock,
    more: Sequence[dict[str, Any]] = (),
    pools: Sequence[tuple[Pool, Family]] = (),
    answers: dict[tuple[str, str], bytes] | None = None,
) -> AsyncIterator[Seen]:
    """Follow the block before, then the recorded one."""
    async with pretend_node(chain_id=1) as served:
        node = RealNode(served, block, more)
        node.answers |= answers or {}
        access = Access(name="recorded", http_url=served.url, socket_url=served.socket_url)
        async with following([access], [*pairs_of(block), *pools]) as followed:
            one = Seen(followed, node)
            pending = ChainPending(
                followed.machine,
                facts=CHAINS["ethereum"],
                routers=(),
                dexes=DEXES,
                terms=WhaleTerms(told_max=1_000),
                on_whale=one.whales.append,
                now_ns=lambda: 1,
                hears_pending=False,
                note=one.note,
            )
            watching = asyncio.create_task(pending.run(followed.node))
            try:
                await followed.until_at(node.before["hash"])
                node.go_on()
                await followed.until_at(node.after["hash"])
                await followed.until(
                    lambda: (
                        pending.watch is not None and pending.watch.looked_at == node.after["hash"]
                    )
                )
                yield one
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)


@pytest.mark.parametrize("number", BLOCKS)
async def test_after_a_real_block_each_pair_is_as_its_contract_has_it(number: int) -> None:
    block = BLOCKS[number]
    async with seen(block) as one:
        live = {held.pool.address: held.state for held in one.machine.pools.live()}
        differing = await one.followed.differing()

    assert live.keys() == {pair.address for pair in block.pairs}
    for address, held in reserves_after(block).items():
        state = live[address]
        assert isinstance(state, ConstantProductState)
        assert (state.reserve0_raw, state.reserve1_raw) == held
    assert not differing
    counts = one.machine.counts
    assert counts[Count.MOVES] == sum(act.kind in CHANGES for act in block.acts) > 0
    assert not counts[Count.LIES] + counts[Count.BAD_EVENTS] + counts[Count.DIVERGED]


@pytest.mark.parametrize("number", BLOCKS)
async def test_each_swap_of_a_real_block_is_what_was_called_and_paid(number: int) -> None:
    block = BLOCKS[number]
    async with seen(block) as one:
        swaps = {(swap.log.tx_hash, swap.log.index): swap for swap in one.swaps if swap.log}

    acts = [act for act in block.acts if act.kind == "swap"]
    assert len(swaps) == len(acts)
    paid: Counter[tuple[str, int]] = Counter()
    told = iter(sorted(swaps.values(), key=lambda swap: swap.log.index if swap.log else 0))
    for act in block.acts:
        if act.kind == "paid":
            paid.update({(act.pair, token): amount for token, amount in enumerate(raw(act))})
        elif act.kind in CHANGES:
            sent = [paid.pop((act.pair, token), 0) for token in range(2)]
            if act.kind != "swap":
                continue
            swap = next(told)
            assert swap.log is not None
            assert (swap.pool.address, swap.log.tx_hash) == (act.pair, block.tx_hashes[act.tx])
            flows = [0, 0]
            flows[swap.token_in] += swap.amount_in_raw
            flows[swap.token_out] -= swap.amount_out_raw
            for token, address in enumerate(swap.pool.token_addresses):
                if address in KNOWN:
                    assert flows[token] == sent[token] - int(act.outs[token])


async def test_what_a_pair_answers_within_a_block_is_what_its_events_had_made_of_it() -> None:
    answered = 0
    for block in BLOCKS.values():
        async with seen(block) as one:
            states: dict[str, list[Any]] = {}
            for swap in sorted(one.swaps, key=lambda swap: swap.log.index if swap.log else 0):
                states.setdefault(swap.pool.address, [swap.before]).append(swap.after)
        only_swaps = {act.pair for act in block.acts if act.kind in CHANGES[1:]}
        for changes, act in contracts(block.acts, "reserves"):
            if act.pair not in only_swaps:
                state = states[act.pair][changes]
                assert (state.reserve0_raw, state.reserve1_raw) == raw(act)
                answered += changes > 0
    assert answered > 100


async def test_routers_of_real_blocks_were_given_what_pairs_are_reckoned_to_give() -> None:
    reckoned = 0
    for block in BLOCKS.values():
        async with seen(block) as one:
            for act, swap in zip(
                (act for act in block.acts if act.kind == "swap"),
                sorted(one.swaps, key=lambda swap: swap.log.index if swap.log else 0),
                strict=True,
            ):
                assert isinstance(swap.before, ConstantProductState)
                if act.sender not in ROUTERS or "0" not in act.outs:
                    continue
                if any(token not in KNOWN for token in swap.pool.token_addresses):
                    continue  # some keep a part of what is sent
                most = amount_out(swap.before, swap.amount_in_raw, token_in=swap.token_in)
                assert swap.amount_out_raw <= most
                reckoned += swap.amount_out_raw == most
    assert reckoned > 20


@pytest.mark.parametrize(
    ("number", "tx", "flows"),
    [
        # mev-inspect-rs, triangular_arb.json: its profit
        (11117996, "0xddbf97f758bd", {WETH: 9196963592118237}),
        # mev-inspect-py, tokenflow_test.py: ether and dollars in and out
        (11935012, "0x496836e0bd15", {WETH: 597044987302243493 - 562445964778930176}),
        (11935012, "0x496836e0bd15", {USDT: -871839781}),
        (11930296, "0x4121ce805d33", {WETH: -3499859860420296704}),
    ],
)
async def test_arbitrages_that_others_named_are_seen_with_their_amounts(
    number: int, tx: str, flows: dict[str, int]
) -> None:
    block = BLOCKS[number]
    (tx_hash,) = (one for one in block.tx_hashes.values() if one.startswith(tx))
    async with seen(block) as one:
        assert flows.items() <= one.flows(tx_hash).items()


async def test_as_many_swaps_are_seen_as_others_counted_but_for_reverted_and_other_ones() -> None:
    counted, reverted, of_v3, of_curve, elsewhere = 38, 4, 13, 1, 1
    async with seen(BLOCKS[12483198]) as one:
        assert len(one.swaps) == counted - reverted - of_v3 - of_curve - elsewhere


async def test_large_swaps_of_real_blocks_are_told_with_their_exact_impact() -> None:
    async with seen(BLOCKS[10921991]) as one:
        by_tx: dict[str, list[Fraction]] = {}
        for swap in one.swaps:
            assert swap.log is not None
            impact = abs(impact_of_states(swap.before, swap.after).change_ratio)
            by_tx.setdefault(swap.log.tx_hash, []).append(impact)
    told = {whale.tx_hash for whale in one.whales}
    assert told >= {tx for tx, impacts in by_tx.items() if max(impacts) > Fraction(6, 1_000)}
    assert len(told) > 3


async def test_the_price_that_a_concentrated_pool_says_after_a_swap_is_the_one_reckoned() -> None:
    """Contracts asked one for its price before and after its only swap of a block.

    Nobody asked for its ticks: all of its liquidity is said to lie between the ends of all prices,
    which is the same as long as a swap reaches none.
    """
    block = BLOCKS[13179291]
    asked = [(act.kind, [int(one) for one in act.raw]) for act in block.acts3]
    assert [kind for kind, _ in asked] == ["slot0", "swap", "slot0", "liquidity", "slot0"]
    before, (given, taken), after, (liquidity,) = (raw for _, raw in asked[:4])

    pool = pool_of(DEX_OF["Uniswap V3"], ASKED, (USDC, WETH), Decimal("0.003"))
    async with seen(
        block,
        more=[swap_event(block, (given, taken, after[0], liquidity, after[1]))],
        pools=[(pool, FAMILIES[pool.protocol])],
        answers=answers_of(before, liquidity),
    ) as one:
        (swap,) = [swap for swap in one.swaps if swap.pool == pool]
        (held,) = [held for held in one.machine.pools.live() if held.pool == pool]

    state = held.state
    assert isinstance(state, ConcentratedState)
    assert [state.sqrt_price_x96, state.tick] == after
    assert state.liquidity == liquidity
    assert isinstance(swap.before, ConcentratedState)
    assert (swap.token_in, swap.amount_in_raw, swap.amount_out_raw) == (1, taken, -given)
    reckoned = swap_exact_in(swap.before, taken, token_in=1)
    assert reckoned.amount_out_raw == -given
    assert [reckoned.sqrt_price_x96, reckoned.tick] == after


def test_concentrated_pools_of_real_blocks_gave_what_they_are_reckoned_to_give() -> None:
    """From the price and liquidity that a contract was told, through all swaps after that."""
    reckoned = 0
    for block in BLOCKS.values():
        for pool in {act.pool for act in block.acts3}:
            acts = [act for act in block.acts3 if act.pool == pool]
            (liquidity,) = {int(act.raw[0]) for act in acts if act.kind == "liquidity"}
            state: ConcentratedState | None = None
            for act in acts:
                said = [int(one) for one in act.raw]
                if state is None:
                    if act.kind == "slot0":
                        state = whole_range(said, liquidity, fee_pips=CONCENTRATED[pool])
                elif act.kind == "slot0":
                    assert [state.sqrt_price_x96, state.tick] == said
                elif act.kind == "swap":
                    token_in = 0 if said[0] > 0 else 1
                    swap = swap_exact_in(state, said[token_in], token_in=token_in)
                    assert swap.amount_out_raw == -said[1 - token_in]
                    state = state_after(state, swap)
                    reckoned += 1
    assert reckoned == 5


def whole_range(price: Sequence[int], liquidity: int, *, fee_pips: int) -> ConcentratedState:
    """Return a pool whose liquidity lies between the ends of all prices."""
    spacing = {500: 10, 3_000: 60}[fee_pips]
    end = TICK_MAX // spacing * spacing
    table = TickTable.of(
        tick_spacing=spacing, ticks=[-end, end], liquidity_nets=[liquidity, -liquidity]
    )
    return ConcentratedState(
        sqrt_price_x96=price[0],
        tick=price[1],
        liquidity=liquidity,
        fee_pips=fee_pips,
        table=table,
    )


def words(*numbers: int) -> bytes:
    return b"".join((one % 2**256).to_bytes(32) for one in numbers)


def swap_event(block: RealBlock, numbers: Sequence[int]) -> dict[str, Any]:
    (tx,) = [act.tx for act in block.acts3 if act.kind == "swap"]
    return {
        "address": ASKED,
        "topics": [
            topic("Swap(address,address,int256,int256,uint160,uint128,int24)"),
            "0x" + "00" * 32,
            "0x" + "00" * 32,
        ],
        "data": "0x" + words(*numbers).hex(),
        "blockNumber": hex(block.number),
        "blockHash": block.hash,
        "transactionHash": block.tx_hashes[tx],
        "transactionIndex": hex(tx),
        "logIndex": hex(1_000),
        "removed": False,
    }


def answers_of(price: Sequence[int], liquidity: int) -> dict[tuple[str, str], bytes]:
    """Return what the pool says before the block: its price, and one position with all of it."""
    spacing, end = 60, 887_220
    said = {
        call_data("slot0()"): words(*price, 0, 0, 0, 0, 1),
        call_data("liquidity()"): words(liquidity),
        call_data("tickSpacing()"): words(spacing),
        call_data("fee()"): words(3_000),
    }
    for word in range(-(end // spacing // 256) - 1, end // spacing // 256 + 1):
        bits = [
            1 << tick // spacing % 256 for tick in (-end, end) if tick // spacing // 256 == word
        ]
        said[call_data("tickBitmap(int16)", word)] = words(sum(bits))
    for tick in (-end, end):
        net = -liquidity if tick > 0 else liquidity
        said[call_data("ticks(int24)", tick)] = words(liquidity, net, 0, 0, 0, 0, 0, 1)
    return {(ASKED, data): answer for data, answer in said.items()}
