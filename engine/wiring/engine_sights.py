"""What the engine's reports see of a run beside its core: venues, records, prices, the loop."""

from collections.abc import Callable, Sequence

from engine.connectors.session import Session
from engine.decide.bounds.venue_failures import FAILURES
from engine.domain.health import Health, Sight
from engine.domain.instruments import VenueId
from engine.domain.recovery import VENUE_REST, Recovery
from engine.operate.chat_sight import ChatSight
from engine.operate.clock import Clock
from engine.operate.core_parts import Core
from engine.operate.engine_reports import Sights
from engine.operate.kill_latch import EngineLatches
from engine.operate.latency import LatencyRing
from engine.operate.outbox import Outbox
from engine.operate.recorder import Recorder
from engine.wiring.lists import VenueList
from engine.wiring.run_set_up import OpenVenues
from engine.wiring.shared_prices import SharedPrices
from engine.wiring.ticks import Ticks


def sights_of(
    core: Core,
    venues: OpenVenues,
    sessions: Sequence[Session],
    lists: Sequence[VenueList],
    *,
    latches: EngineLatches,
    loop_lag: LatencyRing,
    outbox: Outbox,
    recorder: Recorder | None,
    prices: SharedPrices,
) -> Sights:
    """Return what the engine's reports see of the run beside its core."""

    def notes() -> dict[VenueId, str]:
        troubles = dict(venues.notes)
        for stream, access in enumerate(venues.access):
            left_out = core.rows.left_out[stream]
            parts = (
                sessions[stream].trouble,
                lists[stream].trouble,
                access.rest.limiter.note(),
                f"no room before a restart for {', '.join(left_out)}" if left_out else "",
            )
            troubles[access.spec.venue] = "; ".join(part for part in parts if part)
        return troubles

    return Sights(
        is_killed=latches.is_killed,
        waiting=lambda: outbox.waiting,
        recording=lambda: None if recorder is None else str(recorder.run_directory),
        recording_failure=lambda: None if recorder is None else recorder.failure,
        prices_published=prices.published,
        prices_failure=lambda: prices.failure,
        loop_lag=loop_lag,
        venue_notes=notes,
    )


def looks_of(
    core: Core, ticks: Ticks, recorder: Recorder | None, sight: ChatSight, clock: Clock
) -> Callable[[], list[Sight]]:
    """Return what sees the components that are the engine's business."""
    rests: dict[VenueId, Recovery] = {}

    def look() -> list[Sight]:
        at_ns = clock()
        _count_rests(core, rests, at_ns)
        sights = ticks.sights(at_ns)
        if recorder is not None:
            why = recorder.failure or ""
            sights.append(
                Sight(component="recorder", health=Health.DOWN if why else Health.WELL, why=why)
            )
        is_blind = sight.is_blind
        why = "no chat reaches you" if is_blind else ""
        health = Health.DOWN if is_blind else Health.WELL
        sights.append(Sight(component="telegram", health=health, why=why))
        return sights

    return look


def _count_rests(core: Core, rests: dict[VenueId, Recovery], at_ns: int) -> None:
    """Count venues that rest as too many orders failed there: beside the decider, not in it."""
    most = int(core.decider.limits[FAILURES])
    resting = core.decider.failures.resting(at_ns, most=most)
    for venue in resting:
        recovery = rests.setdefault(venue, Recovery(VENUE_REST, of=f"orders/{venue}"))
        if not recovery.is_failing:
            recovery.failed()
    for venue, recovery in rests.items():
        if venue not in resting:
            recovery.works()
