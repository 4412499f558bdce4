"""What the role `trader` answers: orders are taken on durably, and what became of them is told."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from engine.bus.report import Declined
from engine.bus.request import Reply, Request
from engine.bus.trading import (
    OrdersAcknowledged,
    OrdersCancelled,
    OrdersHandedOver,
    RefusedOrder,
    ToldOrder,
    ToldOrders,
    TryVenue,
    VenuesSeen,
    VenueTried,
)
from engine.bus.trading_reports import VenueDeskLine, VenueOrderLine, VenueOrdersReport
from engine.bus.transfer_reports import TransfersReport, TransferTermsReport
from engine.bus.transferring import GetTransferTerms, TakeOnTransfer
from engine.bus.work_reports import WorkDone
from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.orders import Purpose
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import VenueSeen
from engine.domain.units import NS_PER_MS
from engine.trading.ahead import Ahead, Signing
from engine.trading.book import OrderBook, Told
from engine.trading.checking import VenueCheck
from engine.trading.departure import Departure
from engine.trading.handed_orders import check_handed
from engine.trading.kept import KeptOrder, instrument_of
from engine.trading.standing import Standing
from engine.trading.transfer_answers import NONE_HERE, TransferAnswers
from engine.trading.trying import Trial
from engine.trading.venue_work import VenueWork

log = logging.getLogger(__name__)

LISTEN_S: Final = 2.0
NOT_COME: Final = "it was asked after before it came"


@dataclass(slots=True, kw_only=True)
class AtVenue:
    """All that is done at one venue."""

    work: VenueWork
    check: VenueCheck
    standing: Standing

    @property
    def why_not(self) -> str:
        """Say why no order is taken on there; empty if one is."""
        line = self.work.line
        return self.standing.why_not(trouble=line.trouble, note=line.note)


class TraderAnswers:
    """See `bus.trading.Trading`.

    Attributes:
        told: set when there are news.
        transferring: answers of transfers; None where nothing is withdrawn.

    Args:
        book: the table of orders.
        venues: at which orders are placed.
        basis: of what is placed.
        killed: says why an engine is killed; empty if it is not.
        signing: asks for the signatures of what leaves together.
    """

    def __init__(
        self,
        book: OrderBook,
        venues: dict[VenueId, AtVenue],
        *,
        basis: Basis,
        signing: Signing,
        killed: Callable[[str], str] = lambda _engine: "",
    ) -> None:
        self.told: Final = asyncio.Event()
        self._book = book
        self._venues = venues
        self._basis = basis
        self._killed = killed
        self._signing = signing
        self._handing = asyncio.Lock()
        self.transferring: TransferAnswers | None = None

    async def answer(self, request: Request[Reply], /) -> Reply:
        """See `bus.request.Answerer`."""
        return await request.answer(self)

    async def hand_over(self, orders: tuple[HandedOrder, ...]) -> OrdersHandedOver:
        """See `bus.trading.Trading`; no leg leaves if another one of its plan is refused."""
        async with self._handing:  # what is handed over twice at once is asked for once
            why_not = self._why_none(orders)
            ahead: dict[tuple[str, ...], Ahead] = {}
            try:
                await self._sign_ahead(orders, why_not, ahead)
                taken, refused = self._book.hand_over(orders, why_not)
                self._place(taken, ahead)
            finally:
                for one in ahead.values():
                    one.drop()
        if refused:
            self.told.set()
        return OrdersHandedOver(
            refused=tuple(RefusedOrder(client_order_id=k, why=why) for k, why in refused.items())
        )

    def _why_none(self, orders: Sequence[HandedOrder]) -> dict[str, str]:
        """Return by id why orders are not taken on; empty for those that are."""
        killed = {engine: self._killed(engine) for engine in {one.engine for one in orders}}
        why_not = {one.client_order_id: self._why_not(one, killed[one.engine]) for one in orders}
        for one in orders:
            others = [
                why_not[other.client_order_id] for other in orders if _leave_together(one, other)
            ]
            if not why_not[one.client_order_id] and (why := next(filter(None, others), "")):
                why_not[one.client_order_id] = f"another leg is not taken on: {why}"
        return why_not

    async def _sign_ahead(
        self,
        orders: Sequence[HandedOrder],
        why_not: Mapping[str, str],
        ahead: dict[tuple[str, ...], Ahead],
    ) -> None:
        """Have signed what is taken on in a moment, while that is made durable; by its ids.

        Of what was handed over or fenced off before nothing is signed: it may have left.
        """
        for one in orders:
            check_handed(one)
        for together in _departures(one for one in orders if not why_not[one.client_order_id]):
            if not self._book.knows_any(_ids(together)):
                lines = [(one, self._venues[one.venue].work.line) for one in together]
                if (begun := await self._signing.begin(lines)) is not None:
                    ahead[_ids(together)] = begun

    def _place(self, taken: Sequence[HandedOrder], ahead: dict[tuple[str, ...], Ahead]) -> None:
        """Let leave what was taken on; what is signed ahead is taken out of `ahead`."""
        for together in _departures(taken):
            departure = Departure(one.venue for one in together)
            signed = ahead.pop(_ids(together), None)
            for one in together:
                at = self._venues[one.venue]
                at.work.desk.begin(one)
                at.work.place(one, departure, signed)

    def rehearse(self, orders: tuple[HandedOrder, ...]) -> None:
        """See `bus.trading.Trading`; the signer is asked to do likewise meanwhile."""
        known = [one for one in orders if one.venue in self._venues and not self.why_not(one)]
        for together in _departures(known):
            self._signing.rehearse_later(together)
        for one in known:
            self._venues[one.venue].work.rehearse(one)
        self._book.rehearse(orders)

    def engines(self) -> set[str]:
        """Return whose orders are followed."""
        desks = (at.work.desk for at in self._venues.values())
        return {one.handed.engine for desk in desks for one in desk.followed.values()}

    def why_not(self, handed: HandedOrder) -> str:
        """Say why an order does not leave now; empty if it may."""
        return self._why_not(handed, self._killed(handed.engine))

    def _why_not(self, handed: HandedOrder, killed: str) -> str:
        at = self._venues.get(handed.venue)
        if at is None:
            known = ", ".join(self._venues) or "none"
            return f"no orders are placed at {handed.venue}; venues are: {known}"
        # What unwinds a leg goes out whatever a comparison says: it takes risk away.
        why = at.why_not if handed.purpose is Purpose.LEG else ""
        return killed or why

    def ask_after(self, client_order_id: str, venue: VenueId, engine: str) -> ToldOrders:
        """See `bus.trading.Trading`."""
        if not self._book.fence(client_order_id, venue, engine, NOT_COME):
            self.told.set()
        last = self._book.told_of(client_order_id)
        return self._told(() if last is None else (last,))

    async def untold(self, engine: str, after: int) -> ToldOrders:
        """See `bus.trading.Trading`."""
        found = self._book.untold(engine, after)
        if not found and after >= self._book.newest_number():
            self.told.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LISTEN_S):
                    await self.told.wait()
            found = self._book.untold(engine, after)
        return self._told(found)

    def acknowledge(self, numbers: tuple[int, ...]) -> OrdersAcknowledged:
        """See `bus.trading.Trading`."""
        self._book.acknowledge(numbers)
        return OrdersAcknowledged()

    def seen(self) -> VenuesSeen:
        """See `bus.trading.Trading`."""
        return VenuesSeen(
            seen=tuple(
                self._as_now(at.standing.seen, at)
                for at in self._venues.values()
                if at.standing.seen is not None
            )
        )

    def orders(self, most: int, client_order_id: str) -> VenueOrdersReport:
        """See `bus.trading.Trading`."""
        if client_order_id:
            one = self._book.handed(client_order_id)
            chosen = [] if one is None else [one]
        else:
            followed = [f.handed for at in self._venues.values() for f in at.work.desk.under_way]
            first = {one.client_order_id: one for one in (*followed, *self._book.newest(most))}
            chosen = list(first.values())[: max(most, len(followed))]
        lines = [_order_line(one, self._book.kept(one.client_order_id)) for one in chosen]
        return VenueOrdersReport(
            basis=self._basis,
            venues=[_venue_line(at) for at in self._venues.values()],
            orders=lines,
            count=self._book.count(),
        )

    def cancel_all(self, venue: str, engine: str, why: str) -> OrdersCancelled:
        """See `bus.trading.Trading`."""
        withheld = cancelling = 0
        for name, at in self._venues.items():
            if venue in ("", name):
                count, todos = at.work.desk.stop_all(engine, why)
                at.work.do(todos)
                withheld += count
                cancelling += len(todos)
        if withheld or cancelling:
            log.warning("%d withheld, %d being cancelled: %s", withheld, cancelling, why)
        return OrdersCancelled(withheld=withheld, cancelling=cancelling)

    def adopt(self, venue: str, by: str) -> WorkDone | Declined:
        """See `bus.trading.Trading`."""
        at = self._venues.get(VenueId(venue))
        if at is None:
            known = ", ".join(self._venues) or "none"
            return Declined(why=f"no orders are placed at {venue[:20]}; venues are: {known}")
        log.warning("%s takes what %s shows as what is so", by, venue)
        was_halted = at.check.adopt()
        what = "goes on once it was compared anew" if was_halted else "was not halted"
        return WorkDone(text=f"{venue} {what}")

    async def try_venue(self, asked: TryVenue) -> VenueTried:
        """See `bus.trading.Trading`."""
        at = self._venues.get(asked.venue)
        if at is None:
            known = ", ".join(self._venues) or "none"
            raise BadValueError(f"no orders are placed at {asked.venue[:20]}; venues are: {known}")
        tried = await Trial(at.check, asked, lambda: at.work.desk.wall_ns() // NS_PER_MS).run()
        if self.transferring is None:
            return tried
        return await self.transferring.with_rights(tried, asked.venue)

    def transfers(self, most: int) -> TransfersReport:
        """See `bus.transferring.Transferring`."""
        if self.transferring is None:
            return TransfersReport(basis=self._basis, sources=(), lines=[])
        return self.transferring.transfers(most)

    async def transfer_terms(self, asked: GetTransferTerms) -> TransferTermsReport:
        """See `bus.transferring.Transferring`."""
        if self.transferring is None:
            return TransferTermsReport(basis=self._basis, why_not=NONE_HERE)
        return await self.transferring.terms(asked)

    def take_on_transfer(self, asked: TakeOnTransfer) -> WorkDone | Declined:
        """See `bus.transferring.Transferring`."""
        if self.transferring is None:
            return Declined(why=NONE_HERE)
        return self.transferring.take_on(asked)

    def cancel_transfer(self, transfer_id: str, by: str) -> WorkDone | Declined:
        """See `bus.transferring.Transferring`."""
        if self.transferring is None:
            return Declined(why=NONE_HERE)
        return self.transferring.cancel(transfer_id, by)

    def _as_now(self, seen: VenueSeen, at: AtVenue) -> VenueSeen:
        """Add to what was seen whether orders are taken on, what they cost, what was told since."""
        standing = at.standing
        return msgspec.structs.replace(
            seen,
            why_not=at.why_not,
            taker_bps=standing.taker_bps,
            fees_at_ns=standing.fees_at_ns,
            is_last=seen.told >= self._book.newest_number(seen.venue),
        )

    def _told(self, news: Sequence[Told]) -> ToldOrders:
        return ToldOrders(
            newest=self._book.newest_number(),
            news=tuple(ToldOrder(number=one.number, news=one.news) for one in news),
        )


def _leave_together(one: HandedOrder, other: HandedOrder) -> bool:
    is_same_plan = (one.engine, one.plan.plan_id) == (other.engine, other.plan.plan_id)
    return is_same_plan and one.purpose is Purpose.LEG is other.purpose


def _departures(orders: Iterable[HandedOrder]) -> list[list[HandedOrder]]:
    """Return orders by those that leave together: the legs of a plan at different venues.

    Legs at one venue may have to go one after the other there: they do not wait for one another.
    """
    groups: list[list[HandedOrder]] = []
    for one in orders:
        for group in groups:
            venues = {other.venue for other in group}
            if _leave_together(one, group[0]) and one.venue not in venues:
                group.append(one)
                break
        else:
            groups.append([one])
    return groups


def _ids(orders: Iterable[HandedOrder]) -> tuple[str, ...]:
    return tuple(one.client_order_id for one in orders)


def _order_line(handed: HandedOrder, kept: KeptOrder | None) -> VenueOrderLine:
    request = handed.request
    return VenueOrderLine(
        client_order_id=handed.client_order_id,
        plan_id=handed.plan.plan_id,
        engine=handed.engine,
        venue=handed.venue,
        instrument=str(instrument_of(handed).pair),
        side=request.side,
        size_base=request.size_base,
        price_limit=request.price_limit,
        purpose=handed.purpose,
        handed_at_ns=handed.at_ns,
        news=None if kept is None else kept.news,
        unknown_since_ns=0 if kept is None else kept.unknown_since_ns,
    )


def _venue_line(at: AtVenue) -> VenueDeskLine:
    desk, standing = at.work.desk, at.standing
    switch = at.work.line.gateway.dead_man
    return VenueDeskLine(
        venue=desk.venue,
        why_not=at.why_not,
        is_halted=bool(standing.halted),
        open_count=len(desk.under_way),
        unknown_count=sum(bool(one.kept.unknown_since_ns) for one in desk.under_way),
        rests_count=len(desk.may_rest),
        reconciled_at_ns=standing.checked_at_ns,
        differences=standing.differences,
        others_count=standing.others_count,
        held=standing.held,
        fees=standing.fees,
        fees_at_ns=standing.fees_at_ns,
        dead_man_s=0.0 if switch is None or switch.is_of_account else switch.fires_s,
        # One that tells of some instruments alone is opened with the first order in one.
        has_stream=desk.has_stream or not desk.wants_stream,
    )
