"""Screens of orders at venues: how each venue stands, what is open, one order, fees of our tier."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from bot.render import words
from bot.render.screen import Facts, Lines, Mark, Screen, Text, wrapped
from engine.bus.trading_reports import VenueDeskLine, VenueOrderLine, VenueOrdersReport
from engine.domain.orders_told import FillTold, OrderFate
from engine.domain.units import NS_PER_MS, NS_PER_S

_WHY_CHARACTERS: Final = 120
_FILLS_SHOWN_MAX: Final = 6
_BPS: Final = 10_000
_NONE: Final = "No order was placed yet. Mode live places them, where orders are switched on."


def render_balances(report: VenueOrdersReport, *, now_ns: int) -> Screen:
    """Show how each venue stands, and what is ours there."""
    well = sum(not one.why_not for one in report.venues)
    rows = [row for one in report.venues for row in _venue_rows(one, now_ns)]
    return Screen(
        title=f"Venues: {well} of {len(report.venues)} take orders",
        mark=Mark.GOOD if well == len(report.venues) else Mark.WARN,
        blocks=(wrapped(rows) if rows else Text("No venue is traded for real."),),
        note=words.BASIS_WORDS[report.basis],
    )


def render_orders(report: VenueOrdersReport, *, now_ns: int) -> Screen:
    """Show the newest orders, and what stands open if this machine dies now."""
    unknown = sum(one.unknown_count for one in report.venues)
    rests = sum(one.rests_count for one in report.venues)
    rows = [row for one in report.orders for row in _order_rows(one, now_ns)]
    blocks: list[Text | Lines] = []
    if unknown:
        blocks.append(Text(f"{words.count(unknown)} unknown: looked up until proven, whatever."))
    if rests:
        blocks.append(Text(f"{words.count(rests)} may rest in a book if this machine dies now."))
    blocks.append(wrapped(rows) if rows else Text(_NONE))
    open_count = sum(one.open_count for one in report.venues)
    return Screen(
        title=f"Orders: {words.count(report.count)}, {words.count(open_count)} open",
        mark=Mark.WARN if unknown else Mark.NONE,
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def render_ask_cancel() -> Screen:
    """Ask once more before all that is open is cancelled."""
    return Screen(
        title="Cancel all that is open?",
        mark=Mark.WARN,
        blocks=(
            Text("What has not left is withheld, what may rest in a book is cancelled."),
            Text("What is filled stays, and plans go on with what is left of them."),
        ),
    )


def render_order(report: VenueOrdersReport, order: VenueOrderLine, *, now_ns: int) -> Screen:
    """Show one order with its fills."""
    news = order.news
    facts = [
        ("Order", order.client_order_id),
        ("Plan", f"{order.plan_id}, {order.purpose}"),
        ("Asked", f"{order.side} {words.size(order.size_base)} {order.instrument}"),
        ("Limit", words.price(order.price_limit)),
        ("Now", _state(order, now_ns)),
    ]
    blocks: list[Text | Lines | Facts] = [Facts(tuple(facts))]
    if news is not None:
        blocks.append(wrapped(list(_fill_rows(news.fills))))
        if news.venue_order_id:
            blocks.append(Text(f"The venue's own id: {news.venue_order_id}"))
        if news.why:
            blocks.append(Text(news.why[:_WHY_CHARACTERS]))
    return Screen(
        title=f"Order at {order.venue.capitalize()}",
        mark=Mark.WARN if order.unknown_since_ns else Mark.NONE,
        blocks=tuple(one for one in blocks if one != Lines(())),
        note=words.BASIS_WORDS[report.basis],
    )


def render_tiers(report: VenueOrdersReport, *, now_ns: int) -> Screen:
    """Show the fees of our tier, as each venue told them."""
    rows = []
    for one in report.venues:
        fee = next((fee for fee in one.fees if not fee.wire_name), None)
        fee = fee or next(iter(one.fees), None)
        if fee is None:
            rows.append(f"{one.venue}: not told")
            continue
        age = words.age((now_ns - one.fees_at_ns) // NS_PER_MS)
        rows.append(f"{one.venue}: taker {_bps(fee.taker_ratio)}, maker {_bps(fee.maker_ratio)}")
        rows.append(f"  told {age} ago")
    return Screen(
        title="Fees of our tier",
        blocks=(
            wrapped(rows) if rows else Text("No venue is traded for real."),
            Text("Routes are reckoned with it, see /fee."),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def _bps(ratio: Decimal) -> str:
    return f"{(ratio * _BPS).normalize():f} bps"


def _venue_rows(one: VenueDeskLine, now_ns: int) -> Iterator[str]:
    yield f"{one.venue}: {one.why_not[:_WHY_CHARACTERS] or 'takes orders'}"
    counts = [
        f"{words.count(number)} {what}"
        for number, what in (
            (one.open_count, "open"),
            (one.unknown_count, "unknown"),
            (one.others_count, "of others"),
        )
        if number
    ]
    compared = "not compared yet"
    if one.reconciled_at_ns:
        compared = f"compared {words.age((now_ns - one.reconciled_at_ns) // NS_PER_MS)} ago"
    yield f"  {', '.join([compared, *counts])}"
    if not one.has_stream:
        yield "  without its stream: it is asked"
    for held in one.held:
        if held.free or held.held:
            reserved = f", {words.size(held.held)} held" if held.held else ""
            yield f"  {words.size(held.free)} {held.asset}{reserved}"
    for sentence in one.differences:
        yield f"  {sentence[:_WHY_CHARACTERS]}"


def _order_rows(one: VenueOrderLine, now_ns: int) -> Iterator[str]:
    yield f"{one.client_order_id} {one.venue} {_state(one, now_ns)}"
    price = words.price(one.price_limit)
    yield f"  {one.side} {words.size(one.size_base)} {one.instrument} at {price}"
    if one.news is not None and one.news.why and not one.news.fills:
        yield f"  {one.news.why[:_WHY_CHARACTERS]}"


def _state(one: VenueOrderLine, now_ns: int) -> str:
    if one.unknown_since_ns:
        return f"unknown for {words.duration((now_ns - one.unknown_since_ns) / NS_PER_S)}"
    if one.news is None:
        return "on its way"
    news, filled = one.news, one.news.filled_base
    if news.fate in {OrderFate.FILLED, OrderFate.NEVER, OrderFate.REFUSED} or not filled:
        return news.fate.value
    return f"{news.fate}, {words.size(filled)} filled"


def _fill_rows(fills: Sequence[FillTold]) -> Iterator[str]:
    for one in fills[:_FILLS_SHOWN_MAX]:
        fee = f", fee {words.size(one.fee)} {one.fee_asset}" if one.fee else ""
        yield f"{words.size(one.size_base)} at {words.price(one.price)}{fee}"
    if len(fills) > _FILLS_SHOWN_MAX:
        yield f"and {len(fills) - _FILLS_SHOWN_MAX} more fills"
