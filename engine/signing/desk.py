"""The signer at work: latch and mode, rules, nonce, caps, signature, journal; then the answer.

One request at a time, in the order in which they come: what one of them may do depends on what was
signed before.
"""

import asyncio
import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final

import msgspec

from engine.domain.plans import MixedPlan, digest_of_plan
from engine.domain.signing import Purpose, RefusalKind, Signed, SigningIntent, SignRefusal
from engine.signing.caps import DailyCaps
from engine.signing.carrying import check_carrying
from engine.signing.curve import LocalKey
from engine.signing.journal import Entry, Journal
from engine.signing.nonces import check_nonce
from engine.signing.permits import check_permit, use_permit
from engine.signing.rules import Given, check_chain, check_form, first_refusal, refused
from engine.signing.terms import SigningTerms
from engine.signing.transactions import Unsigned, hash_of
from engine.signing.wallet import KeyTroubleError, Wallet
from engine.signing.words import Words
from engine.signing.worth import usd_of

MICRO_USD: Final = 1_000_000

_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")

_NOBODY: Final = LocalKey(b"\x01" * 32)
"""Of a wallet that is nobody's: rehearsals are signed with it, and thrown away."""

USD_CAP: Final = "USD moved"
"""Counted in millionths."""

Leave = Callable[[SigningIntent], SignRefusal | None]
"""Says why an engine may not have this signed now, by latch and mode; None if it may."""


def gas_cap(chain: str, *, is_protective: bool) -> str:
    """Name the cap of what may be paid for gas on a chain, in wei."""
    return f"wei for gas on {chain}{' to protect' if is_protective else ''}"


def count_cap(*, is_protective: bool) -> str:
    """Name the cap of how much is signed."""
    return f"signatures{' to protect' if is_protective else ''}"


def caps_of(terms: SigningTerms) -> dict[str, int]:
    """Return all caps of a day; what protects has its own, which nothing else uses up."""
    caps = {USD_CAP: int(terms.notional_day_usd * MICRO_USD)}
    for is_protective in (False, True):
        caps[count_cap(is_protective=is_protective)] = terms.signatures_day
        for chain in terms.chain_ids:
            most = terms.gas_day_wei.get(chain, 0)
            caps[gas_cap(chain, is_protective=is_protective)] = most
    return caps


class SigningDesk:
    """Answers what is asked of the signer.

    Args:
        missing: says why nothing that trades is signed for a chain; empty if it may be.
        has_orders: says of a plan, by its digest, whether an order of it was signed.

    Attributes:
        wallet: with whose key is signed; None while locked.
        words: what persons allowed.
        turn: is held by whoever counts for the caps.
    """

    def __init__(
        self,
        *,
        terms: SigningTerms,
        journal: Journal,
        caps: DailyCaps,
        leave: Leave,
        clock: Callable[[], int],
        words: Words | None = None,
        missing: Callable[[str], str] = lambda _chain: "",
        has_orders: Callable[[str], bool] = lambda _digest: False,
    ) -> None:
        self.terms: Final = terms
        self.words: Final = words or Words(key=None, journal=journal)
        self.caps: Final = caps
        self.wallet: Wallet | None = None
        self._journal = journal
        self._leave = leave
        self._missing = missing
        self._has_orders = has_orders
        self._clock = clock
        self.turn: Final = asyncio.Lock()

    async def sign(self, intent: SigningIntent) -> Signed | SignRefusal:
        """Sign what is asked, or say why not.

        Raises:
            FatalError: the journal cannot be written: nothing may be signed any more.
        """
        async with self.turn:
            return await self._sign(intent)

    def rehearse(self, intent: SigningIntent) -> None:
        """Go through what a signature takes; nothing is signed with our key, kept or counted.

        What was not run for a while takes two to three times as long. Who is about to ask for a
        signature says so while it still has something else to wait for.
        """
        wallet = self.wallet
        if wallet is None or self.turn.locked():
            return
        transaction = intent.transaction
        chain = self.terms.names.get(transaction.chain_id, "")
        given = Given(intent=intent, terms=self.terms, own=wallet.address, chain=chain)
        if intent.plan is None or check_chain(given) or check_form(given):
            return
        digest_of_intent(intent)
        first_refusal(given)
        if check_carrying(given, now_ns=self._clock()) is None:
            self._journal.has_route(digest_of_plan(intent.plan))
            self.caps.beyond(charges_of(intent, (), chain, self.terms))
        unsigned = Unsigned(transaction)
        hash_of(unsigned.signed(_NOBODY.sign(unsigned.digest())))

    async def _sign(self, intent: SigningIntent) -> Signed | SignRefusal:
        wallet = self.wallet
        if wallet is None:
            return refused(RefusalKind.LOCKED, "no key is open: python -m engine keys unlock")
        transaction = intent.transaction
        chain = self.terms.names.get(transaction.chain_id, "")
        given = Given(intent=intent, terms=self.terms, own=wallet.address, chain=chain)
        if refusal := self._leave(intent) or check_chain(given) or check_form(given):
            return refusal
        # What was signed is answered again even if other rules hold by now: it may be on its way,
        # and whoever asks must learn its hash.
        digest = digest_of_intent(intent)
        before = self._journal.of_nonce(wallet.address, transaction.chain_id, transaction.nonce)
        for entry in before:
            if entry.digest == digest:
                return Signed(raw=entry.raw, hash=hash_of(entry.raw), is_repeat=True)
        if not intent.purpose.is_protective and (why := self._missing(given.chain)):
            return refused(RefusalKind.CODE_HASH, why)
        return first_refusal(given) or await self._sign_anew(wallet, given, digest, before)

    async def _sign_anew(
        self, wallet: Wallet, given: Given, digest: bytes, before: Sequence[Entry]
    ) -> Signed | SignRefusal:
        intent, transaction = given.intent, given.transaction
        now_ns = self._clock()
        self.caps.look(now_ns)
        plan_digest = "" if intent.plan is None else digest_of_plan(intent.plan)
        if isinstance(intent.plan, MixedPlan):
            given = self._with_the_rest(given, wallet.address, plan_digest)
        if refusal := (
            check_carrying(given, now_ns=now_ns)
            or check_permit(given, self.words, now_ns=now_ns)
            or check_nonce(
                intent,
                before,
                plan_digest=plan_digest,
                is_carried_out=self._journal.has_route(plan_digest),
                bump_bps=self.terms.bump_bps,
            )
        ):
            return refusal
        charges = charges_of(intent, before, given.chain, self.terms)
        if why := self.caps.beyond(charges):
            return refused(RefusalKind.CAP, why)
        self.caps.reserve(charges)
        use_permit(given, self.words)
        raw = await self._signed(wallet, intent)
        if isinstance(raw, SignRefusal):
            return raw
        entry = Entry(
            digest=digest,
            purpose=intent.purpose,
            plan_digest=plan_digest,
            fee_wei=transaction.max_fee_per_gas_wei,
            tip_wei=transaction.max_priority_fee_per_gas_wei,
            charges=charges,
            day=self.caps.day,
            raw=raw,
        )
        self._journal.add(
            wallet.address, transaction.chain_id, transaction.nonce, len(before), entry
        )
        self.caps.use(charges)
        return Signed(raw=raw, hash=hash_of(raw))

    def _with_the_rest(self, given: Given, address: str, plan_digest: str) -> Given:
        """Add what was signed of the same plan: other transactions of it, and orders."""
        gas = gas_cap(given.chain, is_protective=False)
        one = given.transaction
        beside = self._journal.beside(address, one.chain_id, one.nonce, plan_digest)
        return dataclasses.replace(
            given,
            beside_wei=sum(entry.charges.get(gas, 0) for entry in beside),
            is_other_signed=self._has_orders(plan_digest),
        )

    async def _signed(self, wallet: Wallet, intent: SigningIntent) -> bytes | SignRefusal:
        try:
            raw = await wallet.sign(intent.transaction)
        except KeyTroubleError as error:
            return refused(RefusalKind.KEY, str(error))
        # Somebody may have killed while a key elsewhere was asked.
        return (self._leave(intent) if wallet.is_slow else None) or raw


def digest_of_intent(intent: SigningIntent) -> bytes:
    """Return by what the very same request is known again."""
    return hashlib.blake2b(_ENCODER.encode(intent), digest_size=16).digest()


def charges_of(
    intent: SigningIntent, before: Sequence[Entry], chain: str, terms: SigningTerms
) -> Mapping[str, int]:
    """Return what a signature counts for: of several with one nonce, one is carried out.

    So a replacement counts for what it may pay beyond the dearest before it, and moves no more.
    """
    is_protective = intent.purpose.is_protective
    gas, count = (
        gas_cap(chain, is_protective=is_protective),
        count_cap(is_protective=is_protective),
    )
    charges = {gas: intent.transaction.gas_max_wei, count: 1}
    if intent.plan is not None and intent.purpose.moves:
        usd = (usd_of(intent.plan, terms) * MICRO_USD).to_integral_value(ROUND_CEILING)
        charges[USD_CAP] = int(usd)
    if intent.purpose is Purpose.REPLACE:
        paid = sum(entry.charges.get(gas, 0) for entry in before)
        charges[gas] = max(charges[gas] - paid, 0)
        moved = sum(entry.charges.get(USD_CAP, 0) for entry in before)
        charges[USD_CAP] = max(charges.get(USD_CAP, 0) - moved, 0)
    return charges


def usd_of_micro(micro_usd: int) -> Decimal:
    """Return what a count of the cap `USD_CAP` is worth."""
    return Decimal(micro_usd) / MICRO_USD
