"""The signer at work for withdrawals, with keys that sign nothing else.

A withdrawal is signed for a transfer that a person allowed on exactly these terms, to an address of
the operator's own list, after its delay, within its caps; one part of one transfer once, for ever.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.domain.errors import BadValueError, SettingsError
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.transfer_life import Part
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.domain.words import TransferAllowed
from engine.gateways.asks import WithdrawalsAsk, WithdrawAsk, WithdrawRightsAsk, calls_of
from engine.gateways.calls import Call, SignedCall
from engine.gateways.gateway import Gateway
from engine.gateways.gateway_list import gateway_of
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.gateways.withdrawing import withdrawing_of
from engine.signing.call_rates import Bucket
from engine.signing.caps import DailyCaps
from engine.signing.rules import refused
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.auth_list import authentication_of
from engine.signing.venue_nonces import VenueNonces
from engine.signing.withdraw_journal import Allowed, WithdrawJournal
from engine.signing.withdraw_rules import check_part, first_refusal
from engine.signing.withdraw_terms import WithdrawTerms, day_cap, units_of

LASTS_NS: Final = 24 * 3_600 * NS_PER_S
"""A word on a transfer counts so long after its delay."""

_READS_PER_S: Final = 5.0
_READS_BURST: Final = 50.0

Leave = Callable[[str], SignRefusal | None]
"""Says why nothing is withdrawn for an engine now, by our lease and its latches."""


@dataclass(slots=True, kw_only=True)
class _Venue:
    gateway: Gateway
    reads: Bucket
    key: VenueKey | None = None
    sign: Callable[[Call, int, int], SignedCall] | None = None


class WithdrawDesk:
    """Answers what is asked of the signer for withdrawals.

    Args:
        leave: by lease and latches.
        latched_ns: says when a latch of an engine was set or cleared last.
        nonces: the numbers of all keys.
        missing: says why nothing is withdrawn from a venue; empty if it may be.
        why_no_code: says what is wrong with the code of a word; empty if nothing is.
        clock: the wall clock; `steady_ns` one that is never set back.
    """

    def __init__(
        self,
        *,
        terms: WithdrawTerms,
        journal: WithdrawJournal,
        caps: DailyCaps,
        nonces: VenueNonces,
        leave: Leave,
        latched_ns: Callable[[str], int],
        clock: Callable[[], int],
        steady_ns: Callable[[], int],
        missing: Callable[[str], str] = lambda _venue: "",
        why_no_code: Callable[[TransferAllowed], str] = lambda _word: "",
    ) -> None:
        self.terms: Final = terms
        self._journal = journal
        self._caps = caps
        self._nonces = nonces
        self._leave = leave
        self._latched_ns = latched_ns
        self._clock = clock
        self._missing = missing
        self._why_no_code = why_no_code
        self._venues = {name: _venue_of(name, steady_ns) for name in terms.venues}

    def open(self, venue: str, key: VenueKey) -> None:
        """Withdraw with this key from now on.

        Raises:
            SettingsError: it is no key of that venue.
        """
        auth = authentication_of(venue, key)
        found = self._venues[venue]
        found.key = key
        found.sign = lambda call, now_ms, nonce: auth.sign(call, now_ms=now_ms, nonce=nonce)

    @property
    def keys(self) -> Mapping[str, str]:
        """By venue the name of its withdraw key; empty while it is locked."""
        return {name: one.key.name if one.key else "" for name, one in self._venues.items()}

    def allow(self, word: TransferAllowed, now_ns: int) -> None:
        """Keep a person's word on a transfer, durably.

        Raises:
            BadValueError: it breaks a rule, or its id was used.
        """
        order = word.order
        refusal = first_refusal(order, self.terms) or self._leave(word.engine)
        if refusal is None and self._journal.allowed(order.transfer_id) is not None:
            refusal = refused(RefusalKind.REPEAT, "a transfer has its id already")
        if refusal is not None:
            raise BadValueError(refusal.detail)
        if why := self._missing(order.source) or self._why_no_code(word):
            raise BadValueError(why)
        self._journal.allow(
            Allowed(
                engine=word.engine,
                by=word.by,
                heard_ns=now_ns,
                due_ns=now_ns + max(order.delay_ns, self.terms.delay_ns),
                order=order,
            )
        )

    def take_back(self, engine: str, transfer_id: str = "") -> None:
        """Sign nothing more of a transfer, or of any of an engine."""
        self._journal.take_back(engine, transfer_id)

    def sign(self, intent: VenueIntent) -> VenueSigned | SignRefusal:
        """Sign the calls of what is asked, or say why not. Nothing else may run meanwhile.

        Raises:
            FatalError: the journal cannot be written: nothing may be signed any more.
        """
        ask, venue = intent.ask, self._venues.get(intent.venue)
        if not isinstance(ask, WithdrawAsk | WithdrawalsAsk | WithdrawRightsAsk):
            return refused(RefusalKind.VENUE, "the withdraw key signs withdrawals alone")
        if venue is None or venue.sign is None:
            return self._why_no_key(intent.venue)
        try:
            calls = calls_of(ask, venue.gateway)
        except (BadValueError, ArithmeticError, ValueError, OverflowError) as error:
            return refused(RefusalKind.VENUE, f"{intent.venue} cannot be asked that: {error}")
        if isinstance(ask, WithdrawAsk):
            if refusal := self._withdraw(intent, ask):
                return refusal
        elif not venue.reads.takes(max(len(calls), 1)):
            return refused(RefusalKind.RATE, f"calls to {intent.venue} come too fast")
        return self._signed(venue, calls)

    def _why_no_key(self, venue: str) -> SignRefusal:
        if venue in self._venues:
            return refused(
                RefusalKind.LOCKED,
                f"no withdraw key of {venue} is open: python -m engine keys unlock",
            )
        known = ", ".join(self._venues) or "none"
        return refused(
            RefusalKind.VENUE,
            f"nothing is withdrawn from {venue[:40]}; SYNDICATE_TRANSFERS_VENUES: {known}",
        )

    def _withdraw(self, intent: VenueIntent, ask: WithdrawAsk) -> SignRefusal | None:
        """Look whether it may be, and keep that it is; None once that is on disk."""
        now_ns, part = self._clock(), Part.TEST if ask.is_test else Part.REST
        self._caps.look(now_ns)
        allowed = self._journal.allowed(ask.transfer_id)
        if allowed is None or allowed.engine != intent.engine:
            return refused(
                RefusalKind.PERMIT, "no person allowed this transfer, as far as the chat has told"
            )
        charges = {day_cap(ask.withdrawal.asset): units_of(ask.withdrawal.amount)}
        if refusal := (
            self._leave(intent.engine)
            or self._why_void(allowed, now_ns)
            or first_refusal(allowed.order, self.terms)
            or check_part(ask.withdrawal, allowed.order, part, self.terms, engine_id=intent.engine)
            or _why_not_its_turn(self._journal.signed(ask.transfer_id), part)
            or self._why_closed(intent.venue)
            or self._beyond(charges)
        ):
            return refusal
        self._caps.reserve(charges)
        self._journal.add(
            ask.transfer_id, part, charges, day=self._caps.day, at_ms=now_ns // NS_PER_MS
        )
        self._caps.use(charges)
        return None

    def _why_void(self, allowed: Allowed, now_ns: int) -> SignRefusal | None:
        if allowed.is_taken_back:
            return refused(RefusalKind.PERMIT, "it was taken back")
        if self._latched_ns(allowed.engine) >= allowed.heard_ns:
            return refused(RefusalKind.PERMIT, "a latch was set or cleared since it was allowed")
        if not allowed.due_ns <= now_ns <= allowed.due_ns + LASTS_NS:
            return refused(
                RefusalKind.DEADLINE,
                "its delay is not over"
                if now_ns < allowed.due_ns
                else "it was allowed more than a day ago",
            )
        return None

    def _why_closed(self, venue: str) -> SignRefusal | None:
        why = self._missing(venue)
        return refused(RefusalKind.MODE, why) if why else None

    def _beyond(self, charges: Mapping[str, int]) -> SignRefusal | None:
        why = self._caps.beyond(charges)
        return refused(RefusalKind.CAP, f"{why}: SYNDICATE_TRANSFERS_DAY") if why else None

    def _signed(self, venue: _Venue, calls: tuple[Call, ...]) -> VenueSigned:
        assert venue.sign is not None and venue.key is not None  # noqa: PT018 - one is with the other
        now_ms = self._clock() // NS_PER_MS
        key = f"{venue.gateway.venue}/{venue.key.name}"
        signed = tuple(venue.sign(call, now_ms, self._nonces.next(key, now_ms)) for call in calls)
        return VenueSigned(calls=signed, signed_at_ms=now_ms)


def _why_not_its_turn(signed: frozenset[Part], part: Part) -> SignRefusal | None:
    if part in signed:
        return refused(RefusalKind.REPEAT, f"the {part} of this transfer was signed before")
    if part is Part.REST and Part.TEST not in signed:
        return refused(RefusalKind.ORDER, "its test goes first")
    return None


def _venue_of(name: str, steady_ns: Callable[[], int]) -> _Venue:
    try:
        withdrawing_of(name)
        gateway = gateway_of(name)
    except BadValueError as error:
        raise SettingsError(str(error)) from error
    reads = Bucket(per_s=_READS_PER_S, burst=_READS_BURST, clock_ns=steady_ns)
    return _Venue(gateway=gateway, reads=reads)
