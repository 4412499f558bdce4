"""Coinbase Advanced Trade's private half.

The one venue of ours where our id is a key: the very same body again is answered with the order
that there is. It has no look-up by our id, so orders are found by listing those of the time. Its
answer to a placing tells no fill, and its user stream tells totals alone; fills are listed.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
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
from engine.gateways.coinbase.messages import (
    AccountPage,
    CancelBody,
    FillPage,
    GatewayError,
    OrderPage,
    Permissions,
    PlaceBody,
    Summary,
)
from engine.gateways.coinbase.orders import balance_of, made, order_of, trade_of
from engine.gateways.coinbase.stream import VENUE, CoinbaseStream
from engine.gateways.gateway import (
    DeadMan,
    Pace,
    ProofRules,
)
from engine.gateways.wire import STATUS_OK, decoded, plain, read

TOKEN_S: Final = 120
"""How long what signs a call holds."""

_ROOT: Final = "/api/v3/brokerage"
_PAGE: Final = 250
_CLOCK_MS: Final = 60_000
"""By so much their clock and ours may differ: listings begin so long before."""

_WAITING: Final = ("OPEN", "PENDING", "QUEUED", "CANCEL_QUEUED")
"""By `OPEN` alone those that wait are left out."""

_SIDES: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}

_CONFIGURATIONS: Final = {
    # The only limit order that never rests; there is none without the router's name.
    TimeInForce.IMMEDIATE_OR_CANCEL: "sor_limit_ioc",
    TimeInForce.FILL_OR_KILL: "limit_limit_fok",
    TimeInForce.POST_ONLY: "limit_limit_gtc",
}

_REFUSALS: Final[Mapping[str, Stop | None]] = {
    "INSUFFICIENT_FUND": None,
    "PREVIEW_INSUFFICIENT_FUND": None,
    "INVALID_ARGUMENT": None,
    "UNSUPPORTED_ORDER_CONFIGURATION": None,
    "PERMISSION_DENIED": Stop.KEY,
}
_DUPLICATE: Final = "DUPLICATE_CLIENT_ORDER_ID"
_BARRED: Final = {(401, "authentication_error"), (403, "invalid_scope")}
_VAIN: Final = frozenset(
    {"UNKNOWN_CANCEL_ORDER", "INVALID_CANCEL_REQUEST", "ORDER_IS_FULLY_FILLED", "UNKNOWN_ORDER"}
)


class CoinbaseGateway(CoinbaseStream):
    """Obeys `Gateway`."""

    venue = VENUE
    rules = ProofRules(
        is_replay_harmless=True,
        is_fenced=False,
        late_ms_max=TOKEN_S * 1_000,
        lag_ms_max=5_000,
        shows_closed=True,
    )
    pace = Pace(weight_per_s=8.0, weight_burst=10.0, orders_per_s=4.0, orders_burst=6.0)

    @property
    def dead_man(self) -> DeadMan | None:
        """See `Gateway.dead_man`; there is none on spot."""
        return None

    def place(self, request: OrderRequest) -> Call:
        """See `Gateway.place`."""
        limits: dict[str, object] = {
            "base_size": plain(request.size_base),
            "limit_price": plain(request.price_limit),
        }
        if request.time_in_force is TimeInForce.POST_ONLY:
            limits["post_only"] = True
        return self._call(
            CallKind.PLACE,
            "POST",
            "/orders",
            {
                "client_order_id": request.wire_id,
                "product_id": request.wire_name,
                "side": _SIDES[request.side],
                "order_configuration": {_CONFIGURATIONS[request.time_in_force]: limits},
            },
        )

    def placed(self, request: OrderRequest, status: int, body: bytes) -> PlaceAnswer:
        """See `Gateway.placed`."""
        if status != STATUS_OK:
            error = decoded(body, GatewayError)
            if error is not None and (status, error.error) in _BARRED:
                return NotPlaced(code=error.error, why=error.message or error.error, stop=Stop.KEY)
            return unclear(status, body)
        answer = decoded(body, PlaceBody)
        if answer is None:
            return unclear(status, body, "another shape")
        return _placed(request, answer, body) if answer.success else _refused(answer, body)

    def cancel(self, request: OrderRequest, venue_order_id: str) -> Call | None:  # noqa: ARG002
        """See `Gateway.cancel`; it takes its own id alone."""
        if not venue_order_id:
            return None
        fields = {"order_ids": [venue_order_id]}
        return self._call(CallKind.CANCEL, "POST", "/orders/batch_cancel", fields)

    def cancelled(self, status: int, body: bytes) -> CancelAnswer:
        """See `Gateway.cancelled`."""
        answer = decoded(body, CancelBody) if status == STATUS_OK else None
        if answer is None or len(answer.results) != 1:
            return unclear(status, body)
        (result,) = answer.results
        if result.success:
            return CancelTaken()
        if result.failure_reason in _VAIN:
            return CancelVain(why=result.failure_reason)
        return unclear(status, body)

    def look_ups(
        self,
        request: OrderRequest,
        venue_order_id: str,
        made_since_ms: int,
    ) -> Sequence[Call]:
        """See `Gateway.look_ups`: orders of the time, and fills of the order once it is known."""
        fields = {
            "product_ids": request.wire_name,
            "start_date": _date(made_since_ms - _CLOCK_MS),
            "limit": _PAGE,
        }
        if not venue_order_id:
            # Whether a listing without a status has those that still wait is not said.
            waiting = fields | {"order_status": _WAITING}
            return tuple(
                self._call(CallKind.LOOK_UP, "GET", "/orders/historical/batch", one)
                for one in (fields, waiting)
            )
        fills = {"order_ids": venue_order_id, "limit": _PAGE}
        return (
            self._call(
                CallKind.LOOK_UP, "GET", "/orders/historical/batch", {"order_ids": venue_order_id}
            ),
            self._call(CallKind.TRADES, "GET", "/orders/historical/fills", fills),
        )

    def looked_up(
        self, request: OrderRequest, call: Call, status: int, body: bytes
    ) -> LookUpAnswer:
        """See `Gateway.looked_up`."""
        if call.kind is CallKind.TRADES:
            fills = self.trades_page(status, body)
            if isinstance(fills, Unclear):
                return fills
            return Found(orders=(), trades=fills.items, has_more=bool(fills.following))
        page = self.orders_page(call, status, body)
        if isinstance(page, Unclear):
            return page
        ours = tuple(one for one in page.items if one.wire_id == request.wire_id)
        if page.following and not ours:
            return unclear(status, b"", "more orders than one page shows")
        return Found(orders=ours) if ours else NotFound()

    def open_orders(self, following: str = "") -> Call:
        """See `Gateway.open_orders`."""
        fields: dict[str, object] = {
            "order_status": _WAITING,
            "limit": _PAGE,
        }
        if following:
            fields["cursor"] = following
        return self._call(CallKind.OPEN_ORDERS, "GET", "/orders/historical/batch", fields)

    def orders_page(
        self,
        call: Call,  # noqa: ARG002
        status: int,
        body: bytes,
    ) -> Page[OrderShown] | Unclear:
        """See `Gateway.orders_page`."""

        def page(told: OrderPage) -> Page[OrderShown]:
            if told.has_next and not told.cursor:
                raise ValueError("a page with a next one that it does not name")
            following = told.cursor if told.has_next else ""
            return Page(items=tuple(map(order_of, told.orders)), following=following)

        return read(status, body, OrderPage, page)

    def trades(self, wire_name: str, since_ms: int, following: str = "") -> Call:
        """See `Gateway.trades`."""
        fields: dict[str, object] = {
            "product_ids": wire_name,
            "start_sequence_timestamp": _date(since_ms - _CLOCK_MS),
            "limit": _PAGE,
        }
        if following:
            fields["cursor"] = following
        return self._call(CallKind.TRADES, "GET", "/orders/historical/fills", fields)

    def trades_page(self, status: int, body: bytes) -> Page[TradeShown] | Unclear:
        """See `Gateway.trades_page`; a cursor stands on the last page, too."""

        def page(told: FillPage) -> Page[TradeShown]:
            following = told.cursor if len(told.fills) >= _PAGE else ""
            return Page(items=tuple(map(trade_of, told.fills)), following=following)

        return read(status, body, FillPage, page)

    def balances(self, following: str = "") -> Call:
        """See `Gateway.balances`."""
        fields: dict[str, object] = {"limit": _PAGE}
        if following:
            fields["cursor"] = following
        return self._call(CallKind.BALANCES, "GET", "/accounts", fields)

    def balances_page(self, status: int, body: bytes) -> Page[BalanceShown] | Unclear:
        """See `Gateway.balances_page`."""

        def page(told: AccountPage) -> Page[BalanceShown]:
            following = told.cursor if told.has_next else ""
            return Page(items=tuple(map(balance_of, told.accounts)), following=following)

        return read(status, body, AccountPage, page)

    def fees(self, wire_names: Sequence[str]) -> Sequence[Call]:  # noqa: ARG002
        """See `Gateway.fees`; one tier for all."""
        fields = {"product_type": "SPOT"}
        return (self._call(CallKind.FEES, "GET", "/transaction_summary", fields),)

    def fees_told(self, status: int, body: bytes) -> Sequence[FeeShown] | Unclear:
        """See `Gateway.fees_told`."""

        def fee(told: Summary) -> Sequence[FeeShown]:
            tier = told.fee_tier
            return (FeeShown(maker_ratio=tier.maker_fee_rate, taker_ratio=tier.taker_fee_rate),)

        return read(status, body, Summary, fee)

    def rights(self) -> Call | None:
        """See `Gateway.rights`."""
        return self._call(CallKind.RIGHTS, "GET", "/key_permissions", {})

    def rights_told(self, status: int, body: bytes) -> KeyRights | Unclear:
        """See `Gateway.rights_told`."""

        def rights(told: Permissions) -> KeyRights:
            return KeyRights(
                may_read=told.can_view, may_trade=told.can_trade, may_withdraw=told.can_transfer
            )

        return read(status, body, Permissions, rights)

    def _call(self, kind: CallKind, method: str, path: str, fields: Mapping[str, object]) -> Call:
        return Call(venue=VENUE, kind=kind, method=method, path=_ROOT + path, fields=fields)


def _placed(request: OrderRequest, answer: PlaceBody, body: bytes) -> PlaceAnswer:
    if answer.success_response is None:
        return unclear(STATUS_OK, body, "success without an order")
    try:
        shown = made(answer.success_response)
    except UNREADABLE as error:
        return unclear(STATUS_OK, body, str(error))
    difference = shown.differs_from(request)
    return Unclear(why=difference) if difference else Placed(shown=shown)


def _refused(answer: PlaceBody, body: bytes) -> PlaceAnswer:
    refusal = answer.error_response
    if refusal is None:
        return unclear(STATUS_OK, body, "neither success nor an error")
    if refusal.error == _DUPLICATE:
        return Unclear(why=refusal.error, exists=True)
    if refusal.error not in _REFUSALS:
        return Unclear(why=f"{refusal.error}: {refusal.message}")
    why = refusal.message or refusal.error_details or refusal.error
    return NotPlaced(code=refusal.error, why=why, stop=_REFUSALS[refusal.error])


def _date(at_ms: int) -> str:
    return datetime.fromtimestamp(max(at_ms, 0) / 1_000, UTC).isoformat().replace("+00:00", "Z")
