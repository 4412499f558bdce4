"""Large trades in the role `chains`: heard before their block or in it, and told to the ledger."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from engine.background.hold_page import Page
from engine.background.hold_watch import HoldWatch
from engine.background.switches import Switch, Trigger
from engine.bus.hooked import HookEvent, HookFigures, HookWord, Level
from engine.bus.notices import WhaleSeen
from engine.chains.families.words import topic
from engine.chains.pending.waiting import Count
from engine.domain.errors import BadValueError
from engine.pools.blocks import Block, SwapTold
from engine.pools.constant_product import ConstantProductState
from engine.requests.chains import GetChains
from engine.requests.hooked import TakeHooked, TellHooks
from engine.settings.schema import ChainsSettings, Settings
from engine.wiring.chain_answers import ChainAnswers
from engine.wiring.chain_pending import whale_terms
from engine.wiring.paths import Paths
from tests.background.busy_group import BusyGroup, busy_group, opened
from tests.chains.following.role import announced, chains_role, engine_side, local_chain, until
from tests.chains.local_world import LocalWorld
from tests.chains.pending.random_swaps import Sent, as_transaction
from tests.chains.pending.samples import call

SALE_USD = 150_000


def paths_of(tmp_path: Path, world: LocalWorld) -> Paths:
    """Paths of an installation whose sandbox tells its routers too."""
    paths = announced(tmp_path / "var", world)
    said = msgspec.json.decode(paths.sandbox_announce.read_bytes())
    own = local_chain(world) | {"contracts": world.made.contracts}
    said["local_chains"][world.world.chain] = msgspec.json.decode(msgspec.json.encode(own))
    paths.sandbox_announce.write_bytes(msgspec.json.encode(said))
    return paths


@pytest.mark.parametrize("hears_pending", [True, False])
async def test_a_large_trade_is_told_before_its_block_or_from_it(
    world: LocalWorld, tmp_path: Path, *, hears_pending: bool
) -> None:
    settings = Settings(chains=ChainsSettings(pool_usd_min=0, pending=hears_pending))
    pool = world.pool("Uniswap V3", "USDC", "WETH", 500)
    world.automine(False)
    paths = paths_of(tmp_path, world)
    async with chains_role(paths, settings) as (answers, kept):
        one = answers.of["ethereum"]
        await asyncio.to_thread(world.mine)
        await until(lambda: len(one.machine.pools.of) > 10 and not one.machine.pools.unread_count)
        await asyncio.to_thread(sell, world)
        if hears_pending:
            await until(lambda: bool(kept.notices))
            assert one.pending.desk.counts[Count.KEPT] == 1
        await asyncio.to_thread(world.mine)
        await until(lambda: bool(kept.notices))
        if hears_pending:
            await until(lambda: one.pending.desk.counts[Count.INCLUDED] == 1)
        (line,) = (await answers.answer(GetChains())).chains
        if not hears_pending:
            await check_webhook(answers, paths)

    world.automine(True)
    told = (line.pending.get("heard", 0), line.pending.get("predicted exactly", 0))
    assert told == ((1, 1) if hears_pending else (0, 0))
    (notice,) = kept.notices
    assert isinstance(notice, WhaleSeen)
    assert notice.is_pending is hears_pending
    assert (notice.pool, notice.asset_in) == (pool.address, "USDC")
    assert notice.amount_in == SALE_USD
    assert notice.worth_usd == SALE_USD
    assert notice.impact_ratio >= Decimal("0.005")


async def check_webhook(answers: ChainAnswers, paths: Paths) -> None:
    """Tell of a large swap in the next block: background work stops, and no pool moves."""
    one = answers.of["ethereum"]
    pair = next(
        held for held in one.machine.pools.live() if isinstance(held.state, ConstantProductState)
    )
    assert isinstance(pair.state, ConstantProductState)
    reserves = pair.state.reserve0_raw * 2, pair.state.reserve1_raw // 2 + 1
    assert one.tip is not None
    event = HookEvent(
        stream="pools",
        chain="ethereum",
        level=Level.SEEN,
        block_number=one.tip.number + 1,
        block_hash="0x" + "cd" * 32,
        tx_hash="0x" + "ef" * 32,
        log_index=0,
        address=pair.pool.address,
        topics=(topic("Sync(uint112,uint112)"),),
        data=b"".join(reserve.to_bytes(32) for reserve in reserves),
        received_at_ns=1,
    )
    with busy_group() as busy, watching(paths, busy) as watch:
        async with engine_side(paths) as told:
            await until(lambda: any(isinstance(word, Block) for word in told.words))
            await until(lambda: holder_of(watch) == "chains")
            taken = await answers.answer(TakeHooked(chain="ethereum", events=[event]))
            await until(busy.is_stopped)
            await until(lambda: any(isinstance(word, SwapTold) for word in told.words))
        await until(lambda: bool(switches(watch)))
        await until(busy.is_running)
        (switch,) = switches(watch)
    assert (switch.holder, switch.trigger, switch.subject) == (
        "chains",
        Trigger.WEBHOOK,
        event.tx_hash,
    )
    assert (taken.swaps, taken.triggers) == (1, 1)
    (swap,) = (word for word in told.words if isinstance(word, SwapTold))
    assert (swap.address, swap.block, swap.stream) == (
        pair.pool.address,
        one.tip.number + 1,
        "pools",
    )
    now = next(of for of in one.machine.pools.live() if of.pool.address == pair.pool.address)
    assert now.state == pair.state
    with pytest.raises(BadValueError, match="not followed"):
        await answers.answer(TakeHooked(chain="atlantis", events=[event]))

    figures = HookFigures(stream="pools", provider="moralis", forged=3)
    word = HookWord(told_at_ns=1, streams=[figures], trouble="webhooks are not kept: full")
    await answers.answer(TellHooks(word=word))
    (line,) = (await answers.answer(GetChains())).chains
    (hook,) = line.hooks
    assert (hook.triggers, hook.figures) == (1, figures)
    assert any("not kept: full" in why for why in line.warnings)
    assert any("says nothing of webhooks" in why for why in line.warnings)


@contextmanager
def watching(paths: Paths, busy: BusyGroup) -> Iterator[HoldWatch]:
    """Let a role find background work to push aside, until the block ends."""
    watch = HoldWatch(Page.make(paths.hold_page))
    watch.follow(opened(busy))
    try:
        yield watch
    finally:
        watch.close()


def holder_of(watch: HoldWatch) -> str:
    """Return who has a place on the page to hold background work from; nothing if nobody has."""
    return next((slot.name for slot in watch._page.slots() if slot.name), "")


def switches(watch: HoldWatch) -> tuple[Switch, ...]:
    """Look, and return which switches there were."""
    watch.look()
    return watch.switches.report().newest


def sell(world: LocalWorld) -> None:
    """Send a sale of dollars for coins; it waits for a block."""
    me = world.hands(1).me
    tokens = (world.token("USDC").address, world.token("WETH").address)
    data = call(
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
        (*tokens, 500, me, 2**40, world.raw("USDC", SALE_USD), 0, 0),
    )
    sent = Sent(world.made.contracts["v3_router"], data)
    world.rpc.ask("eth_sendTransaction", as_transaction(sent, me))


def test_the_settings_say_from_which_size_on_a_trade_is_told() -> None:
    terms = whale_terms(ChainsSettings())

    assert terms.impact_ratio == Fraction(5, 1_000)
    assert terms.worth_usd == 250_000
    assert terms.told_max == 1
