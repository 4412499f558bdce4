"""A kill that is a drill: the engine's own latch is set as by a kill, looked at, and cleared again.

It waits for nothing between setting and clearing, so that nothing else of this process comes in
between; a kill that does come is of another process, told by the socket as well, and holds.
"""

import time

from engine.bus.command import Envelope
from engine.bus.kill_reports import DrillReport
from engine.bus.records import LatchAct, LatchRecord
from engine.bus.reports import Declined
from engine.domain.errors import FatalError
from engine.operate.clock import Clock
from engine.operate.codes import STORED_WITHIN_S
from engine.operate.kill_latch import EngineLatches, KillLatch
from engine.operate.outbox import Outbox


async def drill(
    latches: EngineLatches,
    outbox: Outbox,
    clock: Clock,
    envelope: Envelope,
    *,
    engine: str,
) -> DrillReport | Declined:
    """Carry a drill out, of an engine that is not killed.

    Raises:
        TransientError: the ledger is away; the latch is clear again all the same.
    """
    if latches.is_killed():
        return Declined(why="it is killed already: a drill would have to clear that")
    own = latches.own
    began_ns = time.perf_counter_ns()
    own.hold()
    memory_us = _since_us(began_ns)
    try:
        own.kill(by=envelope.by, why=f"drill {envelope.id}")
    except FatalError as error:
        return Declined(why=f"THE DRILL FAILED, the engine holds: {error}")
    file_us = _since_us(began_ns)
    # As every plan and each send of a leg look, and as another process does: by the file alone.
    has_refused = latches.is_killed() and KillLatch(own.path.parent).is_killed()
    refused_us = _since_us(began_ns)
    is_clear = own.why().endswith(f"drill {envelope.id}")
    if is_clear:
        own.clear()
    if not has_refused:
        return Declined(why="THE DRILL FAILED: the latch was set, and a plan was not refused")
    at_ns = clock()
    steps = f"held in {memory_us} us, on disk in {file_us} us, refused in {refused_us} us"
    record = LatchRecord(
        record_id=f"drill-{envelope.id}",
        at_ns=at_ns,
        act=LatchAct.DRILL,
        by=envelope.by,
        why=steps if is_clear else f"{steps}; killed meanwhile, and left so",
        engine=engine,
    )
    await outbox.put_durably(record, timeout_s=STORED_WITHIN_S)
    return DrillReport(
        memory_us=memory_us,
        file_us=file_us,
        refused_us=refused_us,
        stored_us=_since_us(began_ns),
        is_clear=is_clear,
    )


def _since_us(began_ns: int) -> int:
    return (time.perf_counter_ns() - began_ns) // 1_000
