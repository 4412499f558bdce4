"""The picture of who quotes what: places by pairs, with what stands there and how fresh it is."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from bot.answer import QuoteMap
from bot.render import words
from bot.render.screen import Lines, Mark, Screen, Text
from engine.bus.quote_report import QuoteLine, QuotesReport

PLACES_MAX: Final = 14
PAIRS_MAX: Final = 6
SHOWN_MAX: Final = 5
OLD_MS: Final = 30_000
"""A cell whose newest word is older is drawn as a quiet one."""

_FRESH, _OLD, _STALE = "fresh", "old", "stale"
_THOUSAND: Final = 1_000.0
_NAME_MAX: Final = 12


def render_quotes(report: QuotesReport) -> Screen:
    """Say how much of the map is fresh, and which places have the most."""
    if not report.lines:
        return Screen(
            title="Nobody quotes anything yet",
            mark=Mark.WARN,
            note=words.BASIS_WORDS[report.basis],
        )
    states = Counter(map(_state, report.lines))
    places = _richest((one.place, one) for one in report.lines)
    rows = tuple(
        f"{_named(place).replace(chr(10), ' ')}: {_short_usd(usd)}"
        for place, usd in places[:SHOWN_MAX]
    )
    return Screen(
        title=f"{len(places)} places quote {len({one.pair for one in report.lines})} pairs",
        mark=Mark.GOOD if not states[_STALE] else Mark.WARN,
        blocks=(
            Text(f"{states[_FRESH]} fresh, {states[_OLD]} quiet, {states[_STALE]} stale."),
            Lines(rows),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def make_quote_map(report: QuotesReport) -> QuoteMap | None:
    """Return the picture of the richest places and pairs, or None where there is none."""
    if not report.lines:
        return None
    pairs = [pair for pair, _ in _richest((one.pair, one) for one in report.lines)][:PAIRS_MAX]
    shown = [one for one in report.lines if one.pair in pairs]
    places = [place for place, _ in _richest((one.place, one) for one in shown)][:PLACES_MAX]
    by = {(one.place, one.pair): one for one in shown}
    left = len({one.place for one in report.lines}) - len(places)
    return QuoteMap(
        name="quotes",
        title="Who quotes what now",
        rows=tuple(_named(place) for place in places),
        columns=tuple(_pair(pair) for pair in pairs),
        cells=tuple(tuple(_cell(by.get((place, pair))) for pair in pairs) for place in places),
        hint="in USD: near the best prices of a book, or in pools; below it how old"
        + (f"; {left} places more" if left else ""),
        basis_note=words.BASIS_WORDS[report.basis],
    )


def _richest(named: Iterable[tuple[str, QuoteLine]]) -> list[tuple[str, float]]:
    worth: dict[str, float] = {}
    for name, one in named:
        worth[name] = worth.get(name, 0.0) + (one.usd or 0.0)
    return sorted(worth.items(), key=lambda one: (-one[1], one[0]))


def _cell(line: QuoteLine | None) -> tuple[str, str, str] | None:
    if line is None:
        return None
    if not line.live:
        return "stale", f"0 of {line.count}", _STALE
    worth = "?" if line.usd is None else _short_usd(line.usd)
    said = [] if line.age_ms is None else [_age(line.age_ms)]
    if line.live < line.count:
        said.append(f"{line.live} of {line.count}")
    return worth, ", ".join(said), _state(line)


def _state(line: QuoteLine) -> str:
    if not line.live:
        return _STALE
    return _FRESH if line.age_ms is not None and line.age_ms < OLD_MS else _OLD


def _short_usd(usd: float) -> str:
    for unit in ("", "k", "M"):
        if usd < _THOUSAND:
            return f"${usd:.0f}{unit}" if usd >= 10 or not unit else f"${usd:.1f}{unit}"  # noqa: PLR2004 - two digits
        usd /= _THOUSAND
    return f"${usd:,.0f}B"


def _age(age_ms: int) -> str:
    return f"{age_ms / 1_000:.1f} s" if age_ms < OLD_MS else words.age(age_ms)


def _named(place: str) -> str:
    protocol, _, chain = place.partition("@")
    return f"{protocol[:_NAME_MAX]}\n{chain}" if chain else place[:_NAME_MAX]


def _pair(pair: str) -> str:
    base, _, quote = pair.rpartition("-")
    return f"{base.partition('@')[0][:8]}\n{quote.partition('@')[0][:8]}"
