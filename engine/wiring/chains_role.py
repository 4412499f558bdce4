"""The chains role: reads nodes, keeps pools as they are there, and tells the engine each block."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from engine.background.switches import Trigger
from engine.bus.lease import Lease, held_lease
from engine.bus.notices import Notice, ProviderCaught, Reorganised
from engine.bus.records import Append, NoticeRecord
from engine.bus.request import Caller
from engine.chains.discovery.choosing import ChoiceTerms
from engine.chains.facts.keeping import KeptBlocks
from engine.chains.following.machine import Following
from engine.chains.following.serving import serving
from engine.chains.pending.whales import Whale
from engine.chains.rpc.key_file import KeyFile
from engine.connectors.outbound import open_outbound
from engine.domain.errors import BadValueError, FatalError, SyndicateError, TransientError, worst_of
from engine.market.book_prices import BookPrices
from engine.market.matrix_file import shared_path
from engine.operate.clock import Clock, make_clock
from engine.operate.lifeline import stop_signals
from engine.operate.loaded import keep_what_is_loaded
from engine.operate.role_words import announce_ready
from engine.settings.schema import Settings
from engine.wiring.bus import caller_to, served
from engine.wiring.chain_answers import ChainAnswers
from engine.wiring.chain_nodes import ChainNodes, blocks_socket, key_file, nodes_of
from engine.wiring.chain_pending import ChainPending, whale_notice, whale_terms
from engine.wiring.chain_processes import ROLE, chain_of, role_of
from engine.wiring.holding import chains_hold, keep_looking
from engine.wiring.markets import basis_of
from engine.wiring.one_chain import OneChain
from engine.wiring.paths import Paths

log = logging.getLogger(__name__)

LEASE_LOOK_S: Final = 0.5
KEYS_LOOK_S: Final = 2.0
NEWS_MAX: Final = 100
RETRY_S: Final = 1.0


async def run_chains(settings: Settings, paths: Paths, *, role: str = ROLE) -> None:
    """Follow chains as a process of its own until told to stop: all, or the one of the role.

    Raises:
        SettingsError: the nodes' addresses cannot be used.
        TransientError: the sandbox has not announced itself.
    """
    broken: list[FatalError] = []
    ledger = caller_to(paths, "ledger")
    async with stop_signals(ignores_interrupt=True) as stop:

        def on_fatal(error: FatalError) -> None:
            broken.append(error)
            stop.set()

        try:
            with held_lease(paths.lease(role), what=role) as lease:
                async with (
                    open_chains(
                        settings, paths, ledger, clock=make_clock(), only=chain_of(role)
                    ) as answers,
                    served(paths, role, answers, on_fatal=on_fatal, answers=ROLE),
                    asyncio.TaskGroup() as tasks,
                ):
                    keeping = tasks.create_task(_keep(lease))
                    keep_what_is_loaded()
                    announce_ready()
                    await stop.wait()
                    keeping.cancel()
        finally:
            await ledger.aclose()
    if broken:
        raise broken[0]


@asynccontextmanager
async def open_chains(
    settings: Settings, paths: Paths, ledger: Caller, *, clock: Clock, only: str = ""
) -> AsyncIterator[ChainAnswers]:
    """Follow the chains of a run, or one, and serve their streams, until the block ends.

    Raises:
        SettingsError: the nodes' addresses cannot be used.
        TransientError: the sandbox has not announced itself.
    """
    nodes = {name: one for name, one in nodes_of(settings, paths).items() if only in ("", name)}
    socket = blocks_socket(settings, paths, only) if only else paths.blocks_socket
    news = News(ledger, mark=only)
    basis = basis_of(settings)

    def on_liar(chain: str, provider: str, why: str) -> None:
        news.tell(
            ProviderCaught(at_ns=clock(), basis=basis, chain=chain, provider=provider, why=why)
        )

    def on_reorganised(chain: str, blocks: int, number: int) -> None:
        news.tell(
            Reorganised(at_ns=clock(), basis=basis, chain=chain, blocks=blocks, number=number)
        )

    def on_whale(whale: Whale) -> None:
        news.tell(whale_notice(whale, at_ns=clock(), basis=basis))

    def watched(machine: Following, nodes: ChainNodes, blocks: KeptBlocks) -> ChainPending:
        return ChainPending(
            machine,
            on_impact=partial(hold.trigger, Trigger.IMPACT),
            facts=nodes.facts,
            routers=nodes.routers,
            dexes=nodes.dexes,
            terms=whale_terms(settings.chains),
            on_whale=on_whale,
            now_ns=clock,
            hears_pending=settings.chains.pending,
            note=blocks.swapped,
        )

    terms = ChoiceTerms(
        pool_usd_min=float(settings.chains.pool_usd_min), pools_max=settings.chains.pools_max
    )
    probe_turn = asyncio.Semaphore(1)
    books = BookPrices(shared_path(paths.run), clock)
    async with AsyncExitStack() as stack:
        hold = stack.enter_context(chains_hold(settings, paths, role=role_of(only)))
        way = await stack.enter_async_context(open_outbound(settings.network.proxy))
        chains = {
            name: OneChain(
                one,
                way,
                folder=paths.chains,
                terms=terms,
                undo_blocks=settings.chains.undo_blocks,
                stale_blocks=settings.chains.stale_blocks,
                votes=settings.chains.agree,
                rates={host: float(rate) for host, rate in settings.chains.units_per_s.items()},
                gas_stale_s=settings.chains.gas_stale_s,
                on_liar=on_liar,
                on_reorganised=on_reorganised,
                watched=watched,
                probe_turn=probe_turn,
                blocks=KeptBlocks(clock),
                usd_of=books.usd_of,
            )
            for name, one in nodes.items()
        }
        streams = {name: one.stream for name, one in chains.items()}
        await stack.enter_async_context(serving(socket, streams))
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(one.run()) for one in chains.values()]
                running.append(tasks.create_task(news.run()))
                running.append(tasks.create_task(keep_looking(hold)))
                if settings.markets.source == "live":
                    running.append(tasks.create_task(_change_keys(key_file(settings), chains)))
                try:
                    yield ChainAnswers(chains, basis=basis, clock=clock)
                finally:
                    for task in running:
                        task.cancel()
        except* SyndicateError as group:
            raise worst_of(group) from None


async def _change_keys(keys: KeyFile, chains: Mapping[str, OneChain]) -> None:
    """Use other keys when their file has changed; chains that it names anew take a restart."""
    while True:
        await asyncio.sleep(KEYS_LOOK_S)
        if keys.changed():
            for name, accesses in keys.providers.items():
                if name in chains:
                    await chains[name].use(accesses)


class News:
    """What the operator is told of chains; it waits for the ledger, and never holds up a block."""

    def __init__(self, ledger: Caller, *, mark: str = "") -> None:
        """Tell the ledger; the mark tells this process's news from those of others."""
        self._ledger = ledger
        self._mark = f"-{mark}" if mark else ""
        self._waiting: asyncio.Queue[Notice] = asyncio.Queue(NEWS_MAX)

    def tell(self, notice: Notice) -> None:
        """Tell a notice once the ledger takes it; with too many waiting it is only logged."""
        log.warning("%s", notice)
        if not self._waiting.full():
            self._waiting.put_nowait(notice)

    async def run(self) -> None:
        """Hand notices over, one after the other."""
        while True:
            notice = await self._waiting.get()
            name = f"chains-{type(notice).__name__}-{notice.at_ns}{self._mark}"
            record = NoticeRecord(record_id=name, notice=notice)
            await self._store(Append(records=[record]))

    async def _store(self, append: Append) -> None:
        while True:
            try:
                await self._ledger.call(append)
            except TransientError as error:
                log.info("news of chains wait for the ledger: %s", error)
                await asyncio.sleep(RETRY_S)
            except BadValueError as error:
                log.error("the ledger refuses %s: %s", append, error)  # noqa: TRY400 - said whole
                return
            else:
                return


async def _keep(lease: Lease) -> None:
    """Look whether this still is the one; raises `SupersededError` if not."""
    while True:
        await asyncio.sleep(LEASE_LOOK_S)
        lease.check()
