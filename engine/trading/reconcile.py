"""What a venue shows of an account, held against what is written here: every difference by name.

A pure comparison, made at the start, after every reconnection and by period. What can be proven is
adopted: a fill that nobody told of is booked. What cannot be explained halts the venue, because a
balance that is not what the books say means that something is not understood.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from engine.domain.venue_orders import (
    BalanceShown,
    OrderRequest,
    OrderShown,
    TradeShown,
    is_own_id,
)


class Kind(StrEnum):
    """How something differs."""

    FILL_UNTOLD = "fill untold"
    """The venue lists a fill of ours that is not written here."""
    FILL_UNLISTED = "fill unlisted"
    """A fill is written here that the venue does not list."""
    FILL_OTHER = "fill other"
    """The same fill has another price, size, side or fee."""
    ORDER_OPEN = "order open"
    """The venue shows an order open that has ended here."""
    ORDER_GONE = "order gone"
    """An order that is open here is not open there: it has ended, and has to be looked up."""
    ORDER_OTHER = "order other"
    """An order under our id is another than the one that was asked for."""
    ORPHAN = "orphan"
    """An open order has an id of ours and is written nowhere."""
    FOREIGN = "foreign"
    """Somebody else's order on the same account: seen, and never touched."""
    BALANCE = "balance"
    """What the venue says we have is not what the books add up to."""
    BALANCE_SHARED = "balance shared"
    """The same where somebody else trades on the account, so that it may be anything."""


class Then(StrEnum):
    """What follows from a difference."""

    BOOK = "book"
    LOOK_UP = "look up"
    CANCEL = "cancel"
    HALT = "halt"
    NOTE = "note"


CONSEQUENCES: Final[Mapping[Kind, Then]] = {
    Kind.FILL_UNTOLD: Then.BOOK,
    Kind.FILL_UNLISTED: Then.HALT,
    Kind.FILL_OTHER: Then.HALT,
    Kind.ORDER_OPEN: Then.CANCEL,
    Kind.ORDER_GONE: Then.LOOK_UP,
    Kind.ORDER_OTHER: Then.HALT,
    Kind.ORPHAN: Then.CANCEL,
    Kind.FOREIGN: Then.NOTE,
    Kind.BALANCE: Then.HALT,
    Kind.BALANCE_SHARED: Then.NOTE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not the same on both sides.

    Attributes:
        about: the id of the order or fill, or the asset.
        sentence: for a person, with both values.
        trade: that is to be booked.
        order: that is to be looked up or cancelled.
        is_awaited: it only came before its word, as its order is not over here.
    """

    kind: Kind
    about: str
    sentence: str
    trade: TradeShown | None = None
    order: OrderShown | None = None
    is_awaited: bool = False

    @property
    def then(self) -> Then:
        """What follows from it."""
        return CONSEQUENCES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An order as it is written here.

    Attributes:
        venue_order_id: empty while the venue's own id is not known.
        is_ended: whether it is over here; one whose outcome is unknown is not.
        trades: its fills by their ids.
    """

    request: OrderRequest
    venue_order_id: str
    is_ended: bool
    trades: Mapping[str, TradeShown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a venue shows, read to its end.

    Attributes:
        trades: of the whole account since `since_ms`, others' too.
    """

    open_orders: Sequence[OrderShown]
    trades: Sequence[TradeShown]
    balances: Sequence[BalanceShown]
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How it is compared.

    Attributes:
        dust: by asset what a balance may be off for rounding; nothing where it is not named.
        may_have_others: whether somebody else trades on the account, so that balances may be
            anything: then they are noted and halt nothing.
        swings: by asset how far off a balance may be, down and up, as transfers are under way.
    """

    engine_id: str
    dust: Mapping[str, Decimal] = field(default_factory=dict)
    may_have_others: bool = False
    swings: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)


def reconcile(
    written: Iterable[Written],
    shown: Account,
    expected: Mapping[str, Decimal],
    rules: Rules,
) -> list[Difference]:
    """Compare.

    Args:
        written: all orders that are not over, and those that ended since `shown.since_ms`.
        shown: what the venue says.
        expected: what the books say that we have there, by the venue's names of assets.
        rules: how it is compared.

    Returns:
        All differences: of fills, then of orders, then of balances. As long as fills are to be
        booked first, balances are not compared.
    """
    by_wire_id = {one.request.wire_id: one for one in written}
    by_venue_id = {one.venue_order_id: one for one in by_wire_id.values() if one.venue_order_id}
    for order in shown.open_orders:
        own = by_wire_id.get(order.wire_id)
        if own is not None:
            by_venue_id.setdefault(order.venue_order_id, own)
    fills = list(_fills(by_wire_id, by_venue_id, shown))
    orders = list(_orders(by_wire_id, shown, rules))
    untold = [one.trade for one in fills if one.kind is Kind.FILL_UNTOLD and one.trade is not None]
    balances = list(_balances(shown, expected, untold, rules))
    return [*fills, *orders, *balances]


def _fills(
    by_wire_id: Mapping[str, Written], by_venue_id: Mapping[str, Written], shown: Account
) -> Iterable[Difference]:
    listed: dict[tuple[str, str], TradeShown] = {}
    for trade in shown.trades:
        own = by_wire_id.get(trade.wire_id) or by_venue_id.get(trade.venue_order_id)
        if own is None:
            continue
        key = (own.request.wire_id, trade.trade_id)
        if trade.is_reversal:
            listed.pop(key, None)
            continue
        listed[key] = trade
        known = own.trades.get(trade.trade_id)
        if known is None:
            yield Difference(
                kind=Kind.FILL_UNTOLD,
                about=trade.trade_id,
                sentence=f"the venue lists a fill of {trade.size_base:f} at {trade.price:f} of"
                f" order {own.request.wire_id} that nobody told",
                trade=trade,
                is_awaited=not own.is_ended,
            )
        elif (why := _differs(known, trade)) != "":
            yield Difference(kind=Kind.FILL_OTHER, about=trade.trade_id, sentence=why)
    for own in by_wire_id.values():
        for trade_id, trade in own.trades.items():
            is_covered = trade.at_ms > shown.since_ms
            if is_covered and (own.request.wire_id, trade_id) not in listed:
                yield Difference(
                    kind=Kind.FILL_UNLISTED,
                    about=trade_id,
                    sentence=f"a fill of {trade.size_base:f} at {trade.price:f} is written here,"
                    " and the venue does not list it",
                )


def _differs(known: TradeShown, listed: TradeShown) -> str:
    for name in ("side", "price", "size_base", "fee"):
        here, there = getattr(known, name), getattr(listed, name)
        if here != there:
            return f"{name} of fill {known.trade_id} is {here} here and {there} at the venue"
    return ""


def _orders(
    by_wire_id: Mapping[str, Written], shown: Account, rules: Rules
) -> Iterable[Difference]:
    open_ids = set()
    for order in shown.open_orders:
        own = by_wire_id.get(order.wire_id)
        if own is None:
            yield _not_ours(order, rules)
            continue
        open_ids.add(order.wire_id)
        if why := order.differs_from(own.request):
            yield Difference(kind=Kind.ORDER_OTHER, about=order.wire_id, sentence=why, order=order)
        elif own.is_ended:
            yield Difference(
                kind=Kind.ORDER_OPEN,
                about=order.wire_id,
                sentence=f"order {order.venue_order_id} has ended here and is open at the venue",
                order=order,
            )
    for own in by_wire_id.values():
        if not own.is_ended and own.request.wire_id not in open_ids:
            yield Difference(
                kind=Kind.ORDER_GONE,
                about=own.request.wire_id,
                sentence="an order that is not over here is not open at the venue",
            )


def _not_ours(order: OrderShown, rules: Rules) -> Difference:
    is_own = is_own_id(order.wire_id, engine_id=rules.engine_id)
    kind = Kind.ORPHAN if is_own else Kind.FOREIGN
    whose = "has an id of this engine and is written nowhere" if is_own else "is somebody else's"
    return Difference(
        kind=kind,
        about=order.venue_order_id,
        sentence=f"open order {order.venue_order_id} of {order.wire_name} {whose}",
        order=order,
    )


def _balances(
    shown: Account,
    expected: Mapping[str, Decimal],
    untold: Sequence[TradeShown],
    rules: Rules,
) -> Iterable[Difference]:
    """Compare totals; where fills are still to be booked, only after they are."""
    if untold:
        return
    told = {one.asset: one for one in shown.balances}
    for asset in sorted({*told, *expected}):
        here = expected.get(asset, Decimal(0))
        there = told[asset].total if asset in told else Decimal(0)
        off = there - here
        low, high = rules.swings.get(asset, (Decimal(0), Decimal(0)))
        dust = rules.dust.get(asset, Decimal(0))
        if low - dust <= off <= high + dust:
            continue
        kind = Kind.BALANCE_SHARED if rules.may_have_others else Kind.BALANCE
        yield Difference(
            kind=kind,
            about=asset,
            sentence=f"the venue says {there:f} {asset}, the books {here:f}: {off:+f}",
        )


def worst(differences: Iterable[Difference]) -> Then | None:
    """Return what follows of all differences together; None of none."""
    order = (Then.HALT, Then.CANCEL, Then.LOOK_UP, Then.BOOK, Then.NOTE)
    found = {one.then for one in differences}
    return next((then for then in order if then in found), None)
