"""The screen of leftovers and what closing each would cost now."""

from collections.abc import Iterator
from decimal import Decimal

from bot.render import words
from bot.render.screen import Lines, Mark, Screen, Text, wrapped
from engine.bus.closings import ClosingLine, ClosingsReport
from engine.domain.modes import Money

BY_HAND = "Nothing is sent from here: close it at the venue's own page, then look at /balances."


def render_closings(report: ClosingsReport) -> Screen:
    """Show each leftover with the order that would close it; live money and paper apart."""
    if not report.closings:
        return Screen(
            title="Nothing is left over",
            mark=Mark.GOOD,
            note=words.BASIS_WORDS[report.basis],
        )
    closes = sum(one.is_whole for one in report.closings)
    blocks: list[Text | Lines] = []
    for money, title in ((Money.LIVE, "Live"), (Money.PAPER, "Paper")):
        lines = [one for one in report.closings if one.money is money]
        if lines:
            blocks.append(Text(f"{title}: {_sum(lines)}"))
            blocks.append(wrapped([row for one in lines for row in _rows(one)]))
    blocks.append(Text(f"At most {report.band_bps:f} bps behind the best price, as it is now."))
    if any(one.money is Money.LIVE for one in report.closings):
        blocks.append(Text(BY_HAND))
    count = len(report.closings)
    return Screen(
        title=f"Left over: {words.count(count)}, {words.count(closes)} to close",
        mark=Mark.NONE if closes == count else Mark.WARN,
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def _sum(lines: list[ClosingLine]) -> str:
    """Say what closing all of it that closes would realise."""
    told = [one.realised_usd for one in lines if not one.why_not]
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
