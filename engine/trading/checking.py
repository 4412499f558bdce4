"""What a venue shows, compared with what is written: at the start, on each reconnection, by period.

What can be proven is adopted; what cannot be explained halts the venue. A difference halts only if
it is there in two readings in a row, each begun when nothing was under way and everything that had
happened would be shown: look-ups lag, and a balance may be older than a fill.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.orders_told import HeldAtVenue, VenueMatter, VenueSeen
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import BalanceShown, FeeShown, OrderRequest, OrderShown
from engine.gateways.answers import Unclear
from engine.gateways.asks import WIRE_NAMES_MAX, CancelAsk, FeesAsk
from engine.gateways.rights import why_no_trading_key
from engine.trading.account import UnreadError, read_account, read_rights
from engine.trading.acts import LookUp
from engine.trading.book import OrderBook
from engine.trading.desk import POLL, Todo, VenueDesk
from engine.trading.marks import VenueMark, added, negative
from engine.trading.reconcile import Account, Difference, Kind, Rules, Then, Written, reconcile
from engine.trading.standing import Standing
from engine.trading.turns import Urgency
from engine.trading.venue_work import CLOCKS_MS, VenueWork

log = logging.getLogger(__name__)

CHECK_S: Final = 20.0
"""Between two looks; they keep the connection warm, too."""

SOON_S: Final = 5.0
CALLS_OF_A_LOOK: Final = 5.0
RETRY_S: Final = 1.0
RIGHTS_NS: Final = 600_000_000_000
"""Rights may be changed at the venue, and are read anew so often."""

FEES_NS: Final = 3_600_000_000_000
SHOWN_DIFFERENCES_MAX: Final = 8


def _nothing_swings(_venue: VenueId) -> Mapping[AssetCode, tuple[Decimal, Decimal]]:
    return {}


def _nothing_moves(_venue: VenueId, _now_ns: int) -> tuple[AssetCode, ...]:
    return ()


@dataclass(slots=True, kw_only=True)
class VenueCheck:
    """See the module.

    Attributes:
        engine_id: whose orders are known by their ids, though they are written nowhere.
        is_vouched: a person looked at the venue that the key cannot withdraw.
        warn: tells a person.
        soon: set when it is to be compared as soon as may be.
        checked: set after each look.
        looking: is held while it looks, and while the venue is tried with an order.
        swings: by asset how far off a balance may be, as transfers are under way.
        moving: assets of which a transfer moves something there, or just has.
    """

    desk: VenueDesk
    work: VenueWork
    book: OrderBook
    standing: Standing
    engine_id: str
    is_vouched: bool
    warn: Callable[[VenueMatter, str], None]
    swings: Callable[[VenueId], Mapping[AssetCode, tuple[Decimal, Decimal]]] = _nothing_swings
    moving: Callable[[VenueId, int], tuple[AssetCode, ...]] = _nothing_moves
    soon: asyncio.Event = field(default_factory=asyncio.Event)
    checked: asyncio.Event = field(default_factory=asyncio.Event)
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _doubted: frozenset[tuple[Kind, str]] = frozenset()
    _settled_changes: int = -1
    _cuts: int = 0
    _is_refused_told: bool = False

    async def run(self) -> None:
        """Compare for ever."""
        self.standing.halted = self.book.mark(self.desk.venue).halted
        while True:
            self.soon.clear()
            await self.check()
            try:
                async with asyncio.timeout(self._wait_s()):
                    await self.soon.wait()
            except TimeoutError:
                pass

    async def check(self) -> None:
        """Look once; what cannot be read now is read at the next look."""
        standing, line = self.standing, self.work.line
        async with self.looking:
            self._cuts = line.cuts
            try:
                await self._look_at_key()
                await self._compare()
                await self._read_fees()
            except UnreadError as error:
                log.warning("%s cannot be read: %s", standing.venue, error)
                standing.unchecked = f"its account cannot be read: {error}"
        self.checked.set()

    def adopt(self) -> bool:
        """Take what the venue shows from now on as what is so; say whether it was halted."""
        was_halted = bool(self.standing.halted)
        mark = self.book.mark(self.desk.venue)
        self.book.keep_mark(
            self.desk.venue,
            msgspec.structs.replace(mark, outside=None, halted="", since_ms=self._wall_ms()),
        )
        self.standing.halted = ""
        self.standing.unchecked = "it is compared anew"
        self.standing.seen = None
        self._doubted = frozenset()
        self.soon.set()
        return was_halted

    # ---- the key

    async def _look_at_key(self) -> None:
        """Read what the key may do: at the start, by period, after whatever put it in doubt."""
        standing = self.standing
        at_ns = self.desk.wall_ns()
        is_fresh = at_ns - standing.key_read_at_ns < RIGHTS_NS
        if standing.key_trouble == "" and standing.stop is None and is_fresh:
            return
        rights = await read_rights(self.work.line)
        why = why_no_trading_key(rights, is_vouched=self.is_vouched)
        if why and standing.key_trouble != why:
            self.warn(VenueMatter.KEY, f"{standing.venue}: {why}")
        standing.key_trouble, standing.key_read_at_ns = why, at_ns

    # ---- comparing

    async def _compare(self) -> None:
        desk, standing = self.desk, self.standing
        mark, began_ms = self.book.mark(desk.venue), self._wall_ms()
        changes, is_quiet = desk.changes, self._is_quiet()
        swings = {str(k): v for k, v in self.swings(desk.venue).items()}
        since_ms = mark.since_ms or began_ms - self._margin_ms
        written, names = self._written(since_ms)
        line = self.work.line
        shown = await read_account(line, sorted(names), since_ms, fenced=desk.fenced)
        is_settled = is_quiet and desk.changes == changes
        told = self.book.newest_number(desk.venue)
        totals = _totals(shown.balances)
        expected = mark.expected
        found = reconcile(
            written.values(),
            shown,
            {str(k): v for k, v in (totals if expected is None else expected).items()},
            Rules(engine_id=self.engine_id, swings=swings),
        )
        standing.others_count = sum(one.kind is Kind.FOREIGN for one in found)
        shown_to_people = [one.sentence for one in found if not one.is_awaited]
        standing.differences = tuple(shown_to_people[:SHOWN_DIFFERENCES_MAX])
        await self._follow(found, written, shown)
        if not is_settled:
            return
        serious = [one for one in found if one.then is not Then.NOTE]
        if serious:
            self._doubt(serious)
            return
        self._clean(mark, totals, began_ms)
        held = tuple(_held(shown.balances))
        standing.held = held
        standing.checked_at_ns = began_ms * NS_PER_MS
        standing.seen = VenueSeen(
            venue=desk.venue,
            told=told,
            at_ns=began_ms * NS_PER_MS,
            held=held,
            moving=self.moving(desk.venue, began_ms * NS_PER_MS),
        )
        self._settled_changes = changes

    def _written(self, since_ms: int) -> tuple[dict[str, Written], set[str]]:
        """Return what is written by the wire's ids, and the wire's names of what it trades."""
        pairs = [(one.handed, one.kept) for one in self.desk.followed.values() if not one.may_leave]
        pairs += self.book.ended_since(self.desk.venue, since_ms)
        written: dict[str, Written] = {}
        names: set[str] = set()
        for handed, kept in pairs:
            request = handed.request
            written[request.wire_id] = Written(
                request=request,
                venue_order_id="" if kept.news is None else kept.news.venue_order_id,
                is_ended=kept.is_ended,
                trades={one.trade_id: one for one in kept.standing},
            )
            if not kept.is_absent:
                names.add(request.wire_name)
        self.standing.asked_wire_names |= names
        return written, names

    async def _follow(
        self, found: Sequence[Difference], written: dict[str, Written], shown: Account
    ) -> None:
        """Do what follows of each difference, but for halting; take back what is taken back.

        A fill of an order that is under way is no news to a person: its word only comes later.
        """
        for trade in shown.trades:
            if trade.is_reversal:
                self.work.do(self.desk.heard(trade))
        for one in found:
            if one.then is Then.BOOK and one.trade is not None:
                if not one.is_awaited:
                    self.warn(VenueMatter.DIFFERENCE, one.sentence)
                self.work.do(self.desk.heard(one.trade))
            elif one.then is Then.LOOK_UP:
                request = written[one.about].request
                name = self.book.find(self.desk.venue, wire_id=request.wire_id, venue_order_id="")
                if name is not None:
                    self.work.do([Todo(name, LookUp(POLL, written[one.about].venue_order_id))])
            elif one.then is Then.CANCEL and one.order is not None:
                self.warn(VenueMatter.DIFFERENCE, f"{one.sentence}; it is cancelled")
                self.work.do(self.desk.heard(one.order))
                await self._cancel(one.order)

    async def _cancel(self, order: OrderShown) -> None:
        try:
            request = OrderRequest(
                wire_id=order.wire_id,
                venue=self.desk.venue,
                wire_name=order.wire_name,
                side=order.side,
                size_base=order.size_base or Decimal(1),
                price_limit=order.price_limit or Decimal(1),
            )
            await self.work.cancel(CancelAsk(request=request, venue_order_id=order.venue_order_id))
        except BadValueError as error:
            log.warning("%s cannot be cancelled: %s", order.venue_order_id, error)

    def _doubt(self, serious: Sequence[Difference]) -> None:
        """Halt for what was there the last time, too; else look again soon."""
        keys = frozenset((one.kind, one.about) for one in serious if one.then is Then.HALT)
        again = [one for one in serious if (one.kind, one.about) in self._doubted & keys]
        self._doubted = keys
        if self.standing.unchecked == "" and keys:
            self.standing.unchecked = f"it is looked at again: {serious[0].sentence}"
        if again and not self.standing.halted:
            self._halt("; ".join(one.sentence for one in again[:SHOWN_DIFFERENCES_MAX]))

    def _halt(self, why: str) -> None:
        self.standing.halted = why
        mark = self.book.mark(self.desk.venue)
        self.book.keep_mark(self.desk.venue, msgspec.structs.replace(mark, halted=why))
        self.warn(VenueMatter.HALTED, f"{self.desk.venue} is halted: {why}")

    def _clean(self, mark: VenueMark, totals: dict[AssetCode, Decimal], began_ms: int) -> None:
        """Keep that all was as it is written."""
        self._doubted = frozenset()
        outside = mark.outside
        if outside is None:  # what there is when it is first seen is what there is
            outside = added(totals, negative(mark.ours))
        self.book.keep_mark(
            self.desk.venue,
            msgspec.structs.replace(
                mark,
                outside=outside,
                clean_at_ms=began_ms,
                since_ms=max(mark.since_ms, began_ms - self._margin_ms),
            ),
        )
        if self.standing.stop is not None and not self.standing.key_trouble:
            self.warn(VenueMatter.BACK, f"{self.desk.venue} answers as it should again")
        self.standing.stop = None
        self.standing.unchecked = ""

    async def _read_fees(self) -> None:
        """Read the fees of our tier: by period, and of an instrument soon after its first order."""
        standing, at_ns = self.standing, self.desk.wall_ns()
        names = frozenset(standing.asked_wire_names)
        is_fresh = standing.fees_at_ns > 0 and at_ns - standing.fees_at_ns < FEES_NS
        if is_fresh and names == standing.fees_asked:
            return
        fees: list[FeeShown] = []
        for first in range(0, max(len(names), 1), WIRE_NAMES_MAX):
            ask = FeesAsk(wire_names=tuple(sorted(names)[first : first + WIRE_NAMES_MAX]))
            _, answers = await self.work.line.ask(ask, Urgency.READ)
            for answered in answers:
                if answered.reply is None:
                    return
                told = self.work.line.gateway.fees_told(answered.reply.status, answered.reply.body)
                if isinstance(told, Unclear):
                    return
                fees += told
        standing.fees, standing.fees_at_ns, standing.fees_asked = tuple(fees), at_ns, names

    # ---- time

    @property
    def _margin_ms(self) -> int:
        rules = self.desk.rules
        return 2 * (rules.late_ms_max + rules.lag_ms_max) + CLOCKS_MS

    def _is_quiet(self) -> bool:
        """Say whether nothing is under way, and all that happened would be shown by now."""
        desk = self.desk
        return not desk.under_way and (
            desk.changes == 0 or desk.now_ms() - desk.changed_ms >= desk.rules.lag_ms_max
        )

    def _wait_s(self) -> float:
        """Return when to look next: sooner as long as anything is open to doubt."""
        desk, line = self.desk, self.work.line
        if self.standing.unchecked and not line.trouble and not desk.under_way:
            return max(RETRY_S, desk.rules.lag_ms_max / 1_000)
        if line.trouble or line.cuts != self._cuts:
            return RETRY_S
        if desk.changes == self._settled_changes:
            return CHECK_S
        least_s = max(SOON_S, CALLS_OF_A_LOOK / line.gateway.pace.weight_per_s)
        settles_s = (desk.changed_ms + desk.rules.lag_ms_max - desk.now_ms()) / 1_000
        return min(max(least_s, settles_s), CHECK_S)

    def _wall_ms(self) -> int:
        return self.desk.wall_ns() // NS_PER_MS


def _totals(balances: Sequence[BalanceShown]) -> dict[AssetCode, Decimal]:
    totals: dict[AssetCode, Decimal] = {}
    for one in balances:
        asset = AssetCode(one.asset)
        totals[asset] = exact_sum((totals.get(asset, Decimal(0)), one.total))
    return totals


def _held(balances: Sequence[BalanceShown]) -> Sequence[HeldAtVenue]:
    return [
        HeldAtVenue(asset=AssetCode(one.asset), free=one.free, held=one.held)
        for one in sorted(balances, key=lambda one: one.asset)
        if one.total
    ]
