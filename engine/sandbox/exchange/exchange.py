"""One account at one exchange: its balances, its orders in the book, and what they were filled for.

The books play recordings and do not know of the account. What an order took of a level stays taken
until the level changes, so that the same liquidity is not had twice. All is exact; money is neither
made nor lost but by fees.
"""

import copy
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from engine.sandbox.exchange.fees import fee_of, worst_fee
from engine.sandbox.exchange.model import (
    Assets,
    Balance,
    Books,
    Change,
    ChangeKind,
    ClientIds,
    FeeFrom,
    Fill,
    Life,
    Market,
    Ordered,
    OwnOrder,
    Reason,
    Refused,
    State,
    VenueTerms,
)


class Exchange:
    """The account.

    Attributes:
        balances: by asset.
        orders: all ever made, in the order of their numbers.
        fills: all fills, in the order in which they happened.
        changed: what happened since somebody took it out of here, for the user stream.
    """

    def __init__(self, terms: VenueTerms, books: Books, balances: Assets) -> None:
        self.terms = terms
        self.balances = {asset: Balance(free=amount) for asset, amount in balances.items()}
        self.orders: list[OwnOrder] = []
        self.fills: list[Fill] = []
        self.changed: list[Change] = []
        self._open: dict[int, OwnOrder] = {}
        self._books = books
        self._taken: dict[tuple[str, bool, Decimal], tuple[Decimal, Decimal]] = {}

    # ---- what is asked

    def place(
        self, ordered: Ordered, at_ms: int, *, is_foreign: bool = False
    ) -> OwnOrder | Refused:
        """Take an order, or say why not; what can meet the book does so at once."""
        again = self._again(ordered)
        if again is not None:
            return again
        market = self._books.market(ordered.wire_name)
        why = Reason.INSTRUMENT if market is None else _refusal(market, ordered)
        if market is None or why is not None:
            return Refused(why or Reason.INSTRUMENT)
        gives = market.quote if ordered.is_buy else market.base
        worst = self._worst(ordered)
        balance = self.balances.setdefault(gives, Balance())
        if balance.free < worst:
            return Refused(Reason.FUNDS)
        order = OwnOrder(
            number=self.terms.first_number + len(self.orders),
            ordered=ordered,
            market=market,
            made_at_ms=at_ms,
            changed_at_ms=at_ms,
            held=worst,
            is_foreign=is_foreign,
        )
        balance.free -= worst
        balance.held += worst
        self.orders.append(order)
        self._open[order.number] = order
        self._tell(ChangeKind.MADE, order, market, at_ms)
        self._meet(order, market, at_ms)
        return order

    def cancel(self, order: OwnOrder, at_ms: int) -> bool:
        """Cancel an order; one that has ended stays as it is."""
        if order.state is not State.OPEN:
            return False
        self._end(order, State.CANCELLED, at_ms)
        return True

    def cancel_all(self, at_ms: int) -> int:
        """Cancel all that is open; return how many that were."""
        return sum(self.cancel(order, at_ms) for order in self.open_orders())

    def open_orders(self) -> list[OwnOrder]:
        """Return what is open."""
        return list(self._open.values())

    def by_number(self, number: int) -> OwnOrder | None:
        """Return an order by its number."""
        index = number - self.terms.first_number
        return self.orders[index] if 0 <= index < len(self.orders) else None

    def by_client_id(self, client_id: str) -> list[OwnOrder]:
        """Return all orders with an id of the client."""
        return [order for order in self.orders if order.ordered.client_id == client_id]

    def market_of(self, order: OwnOrder) -> Market:
        """Return the instrument of an order as it was when that was taken."""
        return order.market

    def market(self, wire_name: str) -> Market | None:
        """Return an instrument."""
        return self._books.market(wire_name)

    def best_ask(self, wire_name: str) -> Decimal | None:
        """Return the best price at which an instrument can be bought now."""
        return next((price for price, _ in self._books.levels(wire_name, asks=True)), None)

    def rests(self, wire_name: str) -> bool:
        """Say whether anything of an instrument rests."""
        folded = wire_name.casefold()
        return any(one.ordered.wire_name.casefold() == folded for one in self._open.values())

    def advance(self, at_ms: int) -> None:
        """Let what rests meet the books as they are now."""
        for order in self.open_orders():
            market = self._books.market(order.ordered.wire_name)
            if market is not None and market.is_open:
                self._fill_resting(order, market, at_ms)

    # ---- what others do

    def pay(self, asset: str, amount: Decimal, at_ms: int) -> None:
        """Let somebody pay in, or out if below 0: no more than what is free then."""
        balance = self.balances.setdefault(asset, Balance())
        moved = max(amount, -balance.free)
        balance.free += moved
        self._moved(asset, moved, at_ms)

    def reverse(self, fill: Fill, at_ms: int) -> None:
        """Take a fill back, with its fee; what it gave is taken even if it was spent meanwhile."""
        order = self.by_number(fill.order_number)
        if order is None or fill.is_reversed:
            return
        market = self.market_of(order)
        sign = 1 if order.ordered.is_buy else -1
        back = {market.base: -sign * fill.size, market.quote: sign * fill.size * fill.price}
        back[fill.fee_asset] = back.get(fill.fee_asset, Decimal(0)) + fill.fee
        undone = replace(fill, is_reversed=True)
        for fills in (self.fills, order.fills):
            fills[fills.index(fill)] = undone
        for asset, amount in back.items():
            self.balances.setdefault(asset, Balance()).free += amount
            self._moved(asset, amount, at_ms)

    def frozen(self) -> "Exchange":
        """Return the account as it is now, which nothing changes any more."""
        still = Exchange(self.terms, self._books, {})
        still.balances = {asset: copy.copy(one) for asset, one in self.balances.items()}
        still.orders = [replace(one, fills=list(one.fills)) for one in self.orders]
        still.fills = list(self.fills)
        still._open = {one.number: one for one in still.orders if one.state is State.OPEN}
        return still

    # ---- the book

    def _again(self, ordered: Ordered) -> OwnOrder | Refused | None:
        rule = self.terms.client_ids
        earlier = self.by_client_id(ordered.client_id) if ordered.client_id else []
        if not earlier or rule is ClientIds.TAKEN:
            return None
        if rule is ClientIds.ANSWERED:
            return earlier[0]
        if rule is ClientIds.REFUSED or any(one.state is State.OPEN for one in earlier):
            return Refused(Reason.DUPLICATE)
        return None

    def _meet(self, order: OwnOrder, market: Market, at_ms: int) -> None:
        ordered = order.ordered
        reachable = list(self._reachable(order))
        if ordered.life is Life.MAKER_ONLY:
            if reachable:
                self._end(order, State.CANCELLED, at_ms)
            return
        if ordered.life is Life.WHOLE_OR_NOT:
            there = sum((size for _, size in reachable), start=Decimal(0))
            if there < ordered.size:
                self._end(order, State.EXPIRED, at_ms)
                return
        for price, size in reachable:
            take = min(size, order.left)
            if take <= 0:
                break
            self._take(ordered, price, take)
            self._fill(order, market, (price, take), at_ms, is_maker=False)
        if order.state is State.OPEN and ordered.life is not Life.UNTIL_CANCELLED:
            self._end(order, State.EXPIRED, at_ms)

    def _reachable(self, order: OwnOrder) -> Iterator[tuple[Decimal, Decimal]]:
        ordered = order.ordered
        for price, size in self._books.levels(ordered.wire_name, asks=ordered.is_buy):
            is_beyond = price > ordered.price if ordered.is_buy else price < ordered.price
            if is_beyond:
                return
            left = size - self._taken_of(ordered, price, size)
            if left > 0:
                yield price, left

    def _taken_of(self, ordered: Ordered, price: Decimal, size: Decimal) -> Decimal:
        """Return what was taken of a level as it is; a level that changed is a new one."""
        was, taken = self._taken.get((ordered.wire_name, ordered.is_buy, price), (size, Decimal(0)))
        return taken if was == size else Decimal(0)

    def _take(self, ordered: Ordered, price: Decimal, take: Decimal) -> None:
        key = (ordered.wire_name, ordered.is_buy, price)
        levels = self._books.levels(ordered.wire_name, asks=ordered.is_buy)
        size = next(one for at, one in levels if at == price)
        self._taken[key] = (size, self._taken_of(ordered, price, size) + take)

    def _fill_resting(self, order: OwnOrder, market: Market, at_ms: int) -> None:
        for price, size in list(self._reachable(order)):
            take = min(size, order.left)
            if take <= 0:
                break
            self._take(order.ordered, price, take)
            # It was there first: it is filled at its own price.
            self._fill(order, market, (order.ordered.price, take), at_ms, is_maker=True)

    # ---- money

    def _worst(self, ordered: Ordered) -> Decimal:
        """Return the most that an order may take, its fee included."""
        if not ordered.is_buy:
            return ordered.size
        notional = ordered.size * ordered.price
        if self.terms.fee_from is FeeFrom.RECEIVED:
            return notional
        return notional + worst_fee(notional, self.terms)

    def _fill(
        self,
        order: OwnOrder,
        market: Market,
        what: tuple[Decimal, Decimal],
        at_ms: int,
        *,
        is_maker: bool,
    ) -> None:
        price, size = what
        ordered, terms = order.ordered, self.terms
        notional = price * size
        fee, fee_asset = fee_of(what, ordered, market, terms, self.balances, is_maker=is_maker)
        fill = Fill(
            number=terms.first_number + len(self.fills),
            order_number=order.number,
            price=price,
            size=size,
            fee=fee,
            fee_asset=fee_asset,
            at_ms=at_ms,
            is_maker=is_maker,
        )
        order.fills.append(fill)
        self.fills.append(fill)
        base = self.balances.setdefault(market.base, Balance())
        quote = self.balances.setdefault(market.quote, Balance())
        gives, takes = (quote, base) if ordered.is_buy else (base, quote)
        given, taken = (notional, size) if ordered.is_buy else (size, notional)
        is_of_given = ordered.is_buy and fee_asset == market.quote
        given += fee if is_of_given else 0
        gives.held -= given
        order.held -= given
        takes.free += taken
        if not is_of_given:  # from what was received, or from a third asset
            self.balances[fee_asset].free -= fee
        order.changed_at_ms = at_ms
        self._tell(ChangeKind.FILLED, order, market, at_ms, fill=fill)
        if order.left <= 0:
            self._end(order, State.FILLED, at_ms)

    def _end(self, order: OwnOrder, state: State, at_ms: int) -> None:
        market = self.market_of(order)
        gives = market.quote if order.ordered.is_buy else market.base
        balance = self.balances[gives]
        balance.held -= order.held
        balance.free += order.held
        order.held = Decimal(0)
        order.state = state
        order.changed_at_ms = at_ms
        del self._open[order.number]
        self._tell(ChangeKind.ENDED, order, market, at_ms)

    # ---- what is told

    def _tell(
        self,
        kind: ChangeKind,
        order: OwnOrder,
        market: Market,
        at_ms: int,
        *,
        fill: Fill | None = None,
    ) -> None:
        self.changed.append(
            Change(
                kind=kind,
                at_ms=at_ms,
                order=order,
                fill=fill,
                state=order.state,
                filled=order.filled,
                balances=self._now(*_touched(market, fill)),
            )
        )

    def _moved(self, asset: str, amount: Decimal, at_ms: int) -> None:
        self.changed.append(
            Change(
                kind=ChangeKind.MOVED,
                at_ms=at_ms,
                moved=(asset, amount),
                balances=self._now(asset),
            )
        )

    def _now(self, *assets: str) -> dict[str, tuple[Decimal, Decimal]]:
        balances = {asset: self.balances.setdefault(asset, Balance()) for asset in assets}
        return {asset: (one.free, one.held) for asset, one in balances.items()}


def _refusal(market: Market, ordered: Ordered) -> Reason | None:
    """Say which rule of the instrument an order breaks, if any."""
    if not market.is_open:
        return Reason.CLOSED
    if ordered.size <= 0 or ordered.size % market.lot or ordered.size < market.size_min:
        return Reason.SIZE
    if ordered.price <= 0 or ordered.price % market.tick:
        return Reason.PRICE
    if ordered.size * ordered.price < market.notional_min:
        return Reason.NOTIONAL
    return None


def _touched(market: Market, fill: Fill | None) -> list[str]:
    assets = [market.base, market.quote]
    if fill is not None and fill.fee_asset not in assets:
        assets.append(fill.fee_asset)
    return assets
