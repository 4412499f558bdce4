"""The signer at work for venues: what places is looked at, what protects or asks is signed always.

An order is signed once under its id, for ever, and the size of a leg once; all that is on disk
before the answer. The key of a venue makes one call after the other, with numbers that rise.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

import msgspec

from engine.domain.errors import BadValueError, SettingsError
from engine.domain.orders import Purpose
from engine.domain.plans import digest_of_plan
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import OrderRequest, is_own_id
from engine.gateways.asks import Ask, CancelAsk, HoldOffAsk, PlaceAsk, calls_of
from engine.gateways.calls import Call, SignedCall
from engine.gateways.gateway import Gateway
from engine.gateways.gateway_list import gateway_of
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.signing.call_rates import Bucket
from engine.signing.caps import DailyCaps
from engine.signing.desk import MICRO_USD, USD_CAP
from engine.signing.rules import refused
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.auth_list import authentication_of
from engine.signing.venue_journal import PlacedOrder, VenueJournal
from engine.signing.venue_nonces import VenueNonces
from engine.signing.venue_permits import check_venue_permit, use_venue_permit
from engine.signing.venue_rules import (
    UNWINDINGS_MAX,
    UNWINDS_MS_MAX,
    Placing,
    check_test,
    check_times,
    first_refusal,
    placing_of,
    usd_of_order,
)
from engine.signing.venue_terms import ExchangeTerms
from engine.signing.words import Words

ORDERS_CAP: Final = "orders at exchanges"
MOVED_CAP: Final = "USD moved at exchanges"
UNWINDINGS_CAP: Final = "orders at exchanges that unwind"
UNWOUND_CAP: Final = "USD unwound at exchanges"
TESTS_CAP: Final = "orders of self-tests"

TESTS_DAY: Final = 24

CALLS_PER_S: Final = 50.0
CALLS_BURST: Final = 400.0
"""Of what asks, at one venue: far more than any venue takes."""

Leave = Callable[[VenueIntent], SignRefusal | None]
"""Says why an engine may not have this order signed now, by latch and mode; None if it may."""


def venue_caps(terms: ExchangeTerms) -> dict[str, int]:
    """Return all caps of a day; what unwinds has its own, which nothing else uses up."""
    if not terms.venues:
        return {}
    usd, count = int(terms.notional_day_usd * MICRO_USD), terms.orders_day
    return {
        MOVED_CAP: usd,
        UNWOUND_CAP: usd,
        ORDERS_CAP: count,
        UNWINDINGS_CAP: count,
        TESTS_CAP: TESTS_DAY,
    }


@dataclass(slots=True, kw_only=True)
class _Venue:
    """One venue as the desk has it.

    Attributes:
        key: with which is signed; None while locked.
    """

    gateway: Gateway
    orders: Bucket
    cancels: Bucket
    calls: Bucket
    key: VenueKey | None = None
    sign: Callable[[Call, int, int], SignedCall] | None = None


class VenueDesk:
    """Answers what is asked of the signer for venues.

    Args:
        leave: by latch, mode and lease; asked of orders alone.
        missing: says why nothing is placed at a venue; empty if it may be.
        clock: the wall clock; `steady_ns` one that is never set back.
    """

    def __init__(
        self,
        *,
        terms: ExchangeTerms,
        journal: VenueJournal,
        caps: DailyCaps,
        leave: Leave,
        words: Words,
        clock: Callable[[], int],
        steady_ns: Callable[[], int],
        missing: Callable[[str], str] = lambda _venue: "",
    ) -> None:
        self.terms: Final = terms
        self.nonces: Final = VenueNonces(journal)
        self._journal = journal
        self._caps = caps
        self._leave = leave
        self._words = words
        self._clock = clock
        self._missing = missing
        self._venues = {name: _venue_of(name, steady_ns) for name in terms.venues}

    def open(self, venue: str, key: VenueKey) -> None:
        """Sign with this key from now on.

        Raises:
            SettingsError: it is no key of that venue.
        """
        auth = authentication_of(venue, key)
        found = self._venues[venue]
        found.key = key
        found.sign = lambda call, now_ms, nonce: auth.sign(call, now_ms=now_ms, nonce=nonce)

    def keep_ahead(self) -> None:
        """Reserve numbers and caps ahead of their use.

        Raises:
            FatalError: the disk does not take it.
        """
        if self.terms.venues:
            self.nonces.keep_ahead(self._clock() // NS_PER_MS)
            self._caps.keep_ahead()

    @property
    def keys(self) -> Mapping[str, str]:
        """By venue the name of its key; empty while it is locked."""
        return {name: one.key.name if one.key else "" for name, one in self._venues.items()}

    def sign(self, intent: VenueIntent) -> VenueSigned | SignRefusal:
        """Sign the calls of what is asked, or say why not. Nothing else may run meanwhile.

        Raises:
            FatalError: the journal cannot be written: nothing may be signed any more.
        """
        venue = self._venues.get(intent.venue)
        if venue is None:
            return refused(
                RefusalKind.VENUE,
                f"nothing is signed for {intent.venue[:40]!r}; it is for"
                f" {', '.join(self._venues) or 'no exchange'}",
            )
        if venue.sign is None:
            return refused(
                RefusalKind.LOCKED,
                f"no key of {intent.venue} is open: python -m engine keys unlock",
            )
        try:
            calls = calls_of(intent.ask, venue.gateway)
        except (BadValueError, ArithmeticError, ValueError, OverflowError) as error:
            return refused(RefusalKind.VENUE, f"{intent.venue} cannot be asked that: {error}")
        if isinstance(intent.ask, PlaceAsk):
            return self._place(venue, intent, intent.ask.request, calls)
        if refusal := _why_not_asked(venue, intent, len(calls)):
            return refusal
        return self._signed(venue, calls)

    def rehearse(self, intent: VenueIntent) -> None:
        """Go through what the signature of an order takes, but for the signature itself.

        Nothing is kept, counted or asked of latch and mode. What was not run for a while takes
        several times as long: who is about to ask says so while there is something to wait for.
        """
        venue, ask = self._venues.get(intent.venue), intent.ask
        if venue is None or venue.sign is None or not isinstance(ask, PlaceAsk):
            return
        try:
            calls = calls_of(ask, venue.gateway)
        except (BadValueError, ArithmeticError, ValueError, OverflowError):
            return
        given = placing_of(intent, ask.request, self.terms, self._clock())
        if isinstance(given, SignRefusal) or first_refusal(given):
            return
        plan = bytes.fromhex(digest_of_plan(given.plan))
        digest = _digest_of(intent, calls, plan)
        if self._journal.digest_of(intent.engine, intent.client_order_id) is None:
            self._beyond_plan(given, plan)
            self._beyond_caps(_charges_of(given))
            _order_of(intent, given.request, digest, plan=plan, at_ms=given.now_ms)

    def _place(
        self, venue: _Venue, intent: VenueIntent, request: OrderRequest, calls: tuple[Call, ...]
    ) -> VenueSigned | SignRefusal:
        now_ns = self._clock()
        self._caps.look(now_ns)
        if refusal := self._leave(intent) or self._why_closed(intent):
            return refusal
        if intent.is_test:
            return self._test(venue, intent, request, calls, now_ns // NS_PER_MS)
        given = placing_of(intent, request, self.terms, now_ns)
        if isinstance(given, SignRefusal):
            return given
        plan = bytes.fromhex(digest_of_plan(given.plan))
        digest = _digest_of(intent, calls, plan)
        before = self._journal.digest_of(intent.engine, intent.client_order_id)
        if before is not None:
            return self._again(venue, calls, is_same=before == digest, given=given)
        if refusal := first_refusal(given):
            return refusal
        return self._place_anew(venue, given, calls, plan=plan, digest=digest)

    def _place_anew(
        self,
        venue: _Venue,
        given: Placing,
        calls: tuple[Call, ...],
        *,
        plan: bytes,
        digest: bytes,
    ) -> VenueSigned | SignRefusal:
        intent = given.intent
        is_first = self._journal.began_ms(plan) is None
        charges = _charges_of(given)
        if refusal := (
            self._beyond_plan(given, plan)
            or check_venue_permit(given, self._words, is_first=is_first)
            or self._beyond_caps(charges)
            or _too_fast(venue)
        ):
            return refusal
        use_venue_permit(given, self._words, is_first=is_first)
        order = _order_of(intent, given.request, digest, plan=plan, at_ms=given.now_ms)
        return self._keep_and_sign(venue, calls, order, charges)

    def _why_closed(self, intent: VenueIntent) -> SignRefusal | None:
        why = self._missing(intent.venue)
        return refused(RefusalKind.MODE, why) if why else None

    def _beyond_caps(self, charges: Mapping[str, int]) -> SignRefusal | None:
        why = self._caps.beyond(charges)
        return refused(RefusalKind.CAP, why) if why else None

    def _test(
        self,
        venue: _Venue,
        intent: VenueIntent,
        request: OrderRequest,
        calls: tuple[Call, ...],
        now_ms: int,
    ) -> VenueSigned | SignRefusal:
        if refusal := check_test(intent, request, now_ms):
            return refusal
        if self._journal.digest_of(intent.engine, intent.client_order_id) is not None:
            return refused(RefusalKind.REPEAT, "an order was signed under its id")
        charges = {TESTS_CAP: 1}
        if refusal := self._beyond_caps(charges):
            return refusal
        order = _order_of(intent, request, _digest_of(intent, calls, b""), plan=b"", at_ms=now_ms)
        return self._keep_and_sign(venue, calls, order, charges)

    def _keep_and_sign(
        self,
        venue: _Venue,
        calls: tuple[Call, ...],
        order: PlacedOrder,
        charges: Mapping[str, int],
    ) -> VenueSigned:
        self._caps.reserve(charges)
        self._journal.add(order, charges, self._caps.day)
        self._caps.use(charges)
        return self._signed(venue, calls)

    def _again(
        self, venue: _Venue, calls: tuple[Call, ...], *, is_same: bool, given: Placing
    ) -> VenueSigned | SignRefusal:
        """Answer what has an id that was signed before: the very same, where that is harmless."""
        name = given.intent.client_order_id
        if not is_same:
            return refused(RefusalKind.REPEAT, f"another order was signed under {name!r}")
        if not venue.gateway.rules.is_replay_harmless:
            return refused(
                RefusalKind.REPEAT,
                f"{name!r} was signed before, and a second send could make a second order",
            )
        # The venue may make of it the order that never came.
        if refusal := check_times(given) or _too_fast(venue):
            return refusal
        signed = self._signed(venue, calls)
        return msgspec.structs.replace(signed, is_repeat=True)

    def _beyond_plan(self, given: Placing, plan: bytes) -> SignRefusal | None:
        """Look at what was signed of the plan before: each leg once, and back within bounds."""
        intent, size = given.intent, given.request.size_base
        count, signed = self._journal.of_leg(plan, intent.leg, intent.purpose)
        if intent.purpose is Purpose.LEG:
            if signed + size > given.leg.size_base:
                return refused(
                    RefusalKind.ORDER,
                    f"{size:f} is more than is left of its leg: {signed:f} of"
                    f" {given.leg.size_base:f} are signed",
                )
            return None
        began_ms = self._journal.began_ms(plan)
        if began_ms is None:
            return refused(RefusalKind.ORDER, "no order of its plan was signed: nothing is to undo")
        if given.now_ms - began_ms > UNWINDS_MS_MAX:
            return refused(RefusalKind.DEADLINE, "its plan began too long ago to be unwound")
        if count >= UNWINDINGS_MAX:
            return refused(RefusalKind.ORDER, f"its leg was traded back by {count} orders")
        return None

    def _signed(self, venue: _Venue, calls: tuple[Call, ...]) -> VenueSigned:
        assert venue.sign is not None and venue.key is not None  # noqa: PT018 - one is with the other
        now_ms = self._clock() // NS_PER_MS
        key = f"{venue.gateway.venue}/{venue.key.name}"
        signed = tuple(venue.sign(call, now_ms, self.nonces.next(key, now_ms)) for call in calls)
        return VenueSigned(calls=signed, signed_at_ms=now_ms)


def _venue_of(name: str, steady_ns: Callable[[], int]) -> _Venue:
    try:
        gateway = gateway_of(name)
    except BadValueError as error:
        raise SettingsError(str(error)) from error
    pace = gateway.pace
    return _Venue(
        gateway=gateway,
        orders=Bucket(per_s=pace.orders_per_s, burst=pace.orders_burst, clock_ns=steady_ns),
        cancels=Bucket(per_s=CALLS_PER_S, burst=CALLS_BURST, clock_ns=steady_ns),
        calls=Bucket(per_s=CALLS_PER_S, burst=CALLS_BURST, clock_ns=steady_ns),
    )


def _why_not_asked(venue: _Venue, intent: VenueIntent, count: int) -> SignRefusal | None:
    """Look at what places nothing: it is always signed, but for its pace and others' orders."""
    ask: Ask = intent.ask
    if isinstance(ask, CancelAsk) and not is_own_id(ask.request.wire_id, engine_id=intent.engine):
        return refused(RefusalKind.ORDER, "it is no order of ours: nobody else's is cancelled")
    # What protects is not held up by what asks.
    bucket = venue.cancels if isinstance(ask, CancelAsk | HoldOffAsk) else venue.calls
    if not bucket.takes(max(count, 1)):
        return refused(RefusalKind.RATE, f"calls to {intent.venue} come too fast")
    return None


def _charges_of(given: Placing) -> dict[str, int]:
    """Return what an order counts for."""
    usd = usd_of_order(given) or Decimal(0)
    micro = int((usd * MICRO_USD).to_integral_value(ROUND_CEILING))
    if given.is_unwinding:
        return {UNWOUND_CAP: micro, UNWINDINGS_CAP: 1}
    return {USD_CAP: micro, MOVED_CAP: micro, ORDERS_CAP: 1}


def _too_fast(venue: _Venue) -> SignRefusal | None:
    if venue.orders.takes():
        return None
    return refused(RefusalKind.RATE, f"orders at {venue.gateway.venue} come too fast")


def _order_of(
    intent: VenueIntent, request: OrderRequest, digest: bytes, *, plan: bytes, at_ms: int
) -> PlacedOrder:
    return PlacedOrder(
        engine=intent.engine,
        client_order_id=intent.client_order_id,
        digest=digest,
        plan=plan,
        leg=intent.leg,
        purpose=intent.purpose,
        size=request.size_base,
        at_ms=at_ms,
    )


def _digest_of(intent: VenueIntent, calls: tuple[Call, ...], plan: bytes) -> bytes:
    """Return by what the very same order is known again: all that goes out, and of which plan."""
    what = (calls, plan, intent.leg, intent.purpose)
    content = msgspec.msgpack.encode(what, order="deterministic")
    return hashlib.blake2b(content, digest_size=16).digest()
