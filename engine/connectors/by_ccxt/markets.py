"""What ccxt says of an exchange's markets, as our list of them: exact steps, spot alone."""

from collections.abc import Mapping
from decimal import Decimal
from enum import IntEnum
from typing import Any

from engine.connectors.by_ccxt.exact import exact
from engine.connectors.by_ccxt.messages import Market
from engine.domain.errors import BadValueError


class PrecisionMode(IntEnum):
    """How an exchange's steps are meant, by ccxt's own numbers."""

    DECIMAL_PLACES = 2
    SIGNIFICANT_DIGITS = 3
    TICK_SIZE = 4


def market_of(
    market: Mapping[str, Any], mode: PrecisionMode, *, price: Decimal | None = None
) -> Market:
    """Turn a market of ccxt into ours.

    Args:
        market: ccxt's structure of it.
        mode: how its steps are meant.
        price: what it trades at, where steps are digits of the price.

    Raises:
        BadValueError: it says no steps, or what it says are none.
    """
    symbol = str(market.get("symbol"))
    steps = market.get("precision") or {}
    limits = market.get("limits") or {}
    if mode is PrecisionMode.SIGNIFICANT_DIGITS:
        if price is None or price <= 0:
            raise BadValueError(f"steps of {symbol} are digits of its price, which is not known")
        digits = _whole(steps.get("price"), what=f"digits of a price of {symbol}")
        tick = Decimal(1).scaleb(price.adjusted() + 1 - digits)
    else:
        tick = _step(steps.get("price"), mode, what=f"price step of {symbol}")
    return Market(
        symbol=symbol,
        base=str(market.get("base")),
        quote=str(market.get("quote")),
        tick_quote=f"{tick:f}",
        lot_base=f"{_step(steps.get('amount'), mode, what=f'size step of {symbol}'):f}",
        size_min_base=_least(limits.get("amount"), what=f"least size of {symbol}"),
        notional_min_quote=_least(limits.get("cost"), what=f"least notional of {symbol}"),
        # Some exchanges say nothing of it; their books will.
        closed="not active" if market.get("active") is False else "",
    )


def fee_bps(rate: object) -> Decimal | None:
    """Turn a fee as ccxt states it, a share of one, into bps; None if it states none."""
    if rate is None:
        return None
    try:
        bps = exact(rate, what="fee") * 10_000
    except BadValueError:
        return None
    return bps if 0 <= bps < 10_000 else None  # noqa: PLR2004 - a whole, in bps


def _step(told: object, mode: PrecisionMode, *, what: str) -> Decimal:
    if told is None:
        raise BadValueError(f"ccxt states no {what}")
    step = (
        exact(told, what=what)
        if mode is PrecisionMode.TICK_SIZE
        # Digits of a size, which follow no price, are taken for its decimals.
        else Decimal(1).scaleb(-_whole(told, what=what))
    )
    if step <= 0:
        raise BadValueError(f"{what} is {step}, which is not above 0")
    return step


def _whole(told: object, *, what: str) -> int:
    if told is None:
        raise BadValueError(f"ccxt states no {what}")
    number = exact(told, what=what)
    if number != number.to_integral_value():
        raise BadValueError(f"{what} are {number}, no whole number")
    return int(number)


def _least(limit: Mapping[str, Any] | None, *, what: str) -> str:
    least = (limit or {}).get("min")
    return "0" if least is None else f"{max(exact(least, what=what), Decimal(0)):f}"
