"""Kraken spot's private half.

Refusals come with status 200. Our id is unique among open orders alone, so nothing is sent twice;
each call has a number that has to be above all before it, and an order its own latest time. Orders
that nobody keeps alive are cancelled by the venue's own switch.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from engine.domain.errors import BadValueError
from engine.domain.opportunities import Side
from engine.domain.venue_orders import (
    BalanceShown,
    FeeShown,
    KeyRights,
    OrderRequest,
    OrderShown,
    Stage,
    TimeInForce,
    TradeShown,
)
from engine.gateways.answers import (
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
from engine.gateways.kraken import messages
from engine.gateways.kraken.orders import balance_of, order_of, trade_of
from engine.gateways.kraken.stream import VENUE, KrakenStream
from engine.gateways.wire import STATUS_OK, decoded, plain, read

DEADLINE_MS: Final = 10_000
"""How long an order may be on its way at most; the venue allows 60 s."""

_ROOT: Final = "/0/private"
_PAGE: Final = 50
_ORDINARY: Final = "XBTUSD"
"""Of the schedule of most pairs: those of stable coins and currencies are cheaper, and no word for
the others."""

_PERCENT: Final = 100
_MS_PER_S: Final = 1_000

_SIDES: Final = {Side.BUY: "buy", Side.SELL: "sell"}

_REFUSALS: Final[Mapping[str, Stop | None]] = {
    "EOrder:Insufficient funds": None,
    "EOrder:Order minimum not met": None,
    "EOrder:Cost minimum not met": None,
    "EOrder:Tick size check failed": None,
    "EOrder:Invalid price": None,
    "EOrder:Orders limit exceeded": None,
    "EOrder:Rate limit exceeded": None,
    "EOrder:Domain rate limit exceeded": None,
    "EAPI:Invalid key": Stop.KEY,
    "EAPI:Invalid signature": Stop.KEY,
    "EAPI:Invalid nonce": None,
    "EGeneral:Permission denied": Stop.KEY,
    "EGeneral:Invalid arguments": None,
    "EQuery:Unknown asset pair": None,
    "EService:Deadline elapsed": None,
    "EService:Market in cancel_only mode": None,
    "EService:Market in post_only mode": None,
}
_STOPS: Final[Mapping[str, Stop]] = {
    "EGeneral:Temporary lockout": Stop.BANNED,
    "ETrade:User Locked": Stop.ACCOUNT,
}
_UNKNOWN_ORDER: Final = "EOrder:Unknown order"


Told = TypeVar("Told")
Read = TypeVar("Read")


class KrakenGateway(KrakenStream):
    """Obeys `Gateway`."""

    venue = VENUE
    rules = ProofRules(
        is_replay_harmless=False,
        is_fenced=True,
        # The order's own latest time, by the venue's clock, which may be some seconds off ours.
        late_ms_max=DEADLINE_MS + 5_000,
        lag_ms_max=5_000,
        shows_closed=True,
    )
    # A counter of 15 that falls by a third each second; a listing counts more than one.
    pace = Pace(
        weight_per_s=0.33,
        weight_burst=12.0,
        orders_per_s=1.0,
        orders_burst=10.0,
        kept_for_orders=0.0,
    )

    @property
    def dead_man(self) -> DeadMan | None:
        """See `Gateway.dead_man`."""
        return DeadMan(renew_s=20.0, fires_s=60.0, call=self._hold_off, is_of_account=True)

    def place(self, request: OrderRequest) -> Call:
        """See `Gateway.place`.

        Raises:
            BadValueError: all or nothing, which its REST interface does not know; or no latest
                time, without which nobody could say when it cannot arrive any more.
        """
        if request.sent_before_ms <= 0:
            raise BadValueError("an order to kraken has to say until when it may be taken")
        if request.time_in_force is TimeInForce.FILL_OR_KILL:
            raise BadValueError("kraken takes no orders of all or nothing by this interface")
        is_maker = request.time_in_force is TimeInForce.POST_ONLY
        fields: dict[str, object] = {
            "pair": request.wire_name,
            "type": _SIDES[request.side],
            "ordertype": "limit",
            "volume": plain(request.size_base),
            "price": plain(request.price_limit),
            "timeinforce": "GTC" if is_maker else "IOC",
            "cl_ord_id": request.wire_id,
            "stptype": "cancel-newest",
            "deadline": _date(request.sent_before_ms),
        }
        if is_maker:
            fields["oflags"] = "post"
        return self._call(CallKind.PLACE, "/AddOrder", fields, weight=0.0)

    def placed(self, request: OrderRequest, status: int, body: bytes) -> PlaceAnswer:
        """See `Gateway.placed`; it tells the venue's own id alone."""
        error = _error(status, body)
        if error:
            stop = _STOPS.get(error) or _REFUSALS.get(error)
            if error in _REFUSALS:
                return NotPlaced(code=error, why=error.partition(":")[2], stop=stop)
            return Unclear(why=error, stop=stop)
        told = read(status, body, messages.Answered[messages.Placed], lambda one: one.result.txid)
        if isinstance(told, Unclear):
            return told
        if len(told) != 1 or not told[0]:
            return unclear(status, body, f"{len(told)} orders made by one call")
        return Placed(
            shown=OrderShown(
                venue_order_id=told[0],
                wire_id="",
                wire_name="",
                side=request.side,
                stage=Stage.PENDING,
            )
        )

    def cancel(self, request: OrderRequest, venue_order_id: str) -> Call | None:
        """See `Gateway.cancel`; it takes our own id, too."""
        own = {"txid": venue_order_id} if venue_order_id else {"cl_ord_id": request.wire_id}
        return self._call(CallKind.CANCEL, "/CancelOrder", own, weight=0.0)

    def cancelled(self, status: int, body: bytes) -> CancelAnswer:
        """See `Gateway.cancelled`."""
        error = _error(status, body)
        if error == _UNKNOWN_ORDER:
            return CancelVain(why=error)
        if error:
            return Unclear(why=error)
        told = read(status, body, messages.Answered[messages.Cancelled], lambda one: one.result)
        if isinstance(told, Unclear):
            return told
        return CancelTaken() if told.count else CancelVain(why="nothing was cancelled")

    def look_ups(
        self, request: OrderRequest, venue_order_id: str, made_since_ms: int
    ) -> Sequence[Call]:
        """See `Gateway.look_ups`: by our id among open and ended ones; fills of the time."""
        since_s = str(max(made_since_ms // _MS_PER_S - 1, 0))
        own = {"cl_ord_id": request.wire_id}
        ended = {**own, "start": since_s, "closetime": "both"}
        orders = (
            self._call(CallKind.OPEN_ORDERS, "/OpenOrders", own),
            self._call(CallKind.ORDERS, "/ClosedOrders", ended, weight=2.0),
        )
        if not venue_order_id:
            return orders
        return (*orders, self._call(CallKind.TRADES, "/TradesHistory", {"start": since_s}, 2.0))

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

    def open_orders(self, following: str = "") -> Call:  # noqa: ARG002
        """See `Gateway.open_orders`; there is one page."""
        return self._call(CallKind.OPEN_ORDERS, "/OpenOrders", {})

    def orders_page(self, call: Call, status: int, body: bytes) -> Page[OrderShown] | Unclear:
        """See `Gateway.orders_page`."""
        if call.kind is CallKind.OPEN_ORDERS:
            return _told(
                status,
                body,
                messages.OpenOrders,
                lambda told: Page(items=tuple(order_of(*one) for one in told.open.items())),
            )

        def page(told: messages.ClosedOrders) -> Page[OrderShown]:
            orders = tuple(order_of(*one) for one in told.closed.items())
            return Page(items=orders, following=_following(told.count, len(orders)))

        return _told(status, body, messages.ClosedOrders, page)

    def trades(self, wire_name: str, since_ms: int, following: str = "") -> Call:  # noqa: ARG002
        """See `Gateway.trades`; of all instruments, and `following` is how many are passed over."""
        fields = {"start": str(max(since_ms // _MS_PER_S - 1, 0)), "ofs": following or "0"}
        return self._call(CallKind.TRADES, "/TradesHistory", fields, weight=2.0)

    def trades_page(self, status: int, body: bytes) -> Page[TradeShown] | Unclear:
        """See `Gateway.trades_page`."""

        def page(told: messages.Trades) -> Page[TradeShown]:
            trades = tuple(trade_of(*one) for one in told.trades.items())
            following = _following(told.count, len(trades))
            return Page(items=trades, following=following, is_counted=True)

        return _told(status, body, messages.Trades, page)

    def balances(self, following: str = "") -> Call:  # noqa: ARG002
        """See `Gateway.balances`; there is one page."""
        return self._call(CallKind.BALANCES, "/BalanceEx", {})

    def balances_page(self, status: int, body: bytes) -> Page[BalanceShown] | Unclear:
        """See `Gateway.balances_page`."""

        def page(told: dict[str, messages.BalanceBody]) -> Page[BalanceShown]:
            return Page(items=tuple(balance_of(*one) for one in told.items()))

        return _told(status, body, dict[str, messages.BalanceBody], page)

    def fees(self, wire_names: Sequence[str]) -> Sequence[Call]:
        """See `Gateway.fees`."""
        names = dict.fromkeys((*wire_names, _ORDINARY))
        return (self._call(CallKind.FEES, "/TradeVolume", {"pair": ",".join(names)}),)

    def fees_told(self, status: int, body: bytes) -> Sequence[FeeShown] | Unclear:
        """See `Gateway.fees_told`."""

        def fees(told: messages.Volume) -> Sequence[FeeShown]:
            return [
                FeeShown(
                    wire_name=name,
                    maker_ratio=told.fees_maker.get(name, taker).fee / _PERCENT,
                    taker_ratio=taker.fee / _PERCENT,
                )
                for name, taker in told.fees.items()
            ]

        return _told(status, body, messages.Volume, fees)

    def rights(self) -> Call | None:
        """See `Gateway.rights`; none is published."""
        return None

    def rights_told(self, status: int, body: bytes) -> KeyRights | Unclear:
        """See `Gateway.rights_told`."""
        return unclear(status, body, "nothing tells the rights of a key")

    def _hold_off(self) -> Call:
        return self._call(CallKind.KEEP_ALIVE, "/CancelAllOrdersAfter", {"timeout": 60})

    def _call(
        self, kind: CallKind, path: str, fields: Mapping[str, object], weight: float = 1.0
    ) -> Call:
        return Call(
            venue=VENUE, kind=kind, method="POST", path=_ROOT + path, fields=fields, weight=weight
        )


def _error(status: int, body: bytes) -> str:
    """Return the first error of an answer in the venue's own envelope, empty if there is none."""
    told = decoded(body, messages.Envelope) if status == STATUS_OK else None
    return told.error[0][:200] if told is not None and told.error else ""


def _told(
    status: int, body: bytes, shape: type[Told], make: Callable[[Told], Read]
) -> Read | Unclear:
    if error := _error(status, body):
        return Unclear(why=error)
    answered: Any = messages.Answered[shape]  # type: ignore[valid-type]
    return read(status, body, answered, lambda told: make(told.result))


def _following(count: int, shown: int) -> str:
    return str(_PAGE) if count > shown >= _PAGE else ""


def _date(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / _MS_PER_S, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
