"""What is asked of a venue's account, as values: nobody ever hands the signer a call to sign.

Whoever trades asks, and reads the answers; whoever signs makes the calls of the very same question
anew. So both have `calls_of`, and the way between them carries questions alone.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.venue_orders import OrderRequest
from engine.domain.withdrawals import WithdrawalRequest
from engine.gateways.calls import Call
from engine.gateways.gateway import Gateway
from engine.gateways.withdrawing import withdrawing_of

TEXT_CHARACTERS_MAX: Final = 256
WIRE_NAMES_MAX: Final = 64

_WIRE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ASSET: Final = re.compile(r"[A-Z0-9]{1,16}")
_WIRE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}(/[A-Za-z0-9]{1,16})?")
"""Some venues write it into the path of a call: nothing in it may lead to another path."""


class PlaceAsk(msgspec.Struct, tag="place", frozen=True, kw_only=True):
    """Place an order."""

    request: OrderRequest


class CancelAsk(msgspec.Struct, tag="cancel", frozen=True, kw_only=True):
    """Cancel an order.

    Attributes:
        venue_order_id: the venue's own id of it, empty if it is not known.
    """

    request: OrderRequest
    venue_order_id: str = ""


class LookUpAsk(msgspec.Struct, tag="look_up", frozen=True, kw_only=True):
    """Ask for an order by all calls that together cover it, see `Gateway.look_ups`."""

    request: OrderRequest
    venue_order_id: str = ""
    made_since_ms: int


class OpenOrdersAsk(msgspec.Struct, tag="open_orders", frozen=True, kw_only=True):
    """List all open orders of the account; `following` names a page."""

    following: str = ""


class TradesAsk(msgspec.Struct, tag="trades", frozen=True, kw_only=True):
    """List trades of the account from an instant on; `following` names a page."""

    wire_name: str
    since_ms: int
    following: str = ""


class BalancesAsk(msgspec.Struct, tag="balances", frozen=True, kw_only=True):
    """List what we have; `following` names a page."""

    following: str = ""


class FeesAsk(msgspec.Struct, tag="fees", frozen=True, kw_only=True):
    """Ask for the fees of our tier."""

    wire_names: tuple[str, ...]


class RightsAsk(msgspec.Struct, tag="rights", frozen=True, kw_only=True):
    """Ask what the key may do; no call where the venue tells nothing of it."""


class HoldOffAsk(msgspec.Struct, tag="hold_off", frozen=True, kw_only=True):
    """Hold the venue's dead-man switch off; no call where it has none."""


class StreamAsk(msgspec.Struct, tag="stream", frozen=True, kw_only=True):
    """Ask for what opens the user stream of these instruments, see `gateways.stream`."""

    wire_names: tuple[str, ...] = ()


class WithdrawAsk(msgspec.Struct, tag="withdraw", frozen=True, kw_only=True):
    """Withdraw a part of a transfer: its test or the rest.

    Attributes:
        transfer_id: of what a person allowed.
        is_test: it is the test of it.
    """

    transfer_id: str
    is_test: bool
    withdrawal: WithdrawalRequest


class WithdrawalsAsk(msgspec.Struct, tag="withdrawals", frozen=True, kw_only=True):
    """List withdrawals of an asset from an instant on, with the key that withdraws."""

    asset: AssetCode
    since_ms: int


class WithdrawRightsAsk(msgspec.Struct, tag="withdraw_rights", frozen=True, kw_only=True):
    """Ask what the key that withdraws may do; no call where the venue tells nothing of it."""


class DepositsAsk(msgspec.Struct, tag="deposits", frozen=True, kw_only=True):
    """List what came in of an asset from an instant on."""

    asset: AssetCode
    since_ms: int


OfWithdrawals = WithdrawAsk | WithdrawalsAsk | WithdrawRightsAsk
"""What the key that withdraws signs, and no other."""

Ask = (
    PlaceAsk
    | CancelAsk
    | LookUpAsk
    | OpenOrdersAsk
    | TradesAsk
    | BalancesAsk
    | FeesAsk
    | RightsAsk
    | HoldOffAsk
    | StreamAsk
    | WithdrawAsk
    | WithdrawalsAsk
    | WithdrawRightsAsk
    | DepositsAsk
)


def calls_of(ask: Ask, gateway: Gateway) -> tuple[Call, ...]:  # noqa: C901, PLR0911, PLR0912 - one a kind
    """Return the calls of a question, in the order in which they have to be sent; maybe none.

    Raises:
        BadValueError: it is none that this venue can be asked, or has in it what no venue gave.
    """
    check_ask(ask)
    match ask:
        case PlaceAsk(request=request):
            return (gateway.place(request),)
        case CancelAsk(request=request, venue_order_id=venue_order_id):
            return _maybe(gateway.cancel(request, venue_order_id))
        case LookUpAsk(request=request, venue_order_id=venue_order_id, made_since_ms=since_ms):
            return tuple(gateway.look_ups(request, venue_order_id, since_ms))
        case OpenOrdersAsk(following=following):
            return (gateway.open_orders(following),)
        case TradesAsk(wire_name=wire_name, since_ms=since_ms, following=following):
            return (gateway.trades(wire_name, since_ms, following),)
        case BalancesAsk(following=following):
            return (gateway.balances(following),)
        case FeesAsk(wire_names=wire_names):
            return tuple(gateway.fees(wire_names))
        case RightsAsk() | WithdrawRightsAsk():
            return _maybe(gateway.rights())
        case HoldOffAsk():
            return () if gateway.dead_man is None else (gateway.dead_man.call(),)
        case StreamAsk(wire_names=wire_names):
            return tuple(gateway.stream(wire_names))
        case WithdrawAsk(withdrawal=withdrawal):
            return (withdrawing_of(gateway.venue).withdraw(withdrawal),)
        case WithdrawalsAsk(asset=asset, since_ms=since_ms):
            return (withdrawing_of(gateway.venue).withdrawals(asset, since_ms),)
        case DepositsAsk(asset=asset, since_ms=since_ms):
            return (withdrawing_of(gateway.venue).deposits(asset, since_ms),)


def check_ask(ask: Ask) -> None:
    """Look that nothing in a question could make another one of it.

    Raises:
        BadValueError: a name, an id or a number is of no form that any venue gives.
    """
    if isinstance(ask, PlaceAsk | CancelAsk | LookUpAsk):
        check_request(ask.request)
    if isinstance(ask, WithdrawAsk):
        _check_withdrawal(ask)
    if isinstance(ask, WithdrawalsAsk | DepositsAsk) and not _ASSET.fullmatch(ask.asset):
        raise BadValueError(f"{ask.asset[:40]!r} is no asset")
    for name in _wire_names(ask):
        if not _WIRE_NAME.fullmatch(name):
            raise BadValueError(f"{name[:40]!r} is no name of an instrument")
    for field in ("venue_order_id", "following"):
        text = getattr(ask, field, "")
        if len(text) > TEXT_CHARACTERS_MAX or not (text.isascii() and text.isprintable()):
            raise BadValueError(f"{field} {text[:40]!r} is none that a venue gives")
    for field in ("since_ms", "made_since_ms"):
        # Until the year 2200: what is later is no time, and some calls write it as a date.
        if not 0 <= getattr(ask, field, 0) <= _MS_MAX:
            raise BadValueError(f"{field} {getattr(ask, field)} is no time")


def _check_withdrawal(ask: WithdrawAsk) -> None:
    request = ask.withdrawal
    exponent = request.amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DECIMALS_MAX or not 0 < request.amount < _MOST:
        raise BadValueError(f"amount {request.amount:.3e} is none that a venue takes")
    for what, text in (
        ("id", request.wire_id),
        ("id of a transfer", ask.transfer_id),
        ("asset", request.asset),
    ):
        if not _WIRE_ID.fullmatch(text):
            raise BadValueError(f"{text[:40]!r} is no {what}")
    for text in (request.to.address, request.to.memo, request.named):
        if len(text) > TEXT_CHARACTERS_MAX or not (text.isascii() and text.isprintable()):
            raise BadValueError(f"{text[:40]!r} is no address")


def check_request(request: OrderRequest) -> None:
    """Look that an order has an id and numbers of a form that venues take.

    Raises:
        BadValueError: it has not. A number of a million digits is written as such.
    """
    if not _WIRE_ID.fullmatch(request.wire_id):
        raise BadValueError(f"{request.wire_id[:40]!r} is no id of an order")
    for name, number in (("size", request.size_base), ("price", request.price_limit)):
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -_DECIMALS_MAX or number >= _MOST:
            raise BadValueError(f"{name} {number:.3e} of an order is none that a venue takes")
    if not 0 <= request.sent_before_ms <= _MS_MAX:
        raise BadValueError(f"sent_before_ms {request.sent_before_ms} is no time")


_DECIMALS_MAX: Final = 18
_MOST: Final = Decimal("1e12")
_MS_MAX: Final = 7_258_118_400_000


def _wire_names(ask: Ask) -> Sequence[str]:
    if isinstance(ask, PlaceAsk | CancelAsk | LookUpAsk):
        return (ask.request.wire_name,)
    if isinstance(ask, TradesAsk):
        return (ask.wire_name,)
    if isinstance(ask, FeesAsk | StreamAsk):
        if len(ask.wire_names) > WIRE_NAMES_MAX:
            raise BadValueError(f"{len(ask.wire_names)} instruments in one question")
        return ask.wire_names
    return ()


def _maybe(call: Call | None) -> tuple[Call, ...]:
    return () if call is None else (call,)
