"""A process for each chain: rows of the supervisor, sockets, and one answer of all of them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from engine.bus.chain_reports import ChainsReport, PoolsReport
from engine.chains.safety.verdict_store import VerdictStore
from engine.connectors.block_stream import BlockStream
from engine.domain.errors import TransientError
from engine.facade.engine import Facade
from engine.operate.clock import make_clock
from engine.pools.blocks import Block
from engine.requests.advise import AdviseChains
from engine.requests.chains import GetBlockFacts, GetChains, GetPoolRates, GetPools
from engine.requests.token import GetToken
from engine.settings.load import load_settings
from engine.settings.schema import ChainsSettings, MarketsSettings, Settings
from engine.wiring.bus import served
from engine.wiring.chain_answers import ChainAnswers
from engine.wiring.chain_nodes import chains_of
from engine.wiring.chain_processes import chain_of, chain_roles
from engine.wiring.chains_role import open_chains
from engine.wiring.followed_chains import FOLLOWED_ENVIRONMENT_NAME
from engine.wiring.front_end import open_facade
from engine.wiring.paths import Paths
from engine.wiring.run import role_specs
from tests.chains.conftest import start_local
from tests.chains.following.role import KeptNotices, announced, local_chain, safe_token
from tests.chains.following.test_role import PROVIDERS, live
from tests.chains.local_world import LocalWorld
from tests.connectors.test_block_stream import Told
from tests.patience import PATIENCE_S

NAMES = ["base", "ethereum"]


def each(processes: Literal["one", "each"] = "each") -> Settings:
    return Settings(
        markets=MarketsSettings(sandbox_chains=NAMES),
        chains=ChainsSettings(pool_usd_min=0, processes=processes),
    )


@pytest.fixture(scope="module")
def worlds() -> Iterator[dict[str, LocalWorld]]:
    started = {name: start_local(name) for name in NAMES}
    yield started
    for one in started.values():
        one.close()


def announced_both(data_dir: Path, worlds: dict[str, LocalWorld]) -> Paths:
    paths = announced(data_dir, worlds["ethereum"])
    said = msgspec.json.decode(paths.sandbox_announce.read_bytes())
    said["local_chains"] = {name: local_chain(world) for name, world in worlds.items()}
    paths.sandbox_announce.write_bytes(msgspec.json.encode(said))
    base = worlds["base"]
    VerdictStore(paths.chains, "base").save(
        safe_token("base", one.address) for one in base.made.tokens
    )
    return paths


@asynccontextmanager
async def process(paths: Paths, settings: Settings, role: str) -> AsyncIterator[ChainAnswers]:
    """What the role of this name does, without a process of its own."""
    async with (
        open_chains(settings, paths, KeptNotices(), clock=make_clock(), only=chain_of(role)) as own,
        served(paths, role, own, on_fatal=lambda _: None, answers="chains"),
    ):
        yield own


async def until_live(facade: Facade) -> ChainsReport:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            report = await facade.ask(GetChains())
            if all(one.pools_live > 10 and not one.pools_stale for one in report.chains):
                return report
            await asyncio.sleep(0.02)


async def all_pages(facade: Facade, most: int) -> list[PoolsReport]:
    pages = [await facade.ask(GetPools(most=most))]
    while pages[-1].first + most < pages[-1].count:
        pages.append(await facade.ask(GetPools(first=pages[-1].first + most, most=most)))
    return pages


async def test_two_answer_as_one(worlds: dict[str, LocalWorld], tmp_path: Path) -> None:
    """And each serves its own blocks. The name is short: it is part of the sockets' paths."""
    paths, settings = announced_both(tmp_path / "var", worlds), each()
    weth = worlds["base"].token("WETH").address
    async with AsyncExitStack() as stack:
        roles = chain_roles(settings)
        assert roles == {"chains-base": ["base"], "chains-ethereum": ["ethereum"]}
        own = {
            role: await stack.enter_async_context(process(paths, settings, role)) for role in roles
        }
        facade = await stack.enter_async_context(open_facade(paths, settings))

        report = await until_live(facade)
        pages = await all_pages(facade, 7)
        of_base = await facade.ask(GetPools(chain="base", most=100))
        token = await facade.ask(GetToken(name=weth))
        rates = await facade.ask(GetPoolRates(chain="base", most=3))
        facts = await facade.ask(GetBlockFacts(chain="ethereum", last=1))
        advised = await facade.ask(AdviseChains(advice=()))
        told = await blocks_of(paths, settings, worlds)

    assert [line.chain for line in report.chains] == NAMES
    assert [[*one.of] for one in own.values()] == [["base"], ["ethereum"]]
    assert (rates.is_followed, len(rates.pools)) == (True, 3)
    assert facts.chain == "ethereum"
    assert (advised.in_force, advised.is_changed) == (0, False)
    lines = [line for page in pages for line in page.pools]
    everything = [line for one in own.values() for line in one.pools(GetPools(most=5_000)).pools]
    assert len(lines) == len(everything) == pages[0].count == pages[0].live
    assert {(one.chain, one.address) for one in lines} == {
        (one.chain, one.address) for one in everything
    }
    worths = [one.worth_usd for one in lines]
    assert worths == sorted(worths, reverse=True)
    assert {(chain, dex) for chain, dex, _ in pages[0].by_dex} == {
        (one.chain, one.dex) for one in lines
    }
    assert {one.chain for one in of_base.pools} == {"base"}
    assert [(one.chain, one.token, one.why_not) for one in token.found] == [("base", weth, "")]
    assert {name: {block.chain for block in blocks} for name, blocks in told.items()} == {
        name: {name} for name in NAMES
    }


async def blocks_of(
    paths: Paths, settings: Settings, worlds: dict[str, LocalWorld]
) -> dict[str, list[Block]]:
    """Hear the blocks of each chain as the engine does."""
    told: dict[str, list[Block]] = {}
    for name, source in chains_of(settings, paths).items():
        sink = Told()
        stream = BlockStream(
            source.url, sink, proxy=None, jitter=lambda: 0.0, socket_path=source.socket_path
        )
        task = asyncio.create_task(stream.run())
        await asyncio.to_thread(worlds[name].mine)
        await sink.until(Block, 2)
        task.cancel()
        told[name] = [word for word in sink.words if isinstance(word, Block)]
    return told


async def test_a_chain_whose_process_is_away_is_named_and_the_other_goes_on(
    worlds: dict[str, LocalWorld], tmp_path: Path
) -> None:
    paths, settings = announced_both(tmp_path / "var", worlds), each()
    async with process(paths, settings, "chains-base"), open_facade(paths, settings) as facade:
        lines: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE_S):
            while not lines or lines["base"]:
                report = await facade.ask(GetChains())
                lines = {one.chain: one.trouble for one in report.chains}
                await asyncio.sleep(0.02)
        pools = await facade.ask(GetPools())

    assert lines.keys() == {"base", "ethereum"}
    assert "chains-ethereum" in lines["ethereum"]
    assert {one.chain for one in pools.pools} <= {"base"}
    async with open_facade(paths, settings) as facade:
        with pytest.raises(TransientError):
            await facade.ask(GetChains())


def test_each_chain_is_a_row_of_the_supervisor_with_a_log_and_a_lease(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(
        live(PROVIDERS), chains=ChainsSettings(providers=PROVIDERS, processes="each")
    )
    specs = role_specs(settings, Paths(tmp_path), has_bot=True)
    rows = {one.name: one for one in specs if one.name.startswith("chains")}

    assert [*rows] == ["chains-base", "chains-ethereum"]
    assert len({one.lease for one in rows.values()} | {one.log_path for one in rows.values()}) == 4
    assert [one.arguments[-1] for one in rows.values()] == [*rows]
    for name in ("engine", "bot"):  # they know which chains there are, and no key
        environment = next(one for one in specs if one.name == name).environment
        assert environment is not None
        said = dict(environment())
        assert said[FOLLOWED_ENVIRONMENT_NAME] == "base,ethereum"
        assert load_settings(said, directory=tmp_path).chains.processes == "each"


def test_one_process_for_all_is_what_nobody_has_to_ask_for(tmp_path: Path) -> None:
    assert chain_roles(each("one")) == {"chains": NAMES}
    assert Settings().chains.processes == "one"
    sources = chains_of(msgspec.structs.replace(live(PROVIDERS)), Paths(tmp_path))
    assert len({one.socket_path for one in sources.values()}) == 1
