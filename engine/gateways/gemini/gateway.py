"""Gemini's private half.

A second send with one id makes a second order, so nothing is sent twice. Each call has a number
that has to be above all before it: once a later call was answered, an earlier one that is still on
its way can no longer be taken, except that a few over the limit are queued; so the pace is far
below it. A trade may be broken afterwards, and is taken back then.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from engine.domain.opportunities import Side
from engine.domain.venue_orders import (
    BalanceShown,
    FeeShown,
    KeyRights,
    OrderRequest,
    OrderShown,
    TimeInForce,
    TradeShown,
)
from engine.gateways.answers import (
    UNREADABLE,
    CancelAnswer,
    CancelTaken,
    CancelVain,
    Found,
    LookUpAnswer,
    NotFound,
    NotPlaced,
    Page,
    PlaceAnswer,
    Placed,
    Stop,
    Unclear,
    unclear,
)
from engine.gateways.calls import Call, CallKind
from engine.gateways.gateway import (
    DeadMan,
    Pace,
    ProofRules,
)
from engine.gateways.gemini.messages import (
    BalanceBody,
    Error,
    OrderBody,
    Roles,
    TradePart,
    Volume,
)
from engine.gateways.gemini.orders import (
    balance_of,
    order_of,
    trade_of,
)
from engine.gateways.gemini.stream import VENUE, GeminiStream
from engine.gateways.wire import STATUS_OK, decoded, plain, read

_PAGE: Final = 500
_BPS: Final = 10_000
_MS_PER_S: Final = 1_000

_SIDES: Final = {Side.BUY: "buy", Side.SELL: "sell"}

_OPTIONS: Final = {
    TimeInForce.IMMEDIATE_OR_CANCEL: "immediate-or-cancel",
    TimeInForce.FILL_OR_KILL: "fill-or-kill",
    TimeInForce.POST_ONLY: "maker-or-cancel",
}

_REFUSALS: Final[Mapping[tuple[int, str], Stop | None]] = {
    (406, "InsufficientFunds"): None,
    (503, "Maintenance"): Stop.MAINTENANCE,
    (403, "MissingRole"): Stop.KEY,
    (403, "RemoteAddressForbidden"): Stop.KEY,
    (400, "RemoteAddressForbidden"): Stop.KEY,
    (400, "InvalidSignature"): Stop.KEY,
    (400, "MissingRole"): Stop.KEY,
    **{
        (400, reason): None
        for reason in (
            "InvalidPrice",
            "InvalidQuantity",
            "InvalidSide",
            "InvalidSymbol",
            "InvalidOrderType",
            "ConflictingOptions",
            "UnsupportedOption",
            "MissingOrderField",
            "ClientOrderIdTooLong",
            "ClientOrderIdMustBeString",
            "InvalidNonce",
            "MarketNotOpen",
            "MarketClosed",
        )
    },
}
_NO_SUCH_ORDER: Final = (404, "OrderNotFound")


class GeminiGateway(GeminiStream):
    """Obeys `Gateway`."""

    venue = VENUE
    rules = ProofRules(
        is_replay_harmless=False,
        is_fenced=True,
        # A number that is the time is refused when it is 30 s off; a clock may be off by as much.
        late_ms_max=60_000,
        lag_ms_max=2_000,
        shows_closed=True,
    )
    # 600 calls a minute, and more than five at once are queued, which would break the fence.
    pace = Pace(weight_per_s=4.0, weight_burst=4.0, orders_per_s=2.0, orders_burst=2.0)

    @property
    def dead_man(self) -> DeadMan | None:
        """See `Gateway.dead_man`; the key has to be made with it."""
        return DeadMan(renew_s=12.0, fires_s=30.0, call=self._heartbeat)

    def place(self, request: OrderRequest) -> Call:
        """See `Gateway.place`."""
        return self._call(
            CallKind.PLACE,
            "/v1/order/new",
            {
                "client_order_id": request.wire_id,
                "symbol": request.wire_name,
                "amount": plain(request.size_base),
                "price": plain(request.price_limit),
                "side": _SIDES[request.side],
                "type": "exchange limit",
                "options": [_OPTIONS[request.time_in_force]],
            },
        )

    def placed(self, request: OrderRequest, status: int, body: bytes) -> PlaceAnswer:
        """See `Gateway.placed`; the answer has the order's totals, and the fills elsewhere."""
        if status != STATUS_OK:
            error = _error(body)
            if error is None or (status, error.reason) not in _REFUSALS:
                return unclear(status, body)
            stop = _REFUSALS[status, error.reason]
            return NotPlaced(code=error.reason, why=error.message or error.reason, stop=stop)
        order = decoded(body, OrderBody)
        if order is None:
            return unclear(status, body, "another shape")
        try:
            shown = order_of(order)
        except UNREADABLE as error:
            return unclear(status, body, str(error))
        difference = shown.differs_from(request)
        return Unclear(why=difference) if difference else Placed(shown=shown)

    def cancel(self, request: OrderRequest, venue_order_id: str) -> Call | None:  # noqa: ARG002
        """See `Gateway.cancel`; it takes its own id alone."""
        if not venue_order_id:
            return None
        return self._call(CallKind.CANCEL, "/v1/order/cancel", {"order_id": venue_order_id})

    def cancelled(self, status: int, body: bytes) -> CancelAnswer:
        """See `Gateway.cancelled`; one that has ended is answered as one that was cancelled."""
        if status == STATUS_OK and decoded(body, OrderBody) is not None:
            return CancelTaken()
        error = _error(body)
        if error is not None and (status, error.reason) == _NO_SUCH_ORDER:
            return CancelVain(why=error.reason)
        return unclear(status, body)

    def look_ups(
        self, request: OrderRequest, venue_order_id: str, made_since_ms: int
    ) -> Sequence[Call]:
        """See `Gateway.look_ups`: by our id, and among the orders of the time."""
        by_id = self._call(
            CallKind.LOOK_UP,
            "/v1/order/status",
            {"client_order_id": request.wire_id, "include_trades": True},
        )
        if venue_order_id:
            return (by_id,)
        history = {
            "symbol": request.wire_name,
            "timestamp": max(made_since_ms // _MS_PER_S - 1, 0),
            "limit_orders": _PAGE,
        }
        return (by_id, self._call(CallKind.ORDERS, "/v1/orders/history", history))

    def looked_up(
        self, request: OrderRequest, call: Call, status: int, body: bytes
    ) -> LookUpAnswer:
        """See `Gateway.looked_up`; by our id the answer is an order, or a list of them."""
        error = _error(body)
        if error is not None and (status, error.reason) == _NO_SUCH_ORDER:
            return NotFound()
        page = self.orders_page(call, status, body)
        if isinstance(page, Unclear):
            return page
        ours = tuple(one for one in page.items if one.wire_id == request.wire_id)
        if not ours and len(page.items) >= _PAGE:
            return unclear(status, b"", "more orders than one page shows")
        return Found(orders=ours) if ours else NotFound()

    def open_orders(self, following: str = "") -> Call:  # noqa: ARG002
        """See `Gateway.open_orders`; there is one page."""
        return self._call(CallKind.OPEN_ORDERS, "/v1/orders", {})

    def orders_page(
        self,
        call: Call,  # noqa: ARG002
        status: int,
        body: bytes,
    ) -> Page[OrderShown] | Unclear:
        """See `Gateway.orders_page`."""

        def page(told: list[OrderBody]) -> Page[OrderShown]:
            return Page(items=tuple(map(order_of, told)))

        # By our id it may be one without a list around it.
        listed = b"[%s]" % body if body.startswith(b"{") else body
        return read(status, listed, list[OrderBody], page)

    def trades(self, wire_name: str, since_ms: int, following: str = "") -> Call:
        """See `Gateway.trades`; `following` is the second from which on they are listed."""
        since_s = int(following) if following else max(since_ms // _MS_PER_S, 0)
        fields = {"symbol": wire_name, "limit_trades": _PAGE, "timestamp": since_s}
        return self._call(CallKind.TRADES, "/v1/mytrades", fields)

    def trades_page(self, status: int, body: bytes) -> Page[TradeShown] | Unclear:
        """See `Gateway.trades_page`; the next page begins in the second in which this one ends."""

        def page(told: list[TradePart]) -> Page[TradeShown]:
            following = ""
            if len(told) >= _PAGE:
                first_s, last_s = (
                    pick(one.timestampms for one in told) // _MS_PER_S for pick in (min, max)
                )
                if first_s == last_s:
                    raise ValueError("more trades in a second than one page shows")
                following = str(last_s)
            return Page(items=tuple(map(trade_of, told)), following=following)

        return read(status, body, list[TradePart], page)

    def balances(self, following: str = "") -> Call:  # noqa: ARG002
        """See `Gateway.balances`; there is one page."""
        return self._call(CallKind.BALANCES, "/v1/balances", {})

    def balances_page(self, status: int, body: bytes) -> Page[BalanceShown] | Unclear:
        """See `Gateway.balances_page`."""

        def page(told: list[BalanceBody]) -> Page[BalanceShown]:
            return Page(items=tuple(map(balance_of, told)))

        return read(status, body, list[BalanceBody], page)

    def fees(self, wire_names: Sequence[str]) -> Sequence[Call]:  # noqa: ARG002
        """See `Gateway.fees`; one tier for all."""
        return (self._call(CallKind.FEES, "/v1/notionalvolume", {}),)

    def fees_told(self, status: int, body: bytes) -> Sequence[FeeShown] | Unclear:
        """See `Gateway.fees_told`."""

        def fee(told: Volume) -> Sequence[FeeShown]:
            return (
                FeeShown(
                    maker_ratio=told.api_maker_fee_bps / _BPS,
                    taker_ratio=told.api_taker_fee_bps / _BPS,
                ),
            )

        return read(status, body, Volume, fee)

    def rights(self) -> Call | None:
        """See `Gateway.rights`."""
        return self._call(CallKind.RIGHTS, "/v1/roles", {})

    def rights_told(self, status: int, body: bytes) -> KeyRights | Unclear:
        """See `Gateway.rights_told`."""

        def rights(told: Roles) -> KeyRights:
            return KeyRights(
                may_read=True, may_trade=told.is_trader, may_withdraw=told.is_fund_manager
            )

        return read(status, body, Roles, rights)

    def _heartbeat(self) -> Call:
        return self._call(CallKind.KEEP_ALIVE, "/v1/heartbeat", {})

    def _call(self, kind: CallKind, path: str, fields: Mapping[str, object]) -> Call:
        return Call(venue=VENUE, kind=kind, method="POST", path=path, fields=fields)


def _error(body: bytes) -> Error | None:
    error = decoded(body, Error)
    return error if error is not None and error.result == "error" else None
