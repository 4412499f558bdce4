"""Figures in words: the only place that knows percent, thousands separators and clocks."""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.domain.assets import Amount
from engine.domain.engines import MAIN
from engine.domain.modes import SENT_ON, Basis, Money
from engine.domain.units import NS_PER_S

_SPARKS = "▁▂▃▄▅▆▇█"
_CENTS = Decimal("0.01")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400
_MS_PER_S = 1000
_AMOUNT_DIGITS = 4
_PRICE_DIGITS = 6
_zone: ContextVar[ZoneInfo] = ContextVar("zone", default=ZoneInfo("UTC"))  # noqa: B039 - constant
_GAP_LEGS = 2

BASIS_WORDS = {
    Basis.SANDBOX: "sandbox markets, paper money",
    Basis.LIVE: "live markets, paper money",
    Basis.REPLAY: "replay, paper money",
    Basis.SANDBOX_LIVE: "sandbox live: sent, worth nothing",
    Basis.TEST: "test network, paper money",
    Basis.TEST_LIVE: "test network: sent, worth nothing",
    Basis.MAIN_LIVE: "REAL MONEY, really sent",
}

BASIS_SHORT = {
    Basis.SANDBOX: "sandbox",
    Basis.LIVE: "live",
    Basis.REPLAY: "replay",
    Basis.SANDBOX_LIVE: "sandbox live",
    Basis.TEST: "test network",
    Basis.TEST_LIVE: "test network live",
    Basis.MAIN_LIVE: "REAL MONEY",
}


def money_words(basis: Basis | None, money: Money) -> str:
    """Say whose money figures are of; without a basis they are of several."""
    if money is Money.PAPER:
        return "paper money" if basis is None else BASIS_WORDS[basis]
    return "live: signed and sent" if basis is None else BASIS_WORDS[SENT_ON.get(basis, basis)]


def usd(value: Decimal | float, *, is_signed: bool = False) -> str:
    """Return dollars and cents; an amount below a cent keeps two significant digits."""
    amount = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    if not amount.is_finite():
        return "$?"
    sign = "-" if amount < 0 else "+" if is_signed and amount > 0 else ""
    size = abs(amount)
    if 0 < size < _CENTS:
        return f"{sign}${size:.2g}" if size >= Decimal("0.0001") else f"{sign}$<0.0001"
    return f"{sign}${size.quantize(_CENTS):,}"


def percent(bps: float) -> str:
    """Return basis points as percent with its sign."""
    return f"{bps / 100:+.3f}%"


def rate(part: Decimal, whole: Decimal) -> str:
    """Return a cost as percent of what it is of."""
    return f"{_digits(float(100 * part / whole), significant=3)}%" if whole else "-"


def share(part: float, whole: float) -> str:
    """Return a part of a whole as percent."""
    return f"{100 * part / whole:.0f}%" if whole else "-"


def size(value: Decimal | float) -> str:
    """Return an amount with four significant digits, never with an exponent."""
    return _digits(float(value), significant=_AMOUNT_DIGITS)


def price(value: Decimal | float) -> str:
    """Return a price: cents where it is large, six significant digits where it is small."""
    number = float(value)
    if abs(number) >= 100:  # noqa: PLR2004
        return f"{number:,.2f}"
    return _digits(number, significant=_PRICE_DIGITS)


def gain(value: Decimal | float, asset: str, *, usd_per: float | None = None) -> str:
    """Return a gain in dollars, beside the amount of the asset where that is another one.

    Args:
        value: amount of the asset.
        asset: what it is in.
        usd_per: value of one unit, None where nobody knows it.
    """
    number = float(value)
    if asset == "USD":
        return usd(number, is_signed=True)
    amount = f"{size(number)} {asset}" if number < 0 else f"+{size(number)} {asset}"
    return amount if usd_per is None else f"{usd(number * usd_per, is_signed=True)} ({amount})"


def _digits(number: float, *, significant: int) -> str:
    if not math.isfinite(number):
        return "?"
    if number == 0:
        return "0"
    places = significant - 1 - math.floor(math.log10(abs(number)))
    if places <= 0:
        return f"{number:,.0f}"
    text = f"{number:,.{places}f}"
    return text.rstrip("0").rstrip(".")


def count(value: int) -> str:
    """Return a whole number with separators."""
    return f"{value:,}"


def age(ms: int | None) -> str:
    """Return an age in the unit that a person would use."""
    if ms is None:
        return "never"
    return f"{ms} ms" if ms < _MS_PER_S else duration(ms / _MS_PER_S)


def duration(seconds: float) -> str:
    """Return a duration with its two biggest units."""
    whole = int(seconds)
    if whole < 10:  # noqa: PLR2004 - below ten seconds a tenth matters
        return f"{seconds:.1f} s"
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} m {whole % _MINUTE_S} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} m"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"


def use_zone(name: str) -> None:
    """Show times of this task, and of those that it starts, in an IANA time zone."""
    _zone.set(ZoneInfo(name))


def zone_name() -> str:
    """Return the IANA name of the time zone in use."""
    return str(_zone.get())


def clock(at_ns: int) -> str:
    """Return the time of day."""
    return _moment(at_ns).strftime("%H:%M:%S")


def clock_zone(at_ns: int) -> str:
    """Return the time of day with the short name of its zone."""
    return _moment(at_ns).strftime("%H:%M:%S %Z")


def day_clock(at_ns: int) -> str:
    """Return month, day, hour and minute."""
    return _moment(at_ns).strftime("%m-%d %H:%M")


def day_clock_zone(at_ns: int) -> str:
    """Return month, day, hour and minute with the short name of the zone."""
    return _moment(at_ns).strftime("%m-%d %H:%M %Z")


def phrase(code: str) -> str:
    """Return a reason or a kind of fault as words."""
    return code.replace("_", " ")


def left_over(amounts: Iterable[Amount]) -> str:
    """Say what a trade left over, or owes."""
    return "left over " + ", ".join(f"{size(one.value)} {one.asset}" for one in amounts)


def base_of(pair: str) -> str:
    """Return the asset that a pair's sizes are in."""
    return pair.partition("-")[0]


def finding(code: str, detail: str) -> str:
    """Return a reason with its numbers as one sentence."""
    return "; ".join(part for part in (phrase(code), detail.rstrip(".")) if part) + "."


def route(pair: str, buy_venue: str, sell_venue: str, received: Sequence[str] = ()) -> str:
    """Return a route in one line: its pair, or if it has more than two legs, its assets."""
    name = pair if len(received) <= _GAP_LEGS else cycle(received)
    return f"{name} {buy_venue}→{sell_venue}"


def cycle(received: Sequence[str]) -> str:
    """Return the assets of a route from what its legs receive; the last is where it starts."""
    return "→".join([*received[-1:], *received])


def listing(names: Sequence[str]) -> str:
    """Return names in their order, one that repeats at once only once."""
    kept = [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]
    return ", ".join(kept)


def sparkline(values: list[float], *, width: int = 36) -> str:
    """Return a line of bars, at most `width` of them."""
    if not values:
        return ""
    step = max(1, -(-len(values) // width))
    picked = values[step - 1 :: step] or values[-1:]
    low, high = min(picked), max(picked)
    span = high - low
    if span == 0:
        return _SPARKS[3] * len(picked)
    return "".join(_SPARKS[round((value - low) / span * (len(_SPARKS) - 1))] for value in picked)


def _moment(at_ns: int) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(at_ns / NS_PER_S, tz=_zone.get())
    except (OverflowError, OSError, ValueError):
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def of_engine(engine_id: str) -> str:
    """Return whose news it is, with a comma; nothing for the engine that every installation has."""
    return "" if engine_id == MAIN else f"engine {engine_id}, "
