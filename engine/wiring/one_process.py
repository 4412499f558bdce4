"""All roles in one process: for tests, for debugging, and for a terminal without a supervisor.

The same roles, the same messages (encoded and decoded as on a socket), one event loop. Nothing is
restarted, and the hot path shares its interpreter: a product run uses processes.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from engine.bus.memory import MemoryCaller
from engine.facade.client import BusFacade
from engine.facade.doors import Doors, EngineDoor
from engine.operate.clock import SteadyClock, make_clock
from engine.operate.lifeline import stop_signals
from engine.operate.loaded import keep_what_is_loaded
from engine.requests.request_list import requests_of
from engine.settings.load import load_settings
from engine.settings.schema import Settings
from engine.storage.ledger import open_ledger
from engine.wiring.chains_role import open_chains
from engine.wiring.engine_role import open_engine
from engine.wiring.front_end import FrontEnd, front_end_settings, set_up_logging
from engine.wiring.ledger_role import ledger_settings
from engine.wiring.markets import market_note
from engine.wiring.paths import Paths, prepare
from engine.wiring.run import supervisor_lease
from engine.wiring.sandbox_role import open_markets


@contextlib.asynccontextmanager
async def open_front_end_with_roles(
    environment: Mapping[str, str], *, directory: Path
) -> AsyncIterator[FrontEnd]:
    """Load the settings and open every role for a front-end in this process."""
    settings = load_settings(environment, directory=directory)
    set_up_logging(settings)
    paths = prepare(settings.data.dir, engine_id=settings.engine.id)
    with supervisor_lease(paths) as lease:
        async with stop_signals(lease=lease) as stop, open_roles(settings, paths) as facade:
            keep_what_is_loaded()
            yield FrontEnd(
                facade=facade,
                settings=front_end_settings(settings, paths),
                stop=stop,
                clock=make_clock(),
            )


@contextlib.asynccontextmanager
async def open_roles(
    settings: Settings, paths: Paths, *, clock: SteadyClock | None = None
) -> AsyncIterator[BusFacade]:
    """Open sandbox (if it is the market), ledger, chains and engine, in this order, with one clock.

    Raises:
        FatalError: something that only a person can mend.
        TransientError: every venue is away.
    """
    clock = clock or SteadyClock()
    async with contextlib.AsyncExitStack() as stack:
        if settings.markets.source == "sandbox":
            await stack.enter_async_context(open_markets(settings, paths))
        if settings.exchanges.ccxt:
            from engine.wiring.ccxt_role import open_ccxt  # noqa: PLC0415 - memory that few need

            await stack.enter_async_context(open_ccxt(settings, paths))
        own = ledger_settings(settings, paths, note=market_note(settings, paths))
        ledger = MemoryCaller(
            requests_of("ledger"),
            await stack.enter_async_context(open_ledger(own, clock=clock.now_ns)),
        )
        chains = MemoryCaller(
            requests_of("chains"),
            await stack.enter_async_context(
                open_chains(settings, paths, ledger, clock=clock.now_ns)
            ),
        )
        answers = await stack.enter_async_context(open_engine(settings, paths, ledger, clock=clock))
        latches = paths.latches()
        engine = EngineDoor(caller=MemoryCaller(requests_of("engine"), answers), latch=latches.own)
        doors = Doors(paths.engine_id, engine)
        yield BusFacade(doors, ledger, latches.of_all, chains=chains)
