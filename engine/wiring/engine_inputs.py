"""What brings the engine its inputs: a session and a list for each venue, stored intents."""

import random
from collections.abc import Callable, Sequence
from functools import partial

from engine.bus.records import IntentRecord
from engine.connectors.session import Accept, Session, SessionLimits
from engine.core.inputs.intent_stored import IntentStored
from engine.core.inputs.listed import LISTED, InstrumentList
from engine.operate.beside import Run
from engine.operate.clock import Clock
from engine.operate.clock_watch import ClockWatch
from engine.operate.core_parts import Core
from engine.operate.hot_path import HotPath
from engine.ports import Action, InputKind, Listed
from engine.settings.schema import Settings
from engine.wiring.capital import capital_of
from engine.wiring.lists import VenueList, fetch_list
from engine.wiring.run_set_up import OpenVenues, VenueAccess


def sessions_of(core: Core, venues: OpenVenues, watch: ClockWatch, clock: Clock) -> list[Session]:
    """Return the session of each venue, not connected yet."""
    return [
        Session(
            websocket_url=access.websocket_url,
            rest=access.rest,
            accept=accept_of(core.hot_path, stream, watch),
            now_ns=clock,
            jitter=random.random,
            limits=SessionLimits(),
            proxy=access.proxy,
            component=f"feed/{access.spec.venue}",
        )
        for stream, access in enumerate(venues.access)
    ]


def lists_of(
    settings: Settings,
    core: Core,
    venues: OpenVenues,
    sessions: Sequence[Session],
    *,
    watch: ClockWatch,
    clock: Clock,
) -> list[VenueList]:
    """Return the list of each venue, beside its session."""
    return [
        _list_of(settings, access, session, accept_of(core.hot_path, stream, watch), clock)
        for stream, (access, session) in enumerate(zip(venues.access, sessions, strict=True))
    ]


def run_venues(
    run: Run, venues: OpenVenues, lists: Sequence[VenueList], sessions: Sequence[Session]
) -> None:
    """Take the lists that venues gave at the start, and keep all venues connected."""
    for access, venue_list, session in zip(venues.access, lists, sessions, strict=True):
        venue_list.take(access.listing)
        run(_connected(session, venue_list), venue_list.run())


def accept_of(hot_path: HotPath, stream: int, watch: ClockWatch) -> Accept:
    """Return what takes the inputs of a stream, behind a look at the clock if that is late."""
    frame, accept = hot_path.frame, hot_path.accept

    def take(kind: InputKind, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        if at_ns >= watch.late_at_ns:
            at_ns = watch.read()
        if kind is InputKind.FRAME:
            return frame(stream, payload, at_ns, key)
        return accept(kind, stream=stream, key=key, payload=payload, at_ns=at_ns)

    return take


def intents_to(
    hot_path: HotPath, watch: ClockWatch, clock: Clock
) -> Callable[[IntentRecord, bool], None]:
    """Return what makes an input of each intent that the ledger has, or refuses for good."""

    def tell(record: IntentRecord, is_stored: bool) -> None:  # noqa: FBT001 - as it is called
        at_ns = clock()
        if at_ns >= watch.late_at_ns:
            at_ns = watch.read()
        names = [one.client_order_id for one in record.intent.sendables]
        hot_path.command(IntentStored(client_order_ids=names, is_refused=not is_stored), at_ns)

    return tell


def _list_of(
    settings: Settings, access: VenueAccess, session: Session, accept: Accept, clock: Clock
) -> VenueList:
    def take(listing: Sequence[Listed]) -> None:
        capital = capital_of(settings.paper, [one.instrument for one in listing])
        payload = LISTED.encode(InstrumentList(listed=list(listing), capital=capital))
        session.perform(accept(InputKind.LISTED, "", payload, clock()))

    return VenueList(
        fetch=partial(fetch_list, access.spec, access.rest, access.pairs),
        take=take,
        wanted=session.list_wanted,
        trouble=access.why,
    )


async def _connected(session: Session, venue_list: VenueList) -> None:
    """Keep a venue connected once it has an instrument to subscribe to."""
    await venue_list.had.wait()
    await session.run()
