"""Binance spot's private half: rest-api.md, errors.md, user-data-stream.md (2026-07).

An id of ours is unique among open orders alone: an immediate order has usually ended by the time of
a second send, which would make a second one. So nothing is sent twice.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

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
from engine.gateways.binance.messages import (
    Account,
    Commission,
    Error,
    OrderAnswer,
    Restrictions,
    Trade,
)
from engine.gateways.binance.orders import balance_of, order_of, trade_of
from engine.gateways.binance.stream import RECV_WINDOW_MS, VENUE, BinanceStream
from engine.gateways.calls import Call, CallKind
from engine.gateways.gateway import DeadMan, Pace, ProofRules
from engine.gateways.wire import STATUS_OK, decoded, plain, read

_PROCESSING_MS_MAX: Final = 10_000
"""After so long within the venue a call is given up."""

_PAGE: Final = 1_000
_ORDINARY: Final = "BTCUSDT"
"""Of the fees of most pairs: those of some stable coins are cheaper, and no word for the others."""


_SIDES: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}

_NOT_PLACED: Final = frozenset({-1003, -1013, -1014, -1015, -1020, -1021, -1022, -2014, -2015})
_NOT_PLACED_HUNDREDS: Final = range(-1199, -1099)
_REJECTED: Final = -2010
_DUPLICATE: Final = "Duplicate order sent."
_UNKNOWN_ORDER: Final = -2011
_NO_SUCH_ORDER: Final = -2013
_STOPS: Final[Mapping[int, Stop]] = {-2014: Stop.KEY, -2015: Stop.KEY, -1002: Stop.KEY}
_ACCOUNT_BARRED: Final = "This action is disabled on this account."
_STATUS_BANNED: Final = 418
_STATUS_REFUSED: Final = frozenset({400, 401, 403, 409, 429})
_STATUS_BAD_REQUEST: Final = 400

_READ_ERROR = msgspec.json.Decoder(Error)


class BinanceGateway(BinanceStream):
    """Obeys `Gateway`."""

    venue = VENUE
    rules = ProofRules(
        is_replay_harmless=False,
        is_fenced=False,
        late_ms_max=RECV_WINDOW_MS + 1_000 + _PROCESSING_MS_MAX,
        lag_ms_max=2_000,
        shows_closed=True,
    )
    # 6,000 weight a minute for one address; market data spends 45 of the 100 a second.
    pace = Pace(weight_per_s=40.0, weight_burst=600.0, orders_per_s=5.0, orders_burst=25.0)

    @property
    def dead_man(self) -> DeadMan | None:
        """See `Gateway.dead_man`; there is none on spot."""
        return None

    def place(self, request: OrderRequest) -> Call:
        """See `Gateway.place`."""
        fields: dict[str, object] = {"symbol": request.wire_name, "side": _SIDES[request.side]}
        if request.time_in_force is TimeInForce.POST_ONLY:
            fields["type"] = "LIMIT_MAKER"
        else:
            fields |= {"type": "LIMIT", "timeInForce": request.time_in_force.upper()}
        return self._call(
            CallKind.PLACE,
            "POST",
            "/api/v3/order",
            1.0,
            fields
            | {
                "quantity": plain(request.size_base),
                "price": plain(request.price_limit),
                "newClientOrderId": request.wire_id,
                "newOrderRespType": "FULL",
                # Two of our own orders never trade with each other: the later one goes.
                "selfTradePreventionMode": "EXPIRE_TAKER",
            },
        )

    def placed(self, request: OrderRequest, status: int, body: bytes) -> PlaceAnswer:
        """See `Gateway.placed`."""
        if status == STATUS_OK:
            return _placed(request, body)
        error = _error(body)
        if status == _STATUS_BANNED:
            return Unclear(why="status 418: this address is banned", stop=Stop.BANNED)
        if error is None or status not in _STATUS_REFUSED:
            return unclear(status, body)
        stop = Stop.ACCOUNT if error.msg == _ACCOUNT_BARRED else _STOPS.get(error.code)
        if error.code == _REJECTED and error.msg == _DUPLICATE:
            return Unclear(why=error.msg, exists=True)
        is_definite = (
            error.code in _NOT_PLACED
            or error.code in _NOT_PLACED_HUNDREDS
            or error.code == _REJECTED
        )
        if not is_definite:
            return Unclear(why=f"{error.code}: {error.msg}", stop=stop)
        return NotPlaced(code=str(error.code), why=error.msg, stop=stop)

    def cancel(self, request: OrderRequest, venue_order_id: str) -> Call | None:
        """See `Gateway.cancel`; it takes our own id, too."""
        own = {"orderId": venue_order_id} if venue_order_id else {
            "origClientOrderId": request.wire_id
        }  # fmt: skip
        fields = {"symbol": request.wire_name, **own}
        return self._call(CallKind.CANCEL, "DELETE", "/api/v3/order", 1.0, fields)

    def cancelled(self, status: int, body: bytes) -> CancelAnswer:
        """See `Gateway.cancelled`."""
        if status == STATUS_OK and decoded(body, OrderAnswer) is not None:
            return CancelTaken()
        error = _error(body)
        if error is not None and error.code == _UNKNOWN_ORDER and status == _STATUS_BAD_REQUEST:
            return CancelVain(why=error.msg)
        return unclear(status, body)

    def look_ups(
        self, request: OrderRequest, venue_order_id: str, made_since_ms: int
    ) -> Sequence[Call]:
        """See `Gateway.look_ups`; trades are listed by the venue's own id once that is known."""
        order = self._call(
            CallKind.LOOK_UP,
            "GET",
            "/api/v3/order",
            4.0,
            {"symbol": request.wire_name, "origClientOrderId": request.wire_id},
        )
        if not venue_order_id:
            return (order, self._orders(request.wire_name, made_since_ms))
        trades = {"symbol": request.wire_name, "orderId": venue_order_id, "limit": _PAGE}
        return (order, self._call(CallKind.TRADES, "GET", "/api/v3/myTrades", 5.0, trades))

    def looked_up(
        self, request: OrderRequest, call: Call, status: int, body: bytes
    ) -> LookUpAnswer:
        """See `Gateway.looked_up`."""
        error = _error(body)
        if status == _STATUS_BAD_REQUEST and error is not None and error.code == _NO_SUCH_ORDER:
            return NotFound()
        if call.kind is CallKind.LOOK_UP:
            shown = read(status, body, OrderAnswer, order_of)
            return shown if isinstance(shown, Unclear) else Found(orders=(shown,))
        if call.kind is CallKind.TRADES:
            fills = self.trades_page(status, body)
            return fills if isinstance(fills, Unclear) else Found(orders=(), trades=fills.items)
        page = self.orders_page(call, status, body)
        if isinstance(page, Unclear):
            return page
        ours = tuple(one for one in page.items if one.wire_id == request.wire_id)
        # A full page may have more behind it, so it proves no absence.
        if page.following and not ours:
            return unclear(status, b"", "more orders than one page shows")
        return Found(orders=ours) if ours else NotFound()

    def open_orders(self, following: str = "") -> Call:  # noqa: ARG002
        """See `Gateway.open_orders`; there is one page."""
        return self._call(CallKind.OPEN_ORDERS, "GET", "/api/v3/openOrders", 80.0, {})

    def orders_page(self, call: Call, status: int, body: bytes) -> Page[OrderShown] | Unclear:
        """See `Gateway.orders_page`."""

        def page(answers: list[OrderAnswer]) -> Page[OrderShown]:
            is_full = call.kind is CallKind.ORDERS and len(answers) >= _PAGE
            following = str(answers[-1].order_id + 1) if is_full else ""
            return Page(items=tuple(map(order_of, answers)), following=following)

        return read(status, body, list[OrderAnswer], page)

    def trades(self, wire_name: str, since_ms: int, following: str = "") -> Call:
        """See `Gateway.trades`; `following` is the id from which on they are listed."""
        begin = {"fromId": following} if following else {"startTime": str(since_ms)}
        fields = {"symbol": wire_name, **begin, "limit": _PAGE}
        return self._call(CallKind.TRADES, "GET", "/api/v3/myTrades", 20.0, fields)

    def trades_page(self, status: int, body: bytes) -> Page[TradeShown] | Unclear:
        """See `Gateway.trades_page`."""

        def page(trades: list[Trade]) -> Page[TradeShown]:
            following = str(trades[-1].id + 1) if len(trades) >= _PAGE else ""
            return Page(items=tuple(map(trade_of, trades)), following=following)

        return read(status, body, list[Trade], page)

    def balances(self, following: str = "") -> Call:  # noqa: ARG002
        """See `Gateway.balances`; there is one page."""
        fields = {"omitZeroBalances": "true"}
        return self._call(CallKind.BALANCES, "GET", "/api/v3/account", 20.0, fields)

    def balances_page(self, status: int, body: bytes) -> Page[BalanceShown] | Unclear:
        """See `Gateway.balances_page`."""

        def page(account: Account) -> Page[BalanceShown]:
            return Page(items=tuple(map(balance_of, account.balances)))

        return read(status, body, Account, page)

    def fees(self, wire_names: Sequence[str]) -> Sequence[Call]:
        """See `Gateway.fees`; they are told by instrument."""
        path = "/api/v3/account/commission"
        names = dict.fromkeys((*wire_names, _ORDINARY))
        return [self._call(CallKind.FEES, "GET", path, 20.0, {"symbol": name}) for name in names]

    def fees_told(self, status: int, body: bytes) -> Sequence[FeeShown] | Unclear:
        """See `Gateway.fees_told`; a discount for fees paid in BNB is not counted on."""

        def fee(told: Commission) -> Sequence[FeeShown]:
            parts = (told.standard_commission, told.special_commission, told.tax_commission)
            return (
                FeeShown(
                    wire_name=told.symbol,
                    maker_ratio=sum((part.maker for part in parts), start=parts[0].maker * 0),
                    taker_ratio=sum((part.taker for part in parts), start=parts[0].taker * 0),
                ),
            )

        return read(status, body, Commission, fee)

    def rights(self) -> Call | None:
        """See `Gateway.rights`."""
        return self._call(CallKind.RIGHTS, "GET", "/sapi/v1/account/apiRestrictions", 1.0, {})

    def rights_told(self, status: int, body: bytes) -> KeyRights | Unclear:
        """See `Gateway.rights_told`."""

        def rights(told: Restrictions) -> KeyRights:
            return KeyRights(
                may_read=told.enable_reading,
                may_trade=told.enable_spot_and_margin_trading,
                may_withdraw=told.enable_withdrawals,
                is_address_bound=told.ip_restrict,
            )

        return read(status, body, Restrictions, rights)

    def _orders(self, wire_name: str, since_ms: int) -> Call:
        fields = {"symbol": wire_name, "startTime": str(since_ms), "limit": _PAGE}
        return self._call(CallKind.ORDERS, "GET", "/api/v3/allOrders", 20.0, fields)

    def _call(
        self, kind: CallKind, method: str, path: str, weight: float, fields: Mapping[str, object]
    ) -> Call:
        return Call(venue=VENUE, kind=kind, method=method, path=path, weight=weight, fields=fields)


def _placed(request: OrderRequest, body: bytes) -> PlaceAnswer:
    answer = decoded(body, OrderAnswer)
    if answer is None:
        return unclear(STATUS_OK, body, "another shape")
    try:
        shown = order_of(answer)
    except UNREADABLE as error:
        return unclear(STATUS_OK, body, str(error))
    difference = shown.differs_from(request)
    return Unclear(why=difference) if difference else Placed(shown=shown)


def _error(body: bytes) -> Error | None:
    try:
        return _READ_ERROR.decode(body)
    except UNREADABLE:
        return None
