"""The chains role: reads nodes, keeps pools as they are there, and tells the engine each block."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from engine.background.switches import Trigger
from engine.bus.lease import held_lease, keep
from engine.bus.notices import (
    ChainFileLost,
    HookTrouble,
    Notice,
    ProviderCaught,
    Reorganised,
    WhaleSeen,
)
from engine.bus.records import NoticeRecord, Record
from engine.bus.request import Caller
from engine.chains.discovery.choosing import ChoiceTerms
from engine.chains.facts.keeping import KeptBlocks
from engine.chains.following.machine import Following
from engine.chains.following.serving import serving
from engine.chains.pending.whales import Whale
from engine.chains.rpc.key_file import KeyFile
from engine.connectors.outbound import open_outbound
from engine.market.book_prices import BookPrices
from engine.market.matrix_file import shared_path
from engine.operate.beside import running_beside
from engine.operate.clock import Clock, make_clock
from engine.operate.running_role import running_role
from engine.operate.short_slice import ask_for_short_slices
from engine.settings.schema import Settings
from engine.wiring.bus import caller_to, served
from engine.wiring.chain_answers import ChainAnswers
from engine.wiring.chain_nodes import ChainNodes, blocks_socket, nodes_of
from engine.wiring.chain_pending import ChainPending, whale_notice, whale_terms
from engine.wiring.chain_processes import ROLE, chain_of, role_of
from engine.wiring.followed_chains import key_file
from engine.wiring.for_ledger import ForLedger
from engine.wiring.holding import chains_hold, keep_looking
from engine.wiring.markets import basis_of
from engine.wiring.one_chain import OneChain
from engine.wiring.paths import Paths

log = logging.getLogger(__name__)

LEASE_LOOK_S: Final = 0.5
KEYS_LOOK_S: Final = 2.0


async def run_chains(settings: Settings, paths: Paths, *, role: str = ROLE) -> None:
    """Follow chains as a process of its own until told to stop: all, or the one of the role.

    Raises:
        SettingsError: the nodes' addresses cannot be used.
        TransientError: the sandbox has not announced itself.
    """
    ledger = caller_to(paths, "ledger")
    async with running_role() as running:
        if refused := ask_for_short_slices():
            log.info("slices of processor time are the system's: %s", refused)
        try:
            with held_lease(paths.lease(role), what=role) as lease:
                async with (
                    open_chains(
                        settings, paths, ledger, clock=make_clock(), only=chain_of(role)
                    ) as answers,
                    served(paths, role, answers, on_fatal=running.on_fatal, answers=ROLE),
                ):
                    await running.until_stopped(keep(lease, every_s=LEASE_LOOK_S))
        finally:
            await ledger.aclose()


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
    basis = basis_of(settings)
    news = ForLedger(ledger, kind=_kind_of(only), basis=basis, clock=clock, rank=_rank)

    def tell(notice: Notice) -> None:
        log.warning("%s", notice)
        name = f"{_kind_of(only)}-{type(notice).__name__}-{notice.at_ns}"
        news.store_later(NoticeRecord(record_id=name, notice=notice))

    def on_liar(chain: str, provider: str, why: str) -> None:
        tell(ProviderCaught(at_ns=clock(), basis=basis, chain=chain, provider=provider, why=why))

    def on_reorganised(chain: str, blocks: int, number: int) -> None:
        tell(Reorganised(at_ns=clock(), basis=basis, chain=chain, blocks=blocks, number=number))

    def on_file_lost(chain: str, what: str, why: str) -> None:
        tell(ChainFileLost(at_ns=clock(), basis=basis, chain=chain, what=what, why=why))

    def on_hook_trouble(chain: str, why: str) -> None:
        tell(HookTrouble(at_ns=clock(), basis=basis, chain=chain, why=why))

    def on_whale(whale: Whale) -> None:
        tell(whale_notice(whale, at_ns=clock(), basis=basis))

    def watched(machine: Following, nodes: ChainNodes, blocks: KeptBlocks) -> ChainPending:
        return ChainPending(
            machine,
            on_impact=partial(hold.trigger, Trigger.IMPACT),
            on_told=partial(hold.trigger, Trigger.WEBHOOK),
            facts=nodes.facts,
            routers=nodes.routers,
            dexes=nodes.dexes,
            terms=whale_terms(settings.chains),
            on_whale=on_whale,
            now_ns=clock,
            hears_pending=settings.chains.pending,
            note=blocks.swapped,
            note_taken=blocks.took,
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
                on_file_lost=on_file_lost,
                watched=watched,
                probe_turn=probe_turn,
                blocks=KeptBlocks(clock),
                usd_of=books.usd_of,
            )
            for name, one in nodes.items()
        }
        streams = {name: one.stream for name, one in chains.items()}
        await stack.enter_async_context(serving(socket, streams))
        async with running_beside() as run:
            run(*(one.run() for one in chains.values()), news.run(), keep_looking(hold))
            if settings.markets.source == "live":
                run(_change_keys(key_file(settings), chains))
            yield ChainAnswers(chains, basis=basis, clock=clock, on_hook_trouble=on_hook_trouble)


async def _change_keys(keys: KeyFile, chains: Mapping[str, OneChain]) -> None:
    """Use other keys when their file has changed; chains that it names anew take a restart."""
    while True:
        await asyncio.sleep(KEYS_LOOK_S)
        if keys.changed():
            for name, accesses in keys.providers.items():
                if name in chains:
                    await chains[name].use(accesses)


def _kind_of(only: str) -> str:
    """Name what is told of chains; a chain's own process tells apart what is its."""
    return f"chains_{only}" if only else "chains"


def _rank(record: Record) -> int:
    """Large trades count least: many come, and each is one of many."""
    is_whale = isinstance(record, NoticeRecord) and isinstance(record.notice, WhaleSeen)
    return 0 if is_whale else 1
