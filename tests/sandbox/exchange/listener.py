"""Whoever listens to a user stream: all that a gateway reads of its frames, added up."""

from dataclasses import dataclass, field

from engine.domain.venue_orders import BalanceShown, OrderShown, TradeShown
from engine.gateways.gateway import Gateway, StreamGap, StreamNumber, StreamReady
from engine.sandbox.exchange.exchange import Exchange


@dataclass(slots=True)
class Listener:
    """What was heard.

    Attributes:
        orders: the last that was told of each, by the venue's id, with the most that was filled.
        trades: by their ids.
        balances: the last of each asset.
        gaps: why something was missed; a number that does not follow is one.
    """

    gateway: Gateway
    orders: dict[str, OrderShown] = field(default_factory=dict)
    trades: dict[str, TradeShown] = field(default_factory=dict)
    balances: dict[str, BalanceShown] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    readies: int = 0
    repeats: int = 0
    numbers: dict[str, int] = field(default_factory=dict)

    def hear(self, frame: bytes) -> None:
        """Take a frame."""
        for fact in self.gateway.streamed(frame):
            match fact:
                case StreamReady():
                    self.readies += 1
                case StreamGap(why=why):
                    self.gaps.append(why)
                case StreamNumber(channel=channel, number=number):
                    last = self.numbers.get(channel, number - 1)
                    self.numbers[channel] = number
                    if number != last + 1:
                        self.gaps.append(f"number {number} after {last}")
                case TradeShown():
                    self._trade(fact)
                case OrderShown():
                    self.orders[fact.venue_order_id] = fact
                    for trade in fact.trades:
                        self._trade(trade)
                case BalanceShown():
                    self.balances[fact.asset] = fact

    def _trade(self, trade: TradeShown) -> None:
        if trade.trade_id in self.trades:
            self.repeats += 1
            assert self.trades[trade.trade_id] == trade
        self.trades[trade.trade_id] = trade

    def differences(self, exchange: Exchange) -> list[str]:
        """Say in what the account is another than what was told; nothing if it is the same."""
        wrong = []
        for order in exchange.orders:
            shown = next(
                (one for one in self.orders.values() if str(order.number) in one.venue_order_id),
                None,
            )
            if shown is None or shown.wire_id != order.ordered.client_id:
                wrong.append(f"order {order.number} is not told, or under another id: {shown}")
            elif shown.filled_base != order.filled or shown.stage.is_final == (
                order in exchange.open_orders()
            ):
                wrong.append(f"order {order.number} is {order.state}, {order.filled}: {shown}")
        if self.trades or self.gateway.venue != "coinbase":
            fills = {str(fill.number): fill for fill in exchange.fills}
            told = {name.lstrip("T"): trade for name, trade in self.trades.items()}
            if fills.keys() != told.keys():
                wrong.append(f"fills are {sorted(fills)}, told were {sorted(told)}")
            for name, trade in told.items():
                fill = fills.get(name)
                if fill is not None and (trade.size_base, trade.price, trade.fee) != (
                    fill.size,
                    fill.price,
                    fill.fee,
                ):
                    wrong.append(f"fill {fill} was told as {trade}")
        for asset, balance in self.balances.items():
            is_now = exchange.balances[asset]
            if (balance.free, balance.held) != (is_now.free, is_now.held):
                wrong.append(f"{asset} is {is_now}, told was {balance}")
        return wrong
