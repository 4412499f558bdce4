"""A signer of withdrawals over a file, and what it is asked."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.transfer_life import Part, TransferOrder
from engine.domain.transfers import withdrawal_id_of
from engine.domain.units import NS_PER_S
from engine.domain.withdrawals import WithdrawalRequest
from engine.domain.words import SealedWord, TransferAllowed, sealed_word
from engine.gateways.asks import WithdrawAsk
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.sandbox.exchange.keys import withdraw_key_of
from engine.signing.caps import DailyCaps
from engine.signing.journal import Journal
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_journal import VenueJournal
from engine.signing.venue_nonces import VenueNonces
from engine.signing.withdraw_desk import WithdrawDesk
from engine.signing.withdraw_journal import WithdrawJournal
from engine.signing.withdraw_terms import WithdrawTerms, withdraw_caps
from engine.signing.words import Words
from tests.sandbox.exchange.funded import BTC, destination, name_of
from tests.signing.saying import WORD_KEY
from tests.signing.venue_intents import NOW_NS

DELAY_NS = 60 * NS_PER_S

TERMS = WithdrawTerms(
    venues=("binance", "kraken"),
    allowed=(destination("kraken"), destination("binance")),
    names={"kraken/binance/BTC/bitcoin": name_of(destination("binance"))},
    each={BTC: Decimal(2)},
    day={BTC: Decimal(3)},
    test={BTC: Decimal("0.1")},
    delay_ns=DELAY_NS,
)


def order(number: int = 1, *, source: str = "binance", **changes: Any) -> TransferOrder:
    """Return one BTC to the other exchange, a tenth of it first."""
    target = "kraken" if source == "binance" else "binance"
    made = TransferOrder(
        transfer_id=f"t{number}",
        asset=BTC,
        source=VenueId(source),
        destination=destination(target),
        amount=Decimal(1),
        test_amount=Decimal("0.1"),
        delay_ns=DELAY_NS,
    )
    return replace(made, **changes)


def word(
    made: TransferOrder, *, at_ns: int = NOW_NS, engine: str = "main", key: bytes = WORD_KEY
) -> SealedWord:
    """Say that somebody allowed it."""
    said = TransferAllowed(engine=engine, by="ann", at_ns=at_ns, order=made)
    return sealed_word(said, key)


def intent(
    made: TransferOrder, part: Part = Part.TEST, *, engine: str = "main", **changes: Any
) -> VenueIntent:
    """Return what is asked for a part of it; `changes` are of the request."""
    amount = made.test_amount
    if part is Part.REST:
        amount = exact_sum((made.amount, -made.test_amount))
    request = WithdrawalRequest(
        wire_id=withdrawal_id_of(made.transfer_id, part, engine_id=engine),
        venue=made.source,
        to=made.destination,
        amount=amount,
        named=TERMS.named(made.source, made.destination),
    )
    ask = WithdrawAsk(
        transfer_id=made.transfer_id,
        is_test=part is Part.TEST,
        withdrawal=msgspec.structs.replace(request, **changes),
    )
    return VenueIntent(engine=engine, venue=made.source, ask=ask)


class Withdrawer:
    """A signer of withdrawals over a file, with a clock of its own."""

    def __init__(self, path: Path | str = ":memory:", terms: WithdrawTerms = TERMS) -> None:
        self.path = Path(path)
        self.terms = terms
        self.now_ns = NOW_NS
        self.latched_ns = 0
        self.why: SignRefusal | None = None
        self.why_closed = ""
        self.why_no_code = ""
        self.boot = "b"
        self.start()

    def start(self) -> None:
        """Open the file."""
        self.journal = Journal(self.path)
        caps = withdraw_caps(self.terms)
        self.caps = DailyCaps(self.journal, caps, boot=self.boot, now_ns=self.now_ns)
        self.words = Words(key=WORD_KEY, journal=self.journal)
        self.desk = WithdrawDesk(
            terms=self.terms,
            journal=WithdrawJournal(self.journal),
            caps=self.caps,
            nonces=VenueNonces(VenueJournal(self.journal)),
            leave=lambda _engine: self.why,
            latched_ns=lambda _engine: self.latched_ns,
            clock=lambda: self.now_ns,
            steady_ns=lambda: self.now_ns,
            missing=lambda _venue: self.why_closed,
            why_no_code=lambda _word: self.why_no_code,
        )
        self.words.allow_transfer = self.desk.allow
        for venue in self.terms.venues:
            key = withdraw_key_of(venue)
            self.desk.open(venue, VenueKey(name=key.name, secret=key.secret))

    def restart(self, terms: WithdrawTerms | None = None) -> None:
        """End without a word and begin anew, perhaps with other terms."""
        self.journal.close()
        self.terms = terms or self.terms
        self.start()

    def allow(self, made: TransferOrder, **said: Any) -> TransferOrder:
        """Hear a person's word on it."""
        self.words.hear(word(made, at_ns=self.now_ns, **said), self.now_ns)
        return made

    def wait(self) -> None:
        """Let its delay pass."""
        self.now_ns += DELAY_NS

    def due(self, number: int = 1, **changes: Any) -> TransferOrder:
        """Return a transfer that was allowed, and whose delay is over."""
        made = self.allow(order(number, **changes))
        self.wait()
        return made

    def kind(self, asked: VenueIntent) -> RefusalKind | None:
        """Ask, and return why it was refused; None if it was signed."""
        reply: VenueSigned | SignRefusal = self.desk.sign(asked)
        return reply.kind if isinstance(reply, SignRefusal) else None
