"""The signer at work for venues: what places is looked at, what protects or asks is signed always.

An order is signed once under its id, for ever, and the size of a leg once; all that is on disk
before the answer. The key of a venue makes one call after the other, with numbers that rise.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import is_own_id
from engine.gateways.asks import (
    Ask,
    CancelAsk,
    HoldOffAsk,
    OfWithdrawals,
    PlaceAsk,
    calls_of,
)
from engine.gateways.calls import Call
from engine.gateways.venue_signing import PlanIntent, PlanSigned, VenueIntent, VenueSigned
from engine.signing.caps import DailyCaps
from engine.signing.rules import refused
from engine.signing.venue_at import VenueAt, venue_at
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_journal import VenueJournal
from engine.signing.venue_nonces import VenueNonces
from engine.signing.venue_orders import Asked, VenueOrders
from engine.signing.venue_terms import ExchangeTerms
from engine.signing.words import Words

Leave = Callable[[VenueIntent], SignRefusal | None]
"""Says why an engine may not have this order signed now, by latch and mode; None if it may."""

Question = tuple[VenueAt, tuple[Call, ...]]
"""Whom something is asked, and how."""


class VenueDesk:
    """Answers what is asked of the signer for venues.

    Args:
        leave: by latch, mode and lease; asked of orders alone.
        missing: says why nothing is placed at a venue; empty if it may be.
        is_sent: says of a plan, by its digest, whether its transaction was signed.
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
        is_sent: Callable[[str], bool] = lambda _digest: False,
    ) -> None:
        self.terms: Final = terms
        self.nonces: Final = VenueNonces(journal)
        self._caps = caps
        self._leave = leave
        self._clock = clock
        self._missing = missing
        self._orders = VenueOrders(
            terms=terms, journal=journal, caps=caps, words=words, is_sent=is_sent
        )
        self.has_orders = self._orders.has_orders
        self._venues = {name: venue_at(name, steady_ns) for name in terms.venues}

    def open(self, venue: str, key: VenueKey) -> None:
        """Sign with this key from now on.

        Raises:
            SettingsError: it is no key of that venue.
        """
        self._venues[venue].open(key)

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
        if isinstance(intent.ask, PlaceAsk):
            placed = self._place((intent,))
            return placed if isinstance(placed, SignRefusal) else placed[0]
        question = self._question(intent)
        if isinstance(question, SignRefusal):
            return question
        at, calls = question
        return _why_not_asked(at, intent, len(calls)) or self._signed(at, calls)

    def sign_together(self, asked: PlanIntent) -> PlanSigned | SignRefusal:
        """Sign all orders of a plan that leave together, or say why none is.

        Raises:
            FatalError: see `sign`.
        """
        if why := _why_not_together(asked):
            return refused(RefusalKind.ORDER, why)
        placed = self._place(asked.intents())
        return placed if isinstance(placed, SignRefusal) else PlanSigned(orders=placed)

    def rehearse(self, asked: PlanIntent) -> None:
        """Go through what the signatures of orders take, but for the signatures themselves.

        Nothing is kept, counted or asked of latch and mode. What was not run for a while takes
        several times as long: who is about to ask says so while there is something to wait for.
        """
        questions = self._questions(() if _why_not_together(asked) else asked.intents())
        if questions and not isinstance(questions, SignRefusal):
            self._orders.rehearse(questions, self._clock())

    def _place(self, intents: Sequence[VenueIntent]) -> tuple[VenueSigned, ...] | SignRefusal:
        """Sign orders of one engine, plan and purpose: all of them, or none."""
        asked, now_ns = self._questions(intents), self._clock()
        if isinstance(asked, SignRefusal):
            return asked
        self._caps.look(now_ns)
        if refusal := self._leave(intents[0]) or self._why_closed(intents):
            return refusal
        ready = self._orders.ready(asked, now_ns)
        if isinstance(ready, SignRefusal):
            return ready
        self._orders.keep(ready)
        signed = (self._signed(one.asked.at, one.asked.calls) for one in ready)
        return tuple(
            msgspec.structs.replace(call, is_repeat=True) if one.is_repeat else call
            for one, call in zip(ready, signed, strict=True)
        )

    def _why_closed(self, intents: Sequence[VenueIntent]) -> SignRefusal | None:
        why = next(filter(None, (self._missing(one.venue) for one in intents)), "")
        return refused(RefusalKind.MODE, why) if why else None

    def _questions(self, intents: Sequence[VenueIntent]) -> list[Asked] | SignRefusal:
        """Return how orders are asked for, or why the first of them cannot be."""
        found = []
        for intent in intents:
            question = self._question(intent)
            if isinstance(question, SignRefusal):
                return question
            assert isinstance(intent.ask, PlaceAsk)
            at, calls = question
            found.append(Asked(intent=intent, request=intent.ask.request, at=at, calls=calls))
        return found

    def _question(self, intent: VenueIntent) -> Question | SignRefusal:
        venue = self._venues.get(intent.venue)
        if venue is None or isinstance(intent.ask, OfWithdrawals):
            return refused(
                RefusalKind.VENUE,
                "the key that trades signs no withdrawal"
                if venue is not None
                else f"nothing is signed for {intent.venue[:40]!r}; it is for"
                f" {', '.join(self._venues) or 'no exchange'}",
            )
        if venue.sign is None:
            return refused(
                RefusalKind.LOCKED,
                f"no key of {intent.venue} is open: python -m engine keys unlock",
            )
        try:
            return venue, calls_of(intent.ask, venue.gateway)
        except (BadValueError, ArithmeticError, ValueError, OverflowError) as error:
            return refused(RefusalKind.VENUE, f"{intent.venue} cannot be asked that: {error}")

    def _signed(self, venue: VenueAt, calls: tuple[Call, ...]) -> VenueSigned:
        assert venue.sign is not None and venue.key is not None  # noqa: PT018 - one is with the other
        now_ms = self._clock() // NS_PER_MS
        key = f"{venue.gateway.venue}/{venue.key.name}"
        signed = tuple(venue.sign(call, now_ms, self.nonces.next(key, now_ms)) for call in calls)
        return VenueSigned(calls=signed, signed_at_ms=now_ms)


def _why_not_together(asked: PlanIntent) -> str:
    """Say why these are no orders that leave together; empty if they are.

    Of a leg there is one, and of an id: each is looked at by what was signed before.
    """
    orders = asked.orders
    if not orders:
        return "no order is asked for"
    if len({one.leg for one in orders}) < len(orders):
        return "two of the orders are of one leg"
    if len({one.client_order_id for one in orders}) < len(orders):
        return "two of the orders have one id"
    return ""


def _why_not_asked(venue: VenueAt, intent: VenueIntent, count: int) -> SignRefusal | None:
    """Look at what places nothing: it is always signed, but for its pace and others' orders."""
    ask: Ask = intent.ask
    if isinstance(ask, CancelAsk) and not is_own_id(ask.request.wire_id, engine_id=intent.engine):
        return refused(RefusalKind.ORDER, "it is no order of ours: nobody else's is cancelled")
    # What protects is not held up by what asks.
    bucket = venue.cancels if isinstance(ask, CancelAsk | HoldOffAsk) else venue.calls
    if not bucket.takes(max(count, 1)):
        return refused(RefusalKind.RATE, f"calls to {intent.venue} come too fast")
    return None
