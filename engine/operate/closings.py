"""What is left over, what closing each of it comes to now, and a person's word to close it.

What may be said yes to was offered here: terms that come back are looked up by their digest, and
serve once. That the ledger has the word comes before anything begins.
"""

from decimal import Decimal
from typing import Final

import msgspec
from cachetools import FIFOCache

from engine.bus.closings import ClosingLine, ClosingsReport
from engine.bus.command import Envelope
from engine.bus.reports import Acknowledged, Declined
from engine.core.inputs.leftovers_closed import LeftoversClosed
from engine.decide.bounds.book_age import AGE_MS
from engine.decide.closing import closing_terms
from engine.decide.limit_list import UNWIND_BAND_BPS
from engine.domain.assets import AssetCode
from engine.domain.exact import exact_product, exact_sum
from engine.domain.instruments import BuyFee
from engine.domain.modes import Money
from engine.domain.orders import Order
from engine.domain.permits import shown_digest
from engine.domain.plans import LeggedPlan, digest_of_plan
from engine.domain.residuals import Residual
from engine.domain.units import NS_PER_MS
from engine.execute.closing import Closing, reckon_closing
from engine.execute.unwinding import UnwindRules
from engine.operate.approval_desk import Changed, Engine
from engine.operate.clock import Clock
from engine.operate.core_parts import Core
from engine.portfolio.costs import EXACT, Costs

OFFERED_MAX: Final = 200
"""Terms that can be said yes to; they count for a minute."""

GONE: Final = "this was answered, or is not what was shown: /flatten shows what is left over now"


class ClosingDesk:
    """Answers for one engine."""

    def __init__(self, core: Core, engine: Engine, clock: Clock) -> None:
        self._core = core
        self._engine = engine
        self._clock = clock
        self._count = 0
        self._offered: FIFOCache[str, LeggedPlan] = FIFOCache(OFFERED_MAX)

    def report(self) -> ClosingsReport:
        """Return all leftovers, those of live money first, with what may be said yes to."""
        core, at_ns = self._core, self._clock()
        lines = []
        for money, positions in ((Money.LIVE, core.live.positions), (Money.PAPER, core.positions)):
            for left in positions.residuals:
                line = self._line(left, money, at_ns)
                if line.terms is not None:
                    self._offered[digest_of_plan(line.terms)] = line.terms
                lines.append(line)
        band_bps = core.decider.limits[UNWIND_BAND_BPS]
        return ClosingsReport(basis=core.basis, band_bps=band_bps, closings=lines)

    async def close(self, envelope: Envelope, closings: tuple[LeggedPlan, ...]) -> Changed:
        """Close what a person said yes to, once, when that is durable."""
        terms = [self._offered.get(digest_of_plan(one)) for one in closings]
        named = tuple(one for one in terms if one is not None)
        if not named or len(named) < len(closings):
            return Declined(why=GONE)
        if void := self._engine.voids(envelope.at_ns):
            return Declined(why=void)
        for one in named:
            self._offered.pop(digest_of_plan(one), None)
        if failed := await self._engine.note(envelope, _action(named), is_looser=True):
            return failed
        # While the ledger stored it anything may have happened: the core looks again.
        if void := self._engine.voids(envelope.at_ns):
            return Declined(why=void)
        said = LeftoversClosed(closings=named, by=envelope.by)
        self._core.hot_path.command(said, self._clock())
        return self._outcome(named)

    def _outcome(self, closings: tuple[LeggedPlan, ...]) -> Acknowledged | Declined:
        book = self._core.journal.closings
        whys = [f"{_name(one)}: {why}" for one in closings if (why := book.why_not(one))]
        begun = len(closings) - len(whys)
        if not begun:
            return Declined(why="; ".join(whys))
        left = f"; not {'; '.join(whys)}" if whys else ""
        return self._engine.now(f"{begun} orders on their way, each is told at its end{left}")

    def _line(self, left: Residual, money: Money, at_ns: int) -> ClosingLine:
        core = self._core
        line = ClosingLine(
            venue=left.venue,
            asset=left.held.asset,
            held=left.held.value,
            carry_asset=left.carry.asset,
            carry=left.carry.value,
            money=money,
        )
        usd = core.valuation.usd_per(left.carry.asset, at_ns)
        limits = core.decider.limits
        found = reckon_closing(
            left,
            core.board,
            costs=self._costs(),
            rules=UnwindRules(band_bps=limits[UNWIND_BAND_BPS]),
            age_ns_max=int(limits.by_settings(AGE_MS)) * NS_PER_MS,
            at_ns=at_ns,
            most_quote=self._most_quote(left, money, at_ns),
        )
        if isinstance(found, str):
            return msgspec.structs.replace(line, why_not=found)
        line = _with_order(line, found)
        if usd is None:
            return line
        line = msgspec.structs.replace(line, realised_usd=exact_product(found.realised, usd))
        if found.reckoned is None:
            return line
        self._count += 1
        terms = closing_terms(
            found.reckoned,
            money,
            run_id=core.header.run_id,
            number=self._count,
            usd_per_quote=usd,
            at_ns=at_ns,
        )
        if why := core.decider.closings.why_not(terms, at_ns):
            return msgspec.structs.replace(line, why_not_now=why)
        return msgspec.structs.replace(line, terms=terms)

    def _most_quote(self, left: Residual, money: Money, at_ns: int) -> Decimal | None:
        """Return the most of one order: what may be at risk at a venue is not signed beyond."""
        if money is Money.PAPER:
            return None
        usd = self._core.valuation.usd_per(left.carry.asset, at_ns)
        most_usd = self._core.decider.exchanges.exposure_usd(left.venue)
        return EXACT.divide(most_usd, usd) if usd else None

    def _costs(self) -> Costs:
        core = self._core
        return Costs(
            fee_bps_taker=core.fees.in_force,
            base_fee_venues=frozenset(
                venue
                for venue, one in core.header.terms.venues.items()
                if one.buy_fee is BuyFee.BASE
            ),
        )


def _with_order(line: ClosingLine, found: Closing) -> ClosingLine:
    order = found.order
    fee, fee_asset = _fee(order)
    return msgspec.structs.replace(
        line,
        side=order.side.value,
        size_base=order.size_base,
        filled_base=order.filled_base,
        price=EXACT.divide(order.notional_quote, order.filled_base) if order.fills else None,
        price_limit=order.price_limit,
        fee=fee,
        fee_asset=fee_asset,
        realised=found.realised,
    )


def _fee(order: Order) -> tuple[Decimal, AssetCode]:
    """Return what the fills pay; a venue takes it all in one asset."""
    pair = order.instrument.pair
    if base := exact_sum(fill.fee_base for fill in order.fills):
        return base, pair.base
    return exact_sum(fill.fee_quote for fill in order.fills), pair.quote


def _name(terms: LeggedPlan) -> str:
    (leg,) = terms.legs
    return f"{leg.instrument.pair.base} at {leg.venue}"


def _action(closings: tuple[LeggedPlan, ...]) -> str:
    named = ", ".join(f"{_name(one)} terms {shown_digest(digest_of_plan(one))}" for one in closings)
    return f"leftovers closed: {named}"[:200]
