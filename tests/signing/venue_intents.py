"""A plan of two orders, and what a signer is asked for it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.domain.opportunities import Hop, HopKind, Leg, Opportunity, Side
from engine.domain.orders import Purpose
from engine.domain.plans import LeggedPlan
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.domain.venue_orders import OrderRequest, TimeInForce, wire_id_of
from engine.gateways.asks import PlaceAsk
from engine.gateways.venue_signing import BookPlan, VenueIntent, VenueSigned
from engine.signing.caps import DailyCaps
from engine.signing.desk import MICRO_USD, USD_CAP
from engine.signing.journal import Journal
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_caps import venue_caps
from engine.signing.venue_desk import VenueDesk
from engine.signing.venue_journal import VenueJournal
from engine.signing.venue_terms import ExchangeTerms
from engine.signing.words import Words
from tests.sandbox.exchange.place import KEYS, WIRE_NAMES
from tests.signing.saying import WORD_KEY

NOW_NS = 1_790_000_000 * NS_PER_S
NOW_MS = NOW_NS // NS_PER_MS
VENUES = ("binance", "coinbase", "gemini", "bitstamp", "kraken")
MOVED_USD = Decimal(100_000)

TERMS = ExchangeTerms(
    venues=VENUES,
    notional_day_usd=MOVED_USD,
    orders_day=1_000,
    exposure_usd=dict.fromkeys(VENUES, Decimal(60_000)),
)


def instrument_at(venue: str) -> Instrument:
    """Return BTC against USD at a venue."""
    return Instrument(
        venue=VenueId(venue),
        pair=Pair(AssetCode("BTC"), AssetCode("USD")),
        wire_name=WIRE_NAMES[venue],
        price_decimals=2,
        size_decimals=8,
        tick_quote=Decimal("0.01"),
        lot_base=Decimal("0.0001"),
    )


def make_leg(venue: str, side: Side, *, size: str = "0.5", price: str = "60000") -> Leg:
    """Return a leg that walks at its price, with a limit 10 bps behind."""
    behind = Decimal("1.001") if side is Side.BUY else Decimal("0.999")
    notional = Decimal(size) * Decimal(price)
    return Leg(
        instrument=instrument_at(venue),
        side=side,
        size_base=Decimal(size),
        price_limit=Decimal(price) * behind,
        notional_quote=notional,
        fee_quote=notional / 1_000,
        frame_seq=7,
    )


def make_plan(
    number: int = 1, *, venues: tuple[str, str] = ("binance", "kraken"), **changes: Any
) -> LeggedPlan:
    """Return a plan that buys half a BTC for 60,000 and sells it for 60,600."""
    legs = changes.pop("legs", None) or (
        make_leg(venues[0], Side.BUY),
        make_leg(venues[1], Side.SELL, price="60600"),
    )
    hops = tuple(
        Hop(
            kind=HopKind.BOOK,
            venue=leg.venue,
            place="BTC-USD",
            row=row,
            source=leg.source,
            target=leg.target,
            amount_in=1.0,
            amount_out=1.0,
            frame_seq=7,
        )
        for row, leg in enumerate(legs)
    )
    plan = LeggedPlan(
        plan_id=f"r1-{number}-p",
        opportunity=Opportunity(
            opportunity_id=f"r1-{number}",
            seen_at_ns=NOW_NS,
            frame_seq=7,
            hops=hops,
            size_base=0.5,
            gross_edge_bps=100.0,
            net_edge_bps=80.0,
            gas_quote=0.0,
            profit_quote=239.0,
        ),
        decided_at_ns=NOW_NS,
        deadline_ns=NOW_NS + 2 * NS_PER_S,
        legs=legs,
        profit_quote=Decimal("239.7"),
        transfer_quote=Decimal(0),
        net_edge_bps=Decimal("79.9"),
        notional_usd=Decimal(30_000),
        usd_per_quote=Decimal(1),
        is_live=True,
    )
    return msgspec.structs.replace(plan, **changes)


def make_place(
    plan: BookPlan | None = None,
    *,
    leg: int = 0,
    name: str = "",
    engine: str = "main",
    now_ms: int = NOW_MS,
    request: dict[str, Any] | None = None,
    **changes: Any,
) -> VenueIntent:
    """Return what is asked for a leg of a plan; `request` changes fields of the order."""
    plan = plan or make_plan()
    purpose = changes.get("purpose", Purpose.LEG)
    of, client_order_id = plan.legs[leg], name or f"{plan.plan_id}-o{leg + 1}"
    back = Side.SELL if of.side is Side.BUY else Side.BUY
    order = OrderRequest(
        wire_id=wire_id_of(client_order_id, engine_id=engine),
        venue=of.venue,
        wire_name=of.instrument.wire_name,
        side=of.side if purpose is Purpose.LEG else back,
        size_base=of.size_base,
        price_limit=of.price_limit,
        sent_before_ms=now_ms + 5_000,
    )
    intent = VenueIntent(
        engine=engine,
        venue=of.venue,
        ask=PlaceAsk(request=msgspec.structs.replace(order, **request or {})),
        client_order_id=client_order_id,
        plan=plan,
        leg=leg,
        latest_ms=now_ms + 5_000,
    )
    return msgspec.structs.replace(intent, **changes)


def make_unwinding(
    plan: BookPlan | None = None, *, leg: int = 0, name: str = "", **changes: Any
) -> VenueIntent:
    """Return what is asked to trade a leg back."""
    plan = plan or make_plan()
    name = name or f"{plan.plan_id}-o9"
    return make_place(plan, leg=leg, name=name, purpose=Purpose.UNWIND, **changes)


def make_test(
    venue: str = "binance", *, number: int = 1, now_ms: int = NOW_MS, **request: Any
) -> VenueIntent:
    """Return what is asked for an order of a self-test."""
    name = f"test-{venue}-{number}"
    fields: dict[str, Any] = {
        "wire_id": wire_id_of(name, engine_id="main"),
        "venue": VenueId(venue),
        "wire_name": WIRE_NAMES[venue],
        "side": Side.BUY,
        "size_base": Decimal("0.001"),
        "price_limit": Decimal(12_000),
        "time_in_force": TimeInForce.POST_ONLY,
        "sent_before_ms": now_ms + 5_000,
    }
    return VenueIntent(
        venue=VenueId(venue),
        ask=PlaceAsk(request=OrderRequest(**fields | request)),
        client_order_id=name,
        is_test=True,
        latest_ms=now_ms + 5_000,
    )


class Signer:
    """A signer of venues over a file, with a clock of its own; `restart` opens the file anew."""

    def __init__(self, path: Path | str = ":memory:", terms: ExchangeTerms = TERMS) -> None:
        self.path = Path(path)
        self.terms = terms
        self.now_ns = NOW_NS
        self.boot = "b"
        self.why: SignRefusal | None = None
        self.why_closed = ""
        self.is_sent = False
        self.usd_cap = MOVED_USD
        self.start()

    def start(self) -> None:
        """Open the file."""
        self.journal = Journal(self.path)
        caps = {USD_CAP: int(self.usd_cap * MICRO_USD)} | venue_caps(self.terms)
        self.caps = DailyCaps(self.journal, caps, boot=self.boot, now_ns=self.now_ns)
        self.words = Words(key=WORD_KEY, journal=self.journal)
        self.desk = VenueDesk(
            terms=self.terms,
            journal=VenueJournal(self.journal),
            caps=self.caps,
            leave=lambda _intent: self.why,
            words=self.words,
            clock=lambda: self.now_ns,
            steady_ns=lambda: self.now_ns,
            missing=lambda _venue: self.why_closed,
            is_sent=lambda _digest: self.is_sent,
        )
        for venue in self.terms.venues:
            self.desk.open(venue, VenueKey(name="a-key", secret=KEYS[venue][0]))

    def restart(self) -> None:
        """End without a word and begin anew."""
        self.journal.close()
        self.start()

    def close(self) -> None:
        """Close the file."""
        self.journal.close()

    def sign(self, intent: VenueIntent) -> VenueSigned | SignRefusal:
        """Ask."""
        return self.desk.sign(intent)

    def kind(self, intent: VenueIntent) -> RefusalKind | None:
        """Ask, and return why it was refused; None if it was signed."""
        return kind_of(self.desk.sign(intent))


def kind_of(reply: VenueSigned | SignRefusal) -> RefusalKind | None:
    """Return why something was refused; None if it was signed."""
    return reply.kind if isinstance(reply, SignRefusal) else None
