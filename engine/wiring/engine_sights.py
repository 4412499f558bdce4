"""What the engine's reports see of a run beside its core: venues, records, prices, the loop."""

from collections.abc import Sequence

from engine.connectors.session import Session
from engine.domain.instruments import VenueId
from engine.operate.core_parts import Core
from engine.operate.engine_reports import Sights
from engine.operate.kill_latch import EngineLatches
from engine.operate.latency import LatencyRing
from engine.operate.outbox import Outbox
from engine.operate.recorder import Recorder
from engine.wiring.lists import VenueList
from engine.wiring.run_set_up import OpenVenues
from engine.wiring.shared_prices import SharedPrices


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
