"""What is known of an order, as it is kept on disk, and what is told of it with each new fact."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.exact import exact_product, exact_sum
from engine.domain.instruments import Instrument
from engine.domain.opportunities import Side
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import FillTold, OrderFate, OrderNews
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import OrderShown, Stage, TradeShown
from engine.gateways.asset_names import asset_of
from engine.trading.acts import Told

_FATES: Final = {
    Stage.FILLED: OrderFate.FILLED,
    Stage.CANCELLED: OrderFate.CANCELLED,
    Stage.EXPIRED: OrderFate.EXPIRED,
    Stage.REFUSED: OrderFate.REFUSED,
}


class KeptOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of an order that was handed over.

    Attributes:
        is_open: something is still to be asked of its venue, or may still leave.
        stage: where the venue shows it; None where it shows none, or nothing is known.
        trades: all that were ever shown; `reversed_ids` of those that were taken back.
        news: that were told last, None before anything was.
        unknown_since_ns: since when nobody knows what became of it (wall clock); 0 if that is
            known.
    """

    client_order_id: str
    is_open: bool = True
    stage: Stage | None = None
    trades: tuple[TradeShown, ...] = ()
    reversed_ids: tuple[str, ...] = ()
    news: OrderNews | None = None
    unknown_since_ns: int = 0

    @property
    def standing(self) -> tuple[TradeShown, ...]:
        """Its trades but those that were taken back."""
        return tuple(one for one in self.trades if one.trade_id not in self.reversed_ids)

    @property
    def is_absent(self) -> bool:
        """Whether it is proven that there is no such order."""
        absent = {OrderFate.NEVER, OrderFate.REFUSED}
        return self.news is not None and self.news.fate in absent and self.stage is None

    @property
    def is_ended(self) -> bool:
        """Whether its end and all that it was filled for are known."""
        return self.news is not None and self.news.fate.is_final

    @property
    def version(self) -> int:
        """Of the next news."""
        return 1 if self.news is None else self.news.version + 1


def taken_on(handed: HandedOrder) -> KeptOrder:
    """Return what is known of an order that may leave from now on."""
    return KeptOrder(client_order_id=handed.client_order_id)


def instrument_of(handed: HandedOrder) -> Instrument:
    """Return what an order trades."""
    return handed.plan.legs[handed.leg].instrument


def learned(handed: HandedOrder, kept: KeptOrder, told: Told, *, now_ns: int) -> KeptOrder:
    """Return what is known of an order after its proof told something that is there."""
    assert told.stage is not None
    trades = {one.trade_id: one for one in kept.trades}
    reversed_ids = dict.fromkeys(kept.reversed_ids)
    for trade in told.trades:
        if not trade.is_reversal:
            trades.setdefault(trade.trade_id, trade)
        elif trade.trade_id in trades:
            reversed_ids[trade.trade_id] = None
    now = msgspec.structs.replace(
        kept,
        stage=told.stage,
        trades=tuple(trades.values()),
        reversed_ids=tuple(reversed_ids),
        unknown_since_ns=0,
    )
    known_base = exact_sum(one.size_base for one in now.standing)
    filled_base = max(known_base, told.filled_base or Decimal(0))
    news = OrderNews(
        client_order_id=handed.client_order_id,
        venue=handed.venue,
        version=kept.version,
        fate=_fate(now, is_whole=known_base >= filled_base, is_traded=filled_base > 0),
        venue_order_id=told.venue_order_id or _venue_order_id(kept),
        fills=tuple(_fills(handed, now, now_ns)),
        filled_base=filled_base,
        why=told.why,
    )
    return _with(now, news)


def absent(kept: KeptOrder, handed: HandedOrder, fate: OrderFate, why: str) -> KeptOrder:
    """Return what is known of an order of which it is proven that there is none."""
    news = OrderNews(
        client_order_id=handed.client_order_id,
        venue=handed.venue,
        version=kept.version,
        fate=fate,
        why=why,
    )
    return _with(msgspec.structs.replace(kept, is_open=False, unknown_since_ns=0), news)


def unknown(kept: KeptOrder, handed: HandedOrder, why: str, *, now_ns: int) -> KeptOrder:
    """Return what is known of an order of which nobody knows what became of it."""
    news = OrderNews(
        client_order_id=handed.client_order_id,
        venue=handed.venue,
        version=kept.version,
        fate=OrderFate.UNKNOWN,
        why=why,
    )
    since_ns = kept.unknown_since_ns or now_ns
    return _with(msgspec.structs.replace(kept, unknown_since_ns=since_ns), news)


def shown_of(handed: HandedOrder, kept: KeptOrder) -> OrderShown:
    """Return an order that is known to exist as its venue showed it, before anything was reversed.

    So what follows an order takes up what is known of it after a restart.
    """
    assert kept.stage is not None
    news = kept.news
    back = [one for one in kept.trades if one.trade_id in kept.reversed_ids]
    filled_base = Decimal(0) if news is None else news.filled_base
    return OrderShown(
        venue_order_id=_venue_order_id(kept),
        wire_id=handed.request.wire_id,
        wire_name="",
        side=handed.request.side,
        stage=kept.stage,
        filled_base=exact_sum((filled_base, *(one.size_base for one in back))),
        trades=kept.trades,
    )


def reversals_of(kept: KeptOrder) -> Iterator[TradeShown]:
    """Return what was taken back."""
    for trade in kept.trades:
        if trade.trade_id in kept.reversed_ids:
            yield msgspec.structs.replace(trade, is_reversal=True)


def turned(handed: HandedOrder, trades: Iterable[TradeShown]) -> dict[AssetCode, Decimal]:
    """Return what trades of an order changed of what we have at its venue, by asset."""
    pair = instrument_of(handed).pair
    changes: dict[AssetCode, Decimal] = {}
    for one in trades:
        notional, size = exact_product(one.price, one.size_base), one.size_base
        is_buy = one.side is Side.BUY
        for asset, amount in (
            (pair.base, size if is_buy else size.copy_negate()),
            (pair.quote, notional.copy_negate() if is_buy else notional),
            (_fee_asset(handed, one), one.fee.copy_negate()),
        ):
            changes[asset] = exact_sum((changes.get(asset, Decimal(0)), amount))
    return changes


def _fate(now: KeptOrder, *, is_whole: bool, is_traded: bool) -> OrderFate:
    assert now.stage is not None
    if now.stage.is_final and is_whole:
        return OrderFate.REVERSED if now.reversed_ids else _FATES[now.stage]
    return OrderFate.TRADED if is_traded else OrderFate.ACCEPTED


def _fills(handed: HandedOrder, now: KeptOrder, now_ns: int) -> Iterator[FillTold]:
    # What was told once is told the same again.
    heard = {} if now.news is None else {one.fill_id: one.filled_at_ns for one in now.news.fills}
    for trade in now.standing:
        at_ns = heard.get(trade.trade_id, now_ns)
        yield FillTold(
            fill_id=trade.trade_id,
            filled_at_ns=trade.at_ms * NS_PER_MS or at_ns,
            price=trade.price,
            size_base=trade.size_base,
            fee=trade.fee,
            fee_asset=_fee_asset(handed, trade),
        )


def _fee_asset(handed: HandedOrder, trade: TradeShown) -> AssetCode:
    """Return in what a fee is paid; a venue that does not say takes it in the quote asset."""
    if not trade.fee_asset:
        return instrument_of(handed).pair.quote
    return asset_of(handed.venue, trade.fee_asset)


def _venue_order_id(kept: KeptOrder) -> str:
    return "" if kept.news is None else kept.news.venue_order_id


def _with(kept: KeptOrder, news: OrderNews) -> KeptOrder:
    """Return it with news, unless the very same was told before."""
    before = kept.news
    if before is not None and msgspec.structs.replace(news, version=before.version) == before:
        return kept
    return msgspec.structs.replace(kept, news=news)
