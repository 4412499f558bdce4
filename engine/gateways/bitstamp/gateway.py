"""Bitstamp's private half.

Its answer to a placing tells no fill, so an order that may not rest is looked up at once or heard
on the stream. A second send with one id is refused; whether for ever is not said, so nothing is
sent twice. "Order could not be placed" may be a fault within the venue: it proves nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from engine.domain.errors import BadValueError
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
from engine.gateways.bitstamp.messages import (
    BalanceBody,
    CancelledBody,
    Error,
    FeeBody,
    OpenBody,
    OrderBody,
    PlacedBody,
    Transaction,
)
from engine.gateways.bitstamp.orders import (
    balance_of,
    id_of,
    made,
    open_order,
    order_of,
    trade_of,
    wire_name_of,
)
from engine.gateways.bitstamp.stream import VENUE, BitstampStream
from engine.gateways.calls import Call, CallKind
from engine.gateways.gateway import (
    DeadMan,
    Pace,
    ProofRules,
)
from engine.gateways.wire import STATUS_OK, decoded, plain, read

_ROOT: Final = "/api/v2"
_PAGE: Final = 1_000
_PERCENT: Final = 100
_MS_PER_S: Final = 1_000

_SIDES: Final = {Side.BUY: "buy", Side.SELL: "sell"}

_OPTIONS: Final = {
    # `timeInForce` is ignored there: such an order would rest.
    TimeInForce.IMMEDIATE_OR_CANCEL: "ioc_order",
    TimeInForce.FILL_OR_KILL: "fok_order",
    TimeInForce.POST_ONLY: "moc_order",
}

_STOPS: Final[Mapping[str, Stop]] = {
    "API0001": Stop.KEY,
    "API0002": Stop.KEY,
    "API0003": Stop.KEY,
    "API0005": Stop.KEY,
    "API0006": Stop.ACCOUNT,
    "API0011": Stop.KEY,
    "403.004": Stop.ACCOUNT,
}
_REFUSALS: Final = frozenset(
    {
        *_STOPS,
        *(f"400.{number:03d}" for number in (1, 3, 4, 5, 6, 7, 9, 14, 15, 16, 17)),
        *(f"400.{number:03d}" for number in (20, 21, 37, 38, 39, 46, 75)),
        "404.003",
    }
)
_DUPLICATE: Final = "400.019"
_NO_SUCH_ORDER: Final = "404.002"
_STATUS_REFUSED: Final = frozenset({200, 400, 401, 403, 404})


class BitstampGateway(BitstampStream):
    """Obeys `Gateway`."""

    venue = VENUE
    rules = ProofRules(
        is_replay_harmless=False,
        is_fenced=False,
        late_ms_max=150_000,
        lag_ms_max=5_000,
        shows_closed=True,
    )
    # 400 a second and 10,000 in ten minutes, with the snapshots and audits of market data.
    pace = Pace(weight_per_s=8.0, weight_burst=40.0, orders_per_s=4.0, orders_burst=10.0)

    @property
    def dead_man(self) -> DeadMan | None:
        """See `Gateway.dead_man`; none is published."""
        return None

    def place(self, request: OrderRequest) -> Call:
        """See `Gateway.place`.

        Raises:
            BadValueError: a name with which its path would be another one's.
        """
        return self._call(
            CallKind.PLACE,
            f"/{_SIDES[request.side]}/{_path_part(request.wire_name)}/",
            {
                "amount": plain(request.size_base),
                "price": plain(request.price_limit),
                "client_order_id": request.wire_id,
                _OPTIONS[request.time_in_force]: "True",
            },
        )

    def placed(self, request: OrderRequest, status: int, body: bytes) -> PlaceAnswer:
        """See `Gateway.placed`."""
        code = _code(status, body)
        if code == _DUPLICATE:
            return Unclear(why="an order with this id exists", exists=True)
        if code in _REFUSALS:
            return NotPlaced(code=code, why=_reason(body) or code, stop=_STOPS.get(code))
        order = decoded(body, PlacedBody) if status == STATUS_OK and not code else None
        if order is None:
            return unclear(status, body)
        try:
            shown = made(order)
        except UNREADABLE as error:
            return unclear(status, body, str(error))
        difference = shown.differs_from(request)
        return Unclear(why=difference) if difference else Placed(shown=shown)

    def cancel(self, request: OrderRequest, venue_order_id: str) -> Call | None:
        """See `Gateway.cancel`; it takes our own id, too."""
        own = {"id": venue_order_id} if venue_order_id else {"client_order_id": request.wire_id}
        return self._call(CallKind.CANCEL, "/cancel_order/", own)

    def cancelled(self, status: int, body: bytes) -> CancelAnswer:
        """See `Gateway.cancelled`."""
        code = _code(status, body)
        if code == _NO_SUCH_ORDER:
            return CancelVain(why=_reason(body) or code)
        if status == STATUS_OK and not code and decoded(body, CancelledBody) is not None:
            return CancelTaken()
        return unclear(status, body)

    def look_ups(
        self,
        request: OrderRequest,
        venue_order_id: str,
        made_since_ms: int,  # noqa: ARG002
    ) -> Sequence[Call]:
        """See `Gateway.look_ups`: by our id with its fills, and among all that are open."""
        own = {"client_order_id": request.wire_id, "omit_transactions": "False"}
        by_id = self._call(CallKind.LOOK_UP, "/order_status/", own)
        return (by_id,) if venue_order_id else (by_id, self.open_orders())

    def looked_up(
        self, request: OrderRequest, call: Call, status: int, body: bytes
    ) -> LookUpAnswer:
        """See `Gateway.looked_up`."""
        if call.kind is CallKind.OPEN_ORDERS:
            page = self.orders_page(call, status, body)
            if isinstance(page, Unclear):
                return page
            ours = tuple(one for one in page.items if one.wire_id == request.wire_id)
            return Found(orders=ours) if ours else NotFound()
        if _code(status, body) == _NO_SUCH_ORDER:
            return NotFound()
        shown = read(status, body, OrderBody, order_of)
        return shown if isinstance(shown, Unclear) else Found(orders=(shown,))

    def open_orders(self, following: str = "") -> Call:  # noqa: ARG002
        """See `Gateway.open_orders`; there is one page."""
        return self._call(CallKind.OPEN_ORDERS, "/open_orders/all/", {})

    def orders_page(
        self,
        call: Call,  # noqa: ARG002
        status: int,
        body: bytes,
    ) -> Page[OrderShown] | Unclear:
        """See `Gateway.orders_page`."""

        def page(told: list[OpenBody]) -> Page[OrderShown]:
            return Page(items=tuple(map(open_order, told)))

        return read(status, body, list[OpenBody], page)

    def trades(self, wire_name: str, since_ms: int, following: str = "") -> Call:
        """See `Gateway.trades`; `following` is how many are passed over."""
        fields = {
            "since_timestamp": max(since_ms // _MS_PER_S, 0),
            "sort": "asc",
            "limit": _PAGE,
            "offset": following or "0",
        }
        return self._call(CallKind.TRADES, f"/user_transactions/{_path_part(wire_name)}/", fields)

    def trades_page(self, status: int, body: bytes) -> Page[TradeShown] | Unclear:
        """See `Gateway.trades_page`; deposits and withdrawals are left out."""

        def page(told: list[Transaction]) -> Page[TradeShown]:
            trades = (trade_of(one) for one in told)
            return Page(
                items=tuple(one for one in trades if one is not None),
                following="more" if len(told) >= _PAGE else "",
                is_counted=True,
                rows=tuple(id_of(one) for one in told),
            )

        return read(status, body, list[Transaction], page)

    def balances(self, following: str = "") -> Call:  # noqa: ARG002
        """See `Gateway.balances`; there is one page."""
        return self._call(CallKind.BALANCES, "/account_balances/", {})

    def balances_page(self, status: int, body: bytes) -> Page[BalanceShown] | Unclear:
        """See `Gateway.balances_page`."""

        def page(told: list[BalanceBody]) -> Page[BalanceShown]:
            return Page(items=tuple(map(balance_of, told)))

        return read(status, body, list[BalanceBody], page)

    def fees(self, wire_names: Sequence[str]) -> Sequence[Call]:  # noqa: ARG002
        """See `Gateway.fees`; all markets at once."""
        return (self._call(CallKind.FEES, "/fees/trading/", {}),)

    def fees_told(self, status: int, body: bytes) -> Sequence[FeeShown] | Unclear:
        """See `Gateway.fees_told`."""

        def fees(told: list[FeeBody]) -> Sequence[FeeShown]:
            return [
                FeeShown(
                    wire_name=wire_name_of(one.market),
                    maker_ratio=one.fees.maker / _PERCENT,
                    taker_ratio=one.fees.taker / _PERCENT,
                )
                for one in told
            ]

        return read(status, body, list[FeeBody], fees)

    def rights(self) -> Call | None:
        """See `Gateway.rights`; none is published."""
        return None

    def rights_told(self, status: int, body: bytes) -> KeyRights | Unclear:
        """See `Gateway.rights_told`."""
        return unclear(status, body, "nothing tells the rights of a key")

    def _call(self, kind: CallKind, path: str, fields: Mapping[str, object]) -> Call:
        return Call(venue=VENUE, kind=kind, method="POST", path=_ROOT + path, fields=fields)


def _path_part(wire_name: str) -> str:
    """Return an instrument's name as it stands in a path: `market/btcusd` is another call."""
    if not (wire_name.isascii() and wire_name.isalnum()):
        raise BadValueError(f"{wire_name[:40]!r} is no instrument of bitstamp")
    return wire_name


def _code(status: int, body: bytes) -> str:
    """Return the code of a refusal in the venue's own envelope, empty if it is none."""
    if status not in _STATUS_REFUSED:
        return ""
    error = decoded(body, Error)
    return "" if error is None or error.status != "error" else error.response_code or error.code


def _reason(body: bytes) -> str:
    error = decoded(body, Error)
    return "" if error is None else bytes(error.reason)[:200].decode(errors="replace").strip('"')
