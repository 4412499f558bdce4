"""What an order has to obey, whoever asks for it: it is its plan's, and no more of it than planned.

Each rule answers for itself. What was signed before, caps and keys are the desk's to look at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.chains import CONFIRM_BLOCKS_MAX, DEADLINE_BLOCKS, block_ms
from engine.domain.opportunities import Leg, Side
from engine.domain.orders import Purpose
from engine.domain.plans import Closes, MixedPlan, Part, closes_of, is_live
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.units import BPS_PER_UNIT, NS_PER_MS
from engine.domain.venue_orders import OrderRequest, TimeInForce, wire_id_of
from engine.gateways.venue_signing import BookPlan, VenueIntent
from engine.signing.gains import gained_ratio
from engine.signing.rules import refused
from engine.signing.venue_terms import ExchangeTerms

LATEST_MS_MAX: Final = 10_000
"""So far ahead at most lies the instant after which an order is not sent any more."""

UNWINDINGS_MAX: Final = 16
"""Orders that trade one leg back; what is left then is a person's."""

UNWINDS_MS_MAX: Final = 3_600_000
"""A plan is unwound within an hour of its first order."""

UNWIND_MORE_BPS: Final = 500
"""What trades a leg back may be so much more: fees on top, and prices that moved meanwhile."""

PRICE_BPS_MAX: Final = 500
"""How far a limit may lie behind what a plan says that the leg pays or gets on average."""

UNWIND_PRICE_BPS_MAX: Final = 2_000
"""How far that of an order that unwinds may lie behind the limit of the leg: markets moved."""

USD: Final = "USD"
_DOLLARS: Final = ("USD", "USDC", "USDT")
USD_MAX: Final = Decimal(10**12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """What a rule looks at.

    Attributes:
        leg: of the plan, that the order is or trades back.
    """

    intent: VenueIntent
    request: OrderRequest
    plan: BookPlan
    leg: Leg
    terms: ExchangeTerms
    now_ns: int

    @property
    def now_ms(self) -> int:
        """The time, since the epoch."""
        return self.now_ns // NS_PER_MS

    @property
    def is_unwinding(self) -> bool:
        """Whether it trades a leg back."""
        return self.intent.purpose is Purpose.UNWIND


Rule = Callable[[Placing], SignRefusal | None]

TEST_USD_MAX: Final = Decimal(25)
"""What an order of a self-test may buy for at the most; venues take none of less than 1 to 10."""


def placing_of(
    intent: VenueIntent, request: OrderRequest, terms: ExchangeTerms, now_ns: int
) -> Placing | SignRefusal:
    """Return what rules look at; refused where there is no plan, or no such leg of it."""
    plan = intent.plan
    if plan is None:
        return refused(RefusalKind.PLAN, "no order is signed without the plan that it carries out")
    if not is_live(plan):
        return refused(RefusalKind.PLAN, "its plan is on paper")
    if isinstance(plan, MixedPlan) and not terms.signs_mixed:
        # One part of such a plan is worth nothing without the other.
        return refused(RefusalKind.PLAN, "its plan has a transaction, which nobody signs")
    if not 0 <= intent.leg < len(plan.legs):
        return refused(RefusalKind.PLAN, f"its plan has no leg {intent.leg}")
    leg = plan.legs[intent.leg]
    return Placing(intent=intent, request=request, plan=plan, leg=leg, terms=terms, now_ns=now_ns)


def check_id(given: Placing) -> SignRefusal | None:
    """The venue is given the id that is made of ours, so that each order is found again."""
    return _check_id(given.intent, given.request)


def _check_id(intent: VenueIntent, request: OrderRequest) -> SignRefusal | None:
    own = wire_id_of(intent.client_order_id, engine_id=intent.engine)
    if not intent.client_order_id or request.wire_id != own:
        return refused(RefusalKind.ORDER, "its id at the venue is not the one of our own id")
    if intent.venue != request.venue:
        return refused(RefusalKind.ORDER, f"it is for {request.venue[:40]!r}, not {intent.venue}")
    return None


def check_times(given: Placing) -> SignRefusal | None:
    """It is for now: what somebody kept is not signed later."""
    if refusal := _check_latest(given.intent, given.request, given.now_ms):
        return refusal
    if not given.is_unwinding and given.now_ns > latest_of(given.plan):
        return refused(RefusalKind.DEADLINE, "its plan has ended")
    return None


def latest_of(plan: BookPlan) -> int:
    """Return the last instant at which an order of a plan may be signed (wall clock, ns).

    A leg that waits for another has as long again; behind a transaction it waits for the last block
    that may hold that, and for those on top with which it is told as done.
    """
    latest_ns = plan.deadline_ns + max(plan.deadline_ns - plan.decided_at_ns, 0)
    if isinstance(plan, MixedPlan) and plan.first is Part.TRANSACTION:
        blocks = DEADLINE_BLOCKS + CONFIRM_BLOCKS_MAX
        latest_ns += blocks * block_ms(plan.chain) * NS_PER_MS
    return latest_ns


def _check_latest(intent: VenueIntent, request: OrderRequest, now_ms: int) -> SignRefusal | None:
    latest_ms = intent.latest_ms
    if not now_ms <= latest_ms <= now_ms + LATEST_MS_MAX:
        return refused(
            RefusalKind.DEADLINE,
            f"it is to be sent until {latest_ms - now_ms} ms from now; from 0 to {LATEST_MS_MAX}"
            " are allowed",
        )
    if request.sent_before_ms > latest_ms:
        return refused(RefusalKind.DEADLINE, "the venue would take it later than it may be sent")
    return None


def check_order(given: Placing) -> SignRefusal | None:
    """It is what its plan says, or trades a part of that back."""
    request, leg = given.request, given.leg
    instrument = leg.instrument
    is_opposite = request.side is not leg.side
    # What a transaction beside the orders left is closed by its order again, or by its opposite.
    is_wrong_side = is_opposite is not given.is_unwinding
    if given.is_unwinding and isinstance(given.plan, MixedPlan):
        is_wrong_side = False
    for is_wrong, why in (
        (request.venue != instrument.venue, f"its leg is at {instrument.venue}"),
        (request.wire_name != instrument.wire_name, f"its leg is {instrument.wire_name}"),
        (is_wrong_side, f"its leg is a {leg.side}, it is {request.side}"),
        (
            given.is_unwinding and request.size_base > most_unwound(leg),
            f"{request.size_base:f} is more than its leg of {leg.size_base:f} could leave over",
        ),
    ):
        if is_wrong:
            return refused(RefusalKind.ORDER, why)
    return None


def check_price(given: Placing) -> SignRefusal | None:
    """Its limit is no worse than the leg's; one that unwinds is within a band around that."""
    request, limit = given.request, given.leg.price_limit
    if given.is_unwinding:
        limit = _worse(limit, request.side, UNWIND_PRICE_BPS_MAX)
    if _is_worse(request.price_limit, limit, request.side):
        return refused(
            RefusalKind.ORDER,
            f"its limit of {request.price_limit:f} is worse than {limit:f}",
        )
    return None


def check_plan(given: Placing) -> SignRefusal | None:
    """The plan gains something by its own amounts, and its limits are near what it says it pays."""
    for number, leg in enumerate(given.plan.legs):
        if leg.size_base <= 0 or leg.notional_quote <= 0 or leg.price_limit <= 0:
            return refused(RefusalKind.PLAN, f"leg {number} of its plan trades nothing")
        average = leg.notional_quote / leg.size_base
        if _is_worse(leg.price_limit, _worse(average, leg.side, PRICE_BPS_MAX), leg.side):
            return refused(
                RefusalKind.PROFIT,
                f"leg {number} may fill at {leg.price_limit:f}, {PRICE_BPS_MAX} bps behind the"
                f" {average:.6g} that its plan reckons with",
            )
    if (closes := closes_of(given.plan)) is not None:
        return _check_closing(given, closes)
    gain_ratio = gained_ratio(given.plan)
    if gain_ratio is None:
        return refused(RefusalKind.PLAN, "its plan ends in another asset than it begins with")
    if given.plan.profit_quote <= 0 or gain_ratio <= 1:
        return refused(RefusalKind.PROFIT, "its plan gains nothing by its own amounts")
    return None


def _check_closing(given: Placing, closes: Closes) -> SignRefusal | None:
    """One order takes back what is left over; that a person said yes to it, the permit says."""
    side = Side.SELL if closes.held > 0 else Side.BUY
    most = abs(closes.held) * (BPS_PER_UNIT + UNWIND_MORE_BPS) / BPS_PER_UNIT
    for is_wrong, why in (
        (len(given.plan.legs) != 1, "what closes a leftover is one order"),
        (given.is_unwinding, "nothing of what closes a leftover is traded back"),
        (given.leg.side is not side, f"what is left over is closed by a {side}"),
        (given.leg.size_base > most, f"{closes.held:f} is left over, it trades more"),
    ):
        if is_wrong:
            return refused(RefusalKind.PLAN, why)
    return None


def check_exposure(given: Placing) -> SignRefusal | None:
    """One order moves no more than may be at risk at its venue; it has to be known what it is."""
    usd = usd_of_order(given)
    if usd is None:
        pair = given.leg.instrument.pair
        return refused(
            RefusalKind.CAP,
            f"nobody says what {pair.base} or {pair.quote} is worth at the least, so no cap in USD"
            " can hold: SYNDICATE_SIGNER_USD_LEAST names it",
        )
    most = given.terms.exposure_usd.get(given.request.venue, Decimal(0))
    # What trades back is the size of what was signed, whatever it is worth by now.
    if not given.is_unwinding and usd > most:
        return refused(
            RefusalKind.CAP,
            f"it moves {usd:.2f} USD, and {most:f} USD may be at risk at {given.request.venue}",
        )
    return None


RULES: Final[tuple[Rule, ...]] = (
    check_id,
    check_times,
    check_order,
    check_price,
    check_plan,
    check_exposure,
)


def first_refusal(given: Placing) -> SignRefusal | None:
    """Return what the first rule that is broken says; None if all are obeyed."""
    try:
        return next((refusal for rule in RULES if (refusal := rule(given))), None)
    except ArithmeticError:
        return refused(RefusalKind.PLAN, "its plan has numbers that cannot be reckoned with")


def check_test(intent: VenueIntent, request: OrderRequest, now_ms: int) -> SignRefusal | None:
    """An order of a self-test can buy for a few USD at the most, and takes nothing of a book."""
    if refusal := _check_id(intent, request) or _check_latest(intent, request, now_ms):
        return refusal
    quote = request.size_base * request.price_limit
    for is_wrong, why in (
        (intent.plan is not None, "an order of a self-test has no plan"),
        (request.side is not Side.BUY, "an order of a self-test buys"),
        (request.time_in_force is not TimeInForce.POST_ONLY, "it may only rest"),
        # By its venue's own name, of which the end is what is paid with.
        (
            not request.wire_name.upper().endswith(_DOLLARS),
            f"it would be paid with another asset than {', '.join(_DOLLARS)}",
        ),
        (quote > TEST_USD_MAX, f"it could buy for more than {TEST_USD_MAX} USD"),
    ):
        if is_wrong:
            return refused(RefusalKind.ORDER, why)
    return None


def most_unwound(leg: Leg) -> Decimal:
    """Return the largest size that trades a leg back."""
    return leg.size_base * (BPS_PER_UNIT + UNWIND_MORE_BPS) / BPS_PER_UNIT


def usd_of_order(given: Placing) -> Decimal | None:
    """Return what an order is counted with: the most of what is said of it; None for no price.

    That is by the plan, as its share of it, and by the operator's least prices of both assets. In
    the sandbox the plan's own word is enough.
    """
    return _usd_of(given, given.leg, given.request.size_base, given.request.price_limit)


def usd_of_plan(given: Placing) -> Decimal:
    """Return what a plan is counted with: the most of what is said of it, and of its legs."""
    known = (_usd_of(given, leg, leg.size_base, leg.price_limit) for leg in given.plan.legs)
    return max([given.plan.notional_usd, *(usd for usd in known if usd is not None)])


def _usd_of(given: Placing, leg: Leg, size: Decimal, price: Decimal) -> Decimal | None:
    plan, least = given.plan, {USD: Decimal(1), **given.terms.usd_least}
    pair, quote = leg.instrument.pair, size * price
    known = [
        amount * least[asset]
        for amount, asset in ((size, pair.base), (quote, pair.quote))
        if asset in least
    ]
    if not known and given.terms.is_real:
        return None
    said = plan.notional_usd * size / leg.size_base
    if pair.quote == plan.opportunity.quote:
        said = max(said, quote * plan.usd_per_quote)
    usd = max([said, *known])
    if usd > USD_MAX:  # what is no number cannot be compared, which is as good
        raise ArithmeticError("a worth that nobody has")
    return usd


def _worse(price: Decimal, side: Side, bps: int) -> Decimal:
    sign = 1 if side is Side.BUY else -1
    return price * (BPS_PER_UNIT + sign * bps) / BPS_PER_UNIT


def _is_worse(price: Decimal, bound: Decimal, side: Side) -> bool:
    return price > bound if side is Side.BUY else price < bound
