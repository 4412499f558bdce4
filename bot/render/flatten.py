"""The screens of leftovers: what closing each would cost now, and the question to do so."""

from collections.abc import Iterator
from decimal import Decimal

from bot.render import words
from bot.render.screen import Lines, Mark, Screen, Text, wrapped
from engine.bus.closings import ClosingLine, ClosingsReport
from engine.domain.modes import Money
from engine.domain.opportunities import Side


def render_closings(report: ClosingsReport) -> Screen:
    """Show each leftover with the order that would close it; live money and paper apart."""
    if not report.closings:
        return Screen(
            title="Nothing is left over",
            mark=Mark.GOOD,
            note=words.BASIS_WORDS[report.basis],
        )
    closes = sum(one.terms is not None for one in report.closings)
    blocks: list[Text | Lines] = []
    for money, title in ((Money.LIVE, "Live"), (Money.PAPER, "Paper")):
        lines = [one for one in report.closings if one.money is money]
        if lines:
            blocks.append(Text(f"{title}: {_sum(lines)}"))
            blocks.append(wrapped([row for one in lines for row in _rows(one)]))
    blocks.append(Text(f"At most {report.band_bps:f} bps behind the best price, as it is now."))
    count = len(report.closings)
    return Screen(
        title=f"Left over: {words.count(count)}, {words.count(closes)} to close",
        mark=Mark.NONE if closes == count else Mark.WARN,
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def render_ask_closing(report: ClosingsReport) -> Screen:
    """Ask whether what closes is to be closed, with the bound of each order."""
    closes = [one for one in report.closings if one.terms is not None]
    blocks: list[Text | Lines] = []
    for money, title in ((Money.LIVE, "Live"), (Money.PAPER, "Paper")):
        lines = [one for one in closes if one.money is money]
        if lines:
            blocks.append(Text(f"{title}: {_sum(lines)}, as shown"))
            blocks.append(wrapped([row for one in lines for row in _terms(one)]))
    return Screen(
        title=f"Close {words.count(len(closes))} of {words.count(len(report.closings))}?",
        mark=Mark.WARN,
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def _terms(one: ClosingLine) -> Iterator[str]:
    assert one.terms is not None
    (leg,) = one.terms.legs
    bound = "more" if leg.side is Side.SELL else "less"
    yield f"{leg.side} {words.size(leg.size_base)} {one.asset} at {one.venue}"
    yield f"  for {words.price(leg.price_limit)} or {bound}"


def _sum(lines: list[ClosingLine]) -> str:
    """Say what closing all of it that closes would realise."""
    told = [one.realised_usd for one in lines if one.filled_base]
    if not told:
        return "nothing closes now"
    known = [usd for usd in told if usd is not None]
    total = words.usd(sum(known, Decimal(0)), is_signed=True)
    beside = "" if len(known) == len(told) else " and what has no price"
    return f"closing comes to {total}{beside}"


def _rows(one: ClosingLine) -> Iterator[str]:
    yield f"{one.venue} {words.size(one.held)} {one.asset}"
    yield f"  filled for {words.size(one.carry)} {one.carry_asset}"
    if one.why_not:
        yield f"  {one.why_not}"
        return
    what = f"{one.side} {words.size(one.size_base)}"
    if one.price is None:
        yield f"  {what}: nothing within the band"
        return
    yield f"  {what} at {words.price(one.price)}"
    if not one.is_whole:
        yield f"  the book has {words.size(one.filled_base)} of it"
    yield f"  fee {words.size(one.fee)} {one.fee_asset}"
    usd = one.realised_usd
    gain = (
        f"{words.size(one.realised)} {one.carry_asset}"
        if usd is None
        else words.usd(usd, is_signed=True)
    )
    yield f"  comes to {gain}"
    if one.why_not_now:
        yield f"  not now: {one.why_not_now}"
