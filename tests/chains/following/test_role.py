"""The role `chains` on a real node: found pools, the engine's stream, answers, news, restarts."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from bot.render.chains import render_chain
from engine.bus.chain_reports import ChainLine
from engine.bus.notices import ChainFileLost, Reorganised
from engine.chains.discovery.found import PoolRefusal
from engine.chains.rpc.reader import ChainReader
from engine.domain.chains import CHAINS
from engine.domain.errors import SettingsError, TransientError
from engine.market.board import Board
from engine.market.matrix_file import shared_path
from engine.market.price_matrix import PriceMatrix
from engine.operate import exit_codes
from engine.pools.blocks import Block
from engine.pools.snapshots import PoolSnapshot
from engine.requests.chains import GetChains, GetPools
from engine.settings.passing import role_environment
from engine.settings.schema import ChainsSettings, MarketsSettings, Settings
from engine.wiring.bus import caller_to
from engine.wiring.chain_answers import ChainAnswers
from engine.wiring.chain_nodes import chains_of, nodes_of
from engine.wiring.followed_chains import FOLLOWED_ENVIRONMENT_NAME
from engine.wiring.one_chain import OneChain
from engine.wiring.paths import Paths
from engine.wiring.run import role_specs
from tests.chains.following.node import differing
from tests.chains.following.role import announced, chains_role, engine_side, until
from tests.chains.following.test_real_node import trade
from tests.chains.local_world import LocalWorld
from tests.market.matrix_process import show_book
from tests.patience import PATIENCE_S
from tests.reference.world import make_instrument

KEY = "keyofone0123456789"
PROVIDERS = f"ethereum=https://one.example/{KEY}|wss://one.example/{KEY};base=https://two.example"


async def line_of(answers: ChainAnswers) -> ChainLine:
    return (await answers.answer(GetChains())).chains[0]


async def until_live(answers: ChainAnswers) -> ChainLine:
    one = answers.of["ethereum"]
    await until(lambda: len(one.machine.pools.of) > 10 and not one.machine.pools.unread_count)
    return await line_of(answers)


async def test_pools_are_found_and_told_to_the_engine_and_move_with_the_node(
    world: LocalWorld, tmp_path: Path
) -> None:
    paths = announced(tmp_path / "var", world)
    async with chains_role(paths) as (answers, _), engine_side(paths) as told:
        line = await until_live(answers)
        await told.until(PoolSnapshot, line.pools_live)
        await asyncio.to_thread(trade, world, random.Random(1), 6)
        head = int((await asyncio.to_thread(world.head))["number"], 16)
        await until(lambda: any(b.number == head for b in told.words if isinstance(b, Block)))
        line = await line_of(answers)
        one = answers.of["ethereum"]
        assert one.tip is not None

        assert not await differing(one.machine, _reader(one), one.tip)

    blocks = [word for word in told.words if isinstance(word, Block)]
    assert sum(len(block.each_change()) for block in blocks) >= 3
    assert line.head == head
    assert (line.pools_stale, line.trouble, line.listeners) == (0, "", 1)
    assert [(one.name, one.state) for one in line.providers] == [("local 1", "good")]


async def test_pools_are_answered_page_by_page_and_the_richest_first(
    world: LocalWorld, tmp_path: Path
) -> None:
    async with chains_role(announced(tmp_path / "var", world)) as (answers, _):
        line = await until_live(answers)
        every = await answers.answer(GetPools(most=100))
        second = await answers.answer(GetPools(first=2, most=2))
        of_dex = await answers.answer(GetPools(dex="uniswap v2"))
        nowhere = await answers.answer(GetPools(chain="base"))
        stale = await answers.answer(GetPools(is_stale=True))

    assert every.count == every.live == line.pools_live == len(every.pools)
    worths = [one.worth_usd for one in every.pools]
    assert worths == sorted(worths, reverse=True)
    assert second.pools == every.pools[2:4]
    assert {one.dex for one in of_dex.pools} == {"Uniswap V2"}
    assert nowhere.count == stale.count == 0


@pytest.mark.parametrize("has_books", [True, False])
async def test_pools_are_worth_what_the_engines_books_say_and_the_chains_own_pairs_without(
    world: LocalWorld, tmp_path: Path, *, has_books: bool
) -> None:
    paths = announced(tmp_path / "var", world)
    ether = make_instrument("a", "ETH-USD", price_decimals=0, size_decimals=0, tick="1", lot="1")
    board = Board([ether], levels_max=8)
    with closing(PriceMatrix.create(shared_path(paths.run), board, run_id="r", pools=[])) as books:
        if has_books:
            show_book(board, books, 60_000, at_ns=time.time_ns())
        async with chains_role(paths) as (answers, _):
            one = answers.of["ethereum"]
            await until(lambda: one.choice is not None)

    assert one.choice is not None
    pool = world.pool("Uniswap V2", "USDC", "WETH").address
    (worth,) = (chosen.worth_usd for chosen in one.choice.chosen if chosen.pool.address == pool)
    dollars, ether_there = (
        world.hands().read(world.token(symbol).address, "balanceOf(address)", ("uint256",), pool)
        / 10 ** world.token(symbol).decimals
        for symbol in ("USDC", "WETH")
    )
    usd = 60_000.5 if has_books else float(CHAINS["ethereum"].native_usd_about)
    assert worth == pytest.approx(dollars + ether_there * usd)


async def test_a_deep_reorganisation_is_undone_and_told_as_news(
    world: LocalWorld, tmp_path: Path
) -> None:
    async with chains_role(announced(tmp_path / "var", world)) as (answers, kept):
        await until_live(answers)
        one = answers.of["ethereum"]
        await asyncio.to_thread(world.mine, 12)
        head = int((await asyncio.to_thread(world.head))["number"], 16)
        await until(lambda: one.tip is not None and one.tip.number == head)
        await asyncio.to_thread(world.reorg, 9)
        await asyncio.to_thread(world.mine)
        await until(lambda: bool(kept.notices))
        line = await until_live(answers)

    (notice,) = kept.notices
    assert isinstance(notice, Reorganised)
    assert (notice.chain, notice.blocks, notice.number) == ("ethereum", 9, head - 8)
    assert (line.reorganisations, line.deepest) == (1, 9)


async def test_after_a_restart_deep_pools_are_as_they_were_kept_if_the_node_bears_it_out(
    world: LocalWorld, tmp_path: Path
) -> None:
    paths = announced(tmp_path / "var", world)
    async with chains_role(paths) as (answers, _):
        await until_live(answers)
    moved = world.pool("Uniswap V3", "WETH", "USDC")
    await asyncio.to_thread(world.swap, moved, "USDC", 1_000)

    async with chains_role(paths) as (answers, _), engine_side(paths) as told:
        line = await until_live(answers)
        await told.until(PoolSnapshot, line.pools_live)
        one = answers.of["ethereum"]
        assert one.tip is not None

        assert one.restored_count > 2
        assert not await differing(one.machine, _reader(one), one.tip)


async def test_files_that_cannot_be_used_or_moved_end_no_chain_and_are_told(
    world: LocalWorld, tmp_path: Path
) -> None:
    paths = announced(tmp_path / "var", world)
    verdicts = paths.chains / "token-verdicts-ethereum.json"
    verdicts.write_bytes(b"{")
    (paths.chains / f"{verdicts.name}.unreadable" / "full").mkdir(parents=True)
    for name in ("ethereum.pools", "ethereum.states", "ethereum.blocks"):
        (paths.chains / name).write_bytes(b"no file of ours" * 500)
        (paths.chains / f"{name}.damaged" / "full").mkdir(parents=True)

    async with chains_role(paths) as (answers, kept):
        one = answers.of["ethereum"]
        await until(lambda: one.choice is not None and len(kept.notices) >= 4)
        line = await line_of(answers)
        screen = render_chain(answers.chains(), line)
        unsafe = await answers.answer(GetPools(is_unsafe=True, most=5))
        followed = await answers.answer(GetPools())

    lost = {one.what: one for one in kept.notices if isinstance(one, ChainFileLost)}
    assert lost.keys() == {"pools", "states", "verdicts", "blocks"}
    assert {one.chain for one in lost.values()} == {"ethereum"}
    assert all(one.why for one in lost.values())
    assert one.choice is not None
    assert (unsafe.count, len(unsafe.pools)) == (one.choice.left_out[PoolRefusal.UNSAFE], 5)
    assert all("not probed yet" in of.why for of in unsafe.pools)
    assert (followed.count, followed.unsafe) == (0, unsafe.count)
    assert not one.choice.chosen  # no verdict is believed that cannot be read
    assert one.choice.left_out[PoolRefusal.UNSAFE]
    assert [said.partition(":")[0] for said in line.warnings] == [
        "verdicts on tokens could not be read, all are probed anew",
        "ethereum.pools is not kept over a restart",
        "ethereum.states is not kept over a restart",
    ]
    assert "Ethereum.pools is not kept" in str(screen)


@pytest.mark.slow
async def test_as_a_process_it_holds_its_lease_is_lean_and_ends_in_order(
    world: LocalWorld, tmp_path: Path
) -> None:
    paths = announced(tmp_path / "var", world)
    first = start(paths)
    try:
        caller = caller_to(paths, "chains")
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(TransientError, IndexError):  # it is not up yet
                    if (await caller.call(GetChains())).chains[0].pools_live > 10:
                        break
                await asyncio.sleep(0.05)
        await caller.aclose()
        process = psutil.Process(first.pid)
        resident, maps = process.memory_info().rss, str(process.memory_maps())
        second = start(paths)
        assert await asyncio.to_thread(second.wait, PATIENCE_S) == exit_codes.FATAL
        first.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(first.wait, PATIENCE_S) == exit_codes.OK
    finally:
        first.kill()
    assert resident < 100 * 1024 * 1024
    assert "llvmlite" not in maps


def start(paths: Paths) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        "SYNDICATE_DATA_DIR": str(paths.data_dir),
        "SYNDICATE_CHAINS_POOL_USD_MIN": "0",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "engine", "role", "chains"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _reader(one: OneChain) -> ChainReader:
    assert one.node is not None
    return ChainReader(one.node)


def live(providers: str | None) -> Settings:
    return Settings(
        markets=MarketsSettings(source="live"), chains=ChainsSettings(providers=providers)
    )


def test_the_role_is_started_only_where_there_is_a_chain_to_follow(tmp_path: Path) -> None:
    def names(settings: Settings) -> list[str]:
        return [one.name for one in role_specs(settings, Paths(tmp_path), has_bot=False)]

    assert names(live(PROVIDERS)) == ["ledger", "chains", "engine", "workers"]
    assert names(live(None)) == ["ledger", "engine", "workers"]


def test_the_engine_knows_which_chains_are_followed_and_not_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, paths = live(PROVIDERS), Paths(tmp_path)
    specs = {one.name: one for one in role_specs(settings, paths, has_bot=False)}
    assert specs["engine"].environment is not None
    environment = dict(specs["engine"].environment())

    assert environment[FOLLOWED_ENVIRONMENT_NAME] == "base,ethereum"
    assert KEY not in str(environment)
    assert KEY in str(role_environment(settings, "chains", {}))
    monkeypatch.setenv(FOLLOWED_ENVIRONMENT_NAME, "base,ethereum")
    sources = chains_of(live(None), paths)
    assert {name: one.block_ms for name, one in sources.items()} == {
        "base": 2_000,
        "ethereum": 12_000,
    }


def test_nodes_that_cannot_be_are_refused_without_a_word_of_their_keys(tmp_path: Path) -> None:
    for text in (f"ethereum={KEY}", f"moon=https://one.example/{KEY}", "file:/nowhere"):
        with pytest.raises(SettingsError) as caught:
            nodes_of(live(text), Paths(tmp_path))

        assert KEY not in str(caught.value)
        assert "SYNDICATE_CHAINS_PROVIDERS" in str(caught.value)
