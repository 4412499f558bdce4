"""Orders before they are signed: looked at against their plan and caps, then kept, all in one step.

Those of one plan that leave together are looked at one after the other, each as if those before it
were signed, and kept together: of what comes to nothing nothing is counted.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import msgspec

from engine.domain.orders import Purpose
from engine.domain.plans import MixedPlan, Part, digest_of_plan
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import OrderRequest
from engine.gateways.calls import Call
from engine.gateways.venue_signing import BookPlan, VenueIntent
from engine.signing.caps import DailyCaps
from engine.signing.rules import refused
from engine.signing.venue_at import VenueAt
from engine.signing.venue_caps import TESTS_CAP, charges_of, together
from engine.signing.venue_journal import PlacedOrder, VenueJournal
from engine.signing.venue_permits import check_venue_permit, use_venue_permit
from engine.signing.venue_rules import (
    UNWINDINGS_MAX,
    UNWINDS_MS_MAX,
    Placing,
    check_test,
    check_times,
    first_refusal,
    placing_of,
)
from engine.signing.venue_terms import ExchangeTerms
from engine.signing.words import Words

NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An order that is asked for.

    Attributes:
        at: its venue.
        calls: by which it is placed.
    """

    intent: VenueIntent
    request: OrderRequest
    at: VenueAt
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An order that may be signed once it is kept.

    Attributes:
        order: what is kept; None for the very same that was signed before.
        charges: what it counts for.
        given: what its rules looked at; None for an order of a self-test.
        is_first: it is the first of its plan that is signed.
    """

    asked: Asked
    order: PlacedOrder | None
    charges: Mapping[str, int] = field(default_factory=dict)
    given: Placing | None = None
    is_first: bool = False

    @property
    def is_repeat(self) -> bool:
        """Whether the very same was signed before."""
        return self.order is None


class VenueOrders:
    """See the module; `is_sent` says of a plan, by its digest, whether its swap was signed."""

    def __init__(
        self,
        *,
        terms: ExchangeTerms,
        journal: VenueJournal,
        caps: DailyCaps,
        words: Words,
        is_sent: Callable[[str], bool],
    ) -> None:
        self._terms = terms
        self._journal = journal
        self._caps = caps
        self._words = words
        self._is_sent = is_sent

    def ready(self, asked: Sequence[Asked], now_ns: int) -> list[Ready] | SignRefusal:
        """Look at orders that are to be signed together: at all of them, or to the first refusal.

        Nothing is kept, used up or counted but the pace of a venue.
        """
        found: list[Ready] = []
        charges, digests = NOTHING, _PlanDigests()
        for one in asked:
            if one.intent.is_test:
                ready = self._test(one, now_ns // NS_PER_MS)
            else:
                ready = self._of_plan(one, now_ns, digests, charges, is_after=bool(found))
            if isinstance(ready, SignRefusal):
                return ready
            charges = together(charges, ready.charges)
            found.append(ready)
        return found

    def has_orders(self, plan_digest: str) -> bool:
        """Say whether an order of a plan was signed, by its digest."""
        return self._journal.began_ms(bytes.fromhex(plan_digest)) is not None

    def keep(self, ready: Sequence[Ready]) -> None:
        """Keep and count them; returns once no end of this process can lose one.

        Raises:
            FatalError: they cannot be written.
        """
        charges = NOTHING
        for one in ready:
            charges = together(charges, one.charges)
            if one.given is not None and not one.is_repeat:
                use_venue_permit(one.given, self._words, is_first=one.is_first)
        orders = [one.order for one in ready if one.order is not None]
        if orders:
            self._caps.reserve(charges)
            self._journal.add(orders, charges, self._caps.day)
            self._caps.use(charges)

    def rehearse(self, asked: Sequence[Asked], now_ns: int) -> None:
        """Go through all that keeps them; nothing of it stays."""
        charges, digests = NOTHING, _PlanDigests()
        orders = []
        for one in asked:
            given = placing_of(one.intent, one.request, self._terms, now_ns)
            if isinstance(given, SignRefusal) or first_refusal(given):
                return
            plan = digests.of(given.plan)
            digest = _digest_of(one, plan)
            if self._digest_before(one) is not None:
                return
            self._beyond_plan(given, plan)
            charges = together(charges, charges_of(given))
            self._beyond_caps(charges)
            orders.append(_order_of(one, digest, plan=plan, at_ms=given.now_ms))
        self._journal.rehearse(orders, charges, self._caps.day)

    def _of_plan(
        self,
        one: Asked,
        now_ns: int,
        digests: "_PlanDigests",
        charged: Mapping[str, int],
        *,
        is_after: bool,
    ) -> Ready | SignRefusal:
        given = placing_of(one.intent, one.request, self._terms, now_ns)
        if isinstance(given, SignRefusal):
            return given
        plan = digests.of(given.plan)
        digest, before = _digest_of(one, plan), self._digest_before(one)
        if before is not None:
            refusal = _why_not_again(one, given, is_same=before == digest)
            return refusal or Ready(asked=one, order=None, given=given)
        if refusal := first_refusal(given):
            return refusal
        is_first = not is_after and self._journal.began_ms(plan) is None
        charges = charges_of(given)
        if refusal := (
            self._beyond_plan(given, plan)
            or check_venue_permit(given, self._words, is_first=is_first)
            or self._beyond_caps(together(charged, charges))
            or one.at.too_fast()
        ):
            return refusal
        order = _order_of(one, digest, plan=plan, at_ms=given.now_ms)
        return Ready(asked=one, order=order, charges=charges, given=given, is_first=is_first)

    def _test(self, one: Asked, now_ms: int) -> Ready | SignRefusal:
        if refusal := check_test(one.intent, one.request, now_ms):
            return refusal
        if self._digest_before(one) is not None:
            return refused(RefusalKind.REPEAT, "an order was signed under its id")
        charges = {TESTS_CAP: 1}
        if refusal := self._beyond_caps(charges):
            return refusal
        order = _order_of(one, _digest_of(one, b""), plan=b"", at_ms=now_ms)
        return Ready(asked=one, order=order, charges=charges)

    def _digest_before(self, one: Asked) -> bytes | None:
        return self._journal.digest_of(one.intent.engine, one.intent.client_order_id)

    def _beyond_caps(self, charges: Mapping[str, int]) -> SignRefusal | None:
        why = self._caps.beyond(charges)
        return refused(RefusalKind.CAP, why) if why else None

    def _beyond_plan(self, given: Placing, plan: bytes) -> SignRefusal | None:
        """Look at what was signed of the plan before: each leg once, and back within bounds."""
        intent, size = given.intent, given.request.size_base
        count, signed = self._journal.of_leg(plan, intent.leg, intent.purpose)
        is_sent = self._is_sent(plan.hex()) if _is_behind(given) else None
        if intent.purpose is Purpose.LEG:
            if is_sent is False:
                why = "it follows on a transaction, and none of its plan was signed"
                return refused(RefusalKind.PLAN, why)
            if signed + size > given.leg.size_base:
                return refused(
                    RefusalKind.ORDER,
                    f"{size:f} is more than is left of its leg: {signed:f} of"
                    f" {given.leg.size_base:f} are signed",
                )
            return None
        began_ms = self._journal.began_ms(plan)
        if began_ms is None and is_sent:
            began_ms = given.plan.decided_at_ns // NS_PER_MS
        return _beyond_unwinding(given, count, began_ms)


class _PlanDigests:
    """Digests of the plans of one question, which is mostly one plan."""

    def __init__(self) -> None:
        self._plan: BookPlan | None = None
        self._digest = b""

    def of(self, plan: BookPlan) -> bytes:
        """Return the digest of a plan."""
        if plan is not self._plan:
            self._plan, self._digest = plan, bytes.fromhex(digest_of_plan(plan))
        return self._digest


def _is_behind(given: Placing) -> bool:
    """Say whether an order's plan begins with a transaction."""
    return isinstance(given.plan, MixedPlan) and given.plan.first is Part.TRANSACTION


def _beyond_unwinding(given: Placing, count: int, began_ms: int | None) -> SignRefusal | None:
    """Look at when a plan began, and how often its leg was traded back."""
    if began_ms is None:
        return refused(RefusalKind.ORDER, "no order of its plan was signed: nothing is to undo")
    if given.now_ms - began_ms > UNWINDS_MS_MAX:
        return refused(RefusalKind.DEADLINE, "its plan began too long ago to be unwound")
    if count >= UNWINDINGS_MAX:
        return refused(RefusalKind.ORDER, f"its leg was traded back by {count} orders")
    return None


def _why_not_again(one: Asked, given: Placing, *, is_same: bool) -> SignRefusal | None:
    """Say why what has an id that was signed before is not signed again: it has to be harmless."""
    name = one.intent.client_order_id
    if not is_same:
        return refused(RefusalKind.REPEAT, f"another order was signed under {name!r}")
    if not one.at.gateway.rules.is_replay_harmless:
        return refused(
            RefusalKind.REPEAT,
            f"{name!r} was signed before, and a second send could make a second order",
        )
    # The venue may make of it the order that never came.
    return check_times(given) or one.at.too_fast()


def _order_of(one: Asked, digest: bytes, *, plan: bytes, at_ms: int) -> PlacedOrder:
    intent = one.intent
    return PlacedOrder(
        engine=intent.engine,
        client_order_id=intent.client_order_id,
        digest=digest,
        plan=plan,
        leg=intent.leg,
        purpose=intent.purpose,
        size=one.request.size_base,
        at_ms=at_ms,
    )


def _digest_of(one: Asked, plan: bytes) -> bytes:
    """Return by what the very same order is known again: all that goes out, and of which plan."""
    what = (one.calls, plan, one.intent.leg, one.intent.purpose)
    content = msgspec.msgpack.encode(what, order="deterministic")
    return hashlib.blake2b(content, digest_size=16).digest()
