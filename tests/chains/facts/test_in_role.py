"""The role `chains` on a real node keeps what its blocks were, over a restart."""

import asyncio
import random
from pathlib import Path

import pytest

from engine.domain.block_facts import BlockFact
from engine.domain.errors import BadValueError
from engine.requests.chains import GetBlockFacts
from engine.wiring.chain_answers import ChainAnswers
from tests.chains.following.role import announced, chains_role, until
from tests.chains.following.test_real_node import trade
from tests.chains.following.test_role import until_live
from tests.chains.local_world import LocalWorld


async def facts_of(answers: ChainAnswers) -> list[BlockFact]:
    return (await answers.answer(GetBlockFacts(chain="ethereum"))).blocks


async def test_blocks_are_told_with_their_trades_and_kept_over_a_restart(
    world: LocalWorld, tmp_path: Path
) -> None:
    paths = announced(tmp_path / "var", world)
    async with chains_role(paths) as (answers, _):
        await until_live(answers)
        one = answers.of["ethereum"]
        await asyncio.to_thread(trade, world, random.Random(1), 6)
        head = int((await asyncio.to_thread(world.head))["number"], 16)
        await until(lambda: one.tip is not None and one.tip.number == head)
        assert one.pending.watch is not None
        watch, tip = one.pending.watch, one.tip
        await until(lambda: tip is not None and watch.looked_at == tip.hash)
        before = await facts_of(answers)
        with pytest.raises(BadValueError, match="base is not followed"):
            await answers.answer(GetBlockFacts(chain="base"))

    assert [fact.number for fact in before] == list(range(before[0].number, head + 1))
    newest = before[-1]
    assert newest.heard_at_ns <= newest.told_at_ns
    assert newest.gas_limit > 0
    swaps = [swap for fact in before for swap in fact.swaps]
    assert len(swaps) >= 3
    assert all(swap.amount_in > 0 and swap.source != swap.target for swap in swaps)
    assert any(swap.usd > 0 for swap in swaps)
    async with chains_role(paths) as (answers, _):
        await until_live(answers)
        after = {fact.number: fact for fact in await facts_of(answers)}
    assert after[newest.number].swaps == newest.swaps
