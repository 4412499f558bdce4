"""Clear the kill latch for a person on the host."""

import time

from engine.bus.command import seal
from engine.bus.reports import Declined
from engine.domain.engines import MAIN
from engine.facade.engine import Facade
from engine.operate.kill_latch import KillLatch
from engine.requests.safety import Unkill


async def unkill_from_host(
    facade: Facade,
    latch: KillLatch,
    *,
    by: str,
    has_engine: bool,
    engine_id: str = MAIN,
    of: str = "",
) -> tuple[bool, str]:
    """Let the engine clear the latch, which stores it first; without one clear the file here.

    The engine that starts next finds the clearing in the file, stores it and tells it.

    Args:
        facade: to the engine.
        latch: to be cleared.
        by: who asks.
        has_engine: it answers.
        engine_id: which one that is.
        of: whose latch it is; empty for that of all engines.

    Returns:
        whether plans are allowed again, and what to say.

    Raises:
        TransientError: the engine could not store it; nothing was changed.
        FatalError: the file cannot be written.
    """
    if not has_engine:
        latch.clear()
        return True, "the latch is clear; the engine, which does not run, tells it when it starts"
    report = await facade.ask(
        seal(Unkill(code=None, engine=of), by=by, at_ns=time.time_ns(), target=engine_id)
    )
    if isinstance(report, Declined):
        return False, report.why
    return True, report.text
