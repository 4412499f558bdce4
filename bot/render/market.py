"""Screens about opportunities."""

from msgspec.structs import replace

from bot.answer import Waterfall
from bot.render import words
from bot.render.screen import Facts, Lines, Mark, Screen, Table, Text, wrapped
from bot.render.stories import make_waterfall, story_blocks
from bot.render.truth import truth_block
from engine.bus.reports import (
    ExactNow,
    LegLine,
    OpportunitiesReport,
    OpportunityLine,
    PlaceShare,
    SplitNow,
    Unknown,
    ValuesLine,
    WatchedLine,
    WhyReport,
)
from engine.domain.opportunities import Hop

SHOWN_MAX = 12
"""Opportunities on one screen, in pages."""

_LEGS_SHOWN_MAX = 4
_GAP_LEGS = 2
_LATER_SHOWN_MAX = 2
_PLACES_SHOWN_MAX = 4
_TOLD_BY_STORY = {"planned", "traded"}
_PLACES_BESIDE_ORDERS_MAX = 2


def render_opportunities(report: OpportunitiesReport) -> Screen:
    """Show opportunities, open ones first, with what was decided, and how many are left out."""
    shown = report.opportunities[:SHOWN_MAX]
    lines: list[str] = []
    for number, line in enumerate(shown, 1):
        first, *others = _opportunity_lines(line)
        lines += [f"{number} {first}", *others]
    open_count = sum(line.is_open for line in report.opportunities) + report.left_out_open
    refused = sum(report.refused.values())
    blocks: list[Lines | Text] = [Text(_totals(report, refused=refused))]
    if report.without_room or report.displaced or report.unsized or report.pools_waiting:
        blocks.append(Text(_unseen(report)))
    if report.watched is not None:
        blocks.append(Text(_watched(report.watched)))
    if report.left_out:
        blocks.append(Text(_left_out(report)))
    if lines:
        blocks.append(wrapped(lines, keys=tuple(line.opportunity_id for line in shown)))
    else:
        blocks.append(Text("None seen yet."))
    return Screen(
        title=f"Opportunities: {open_count} open",
        mark=Mark.GOOD if open_count else Mark.NONE,
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def render_why(report: WhyReport) -> Screen:
    """Show one decision with its numbers, its legs and what came of it."""
    if report.story is not None:
        report = _without_what_the_story_tells(report)
    line = report.line
    facts = [
        _route_fact(report),
        ("Seen", f"{words.clock_zone(line.seen_at_ns)}, {words.age(line.lasted_ms)}"),
        *([("Size", _size(line))] if is_gap(line) and not report.story else []),
        ("Edge", f"{words.percent(report.gross_edge_bps)}, net {words.percent(line.net_edge_bps)}"),
        *([] if report.story else _estimates(report)),
    ]
    blocks: list[Facts | Table | Lines | Text] = [Facts(tuple(facts))]
    if report.story is None or line.outcome not in _TOLD_BY_STORY:
        blocks.append(Text(f"Decision: {words.finding(line.outcome, line.detail)}"))
    blocks += story_blocks(report.story) if report.story else []
    blocks += [truth_block(report.truth)] if report.truth else []
    if report.legs:
        blocks.append(_legs(report.legs, line))
        blocks += [_fees(report.legs, line)] if report.story else []
    elif line.hops and report.split_now is None:
        blocks.append(_hops(line.hops))
    elif line.hops:  # there is no room for all legs twice
        blocks.append(wrapped([words.listing([hop.venue for hop in line.hops])]))
    if report.exact_now is not None:
        blocks.append(Text(_exact(report.exact_now, line)))
    if report.split_now is not None:
        blocks += _split(
            report.split_now,
            line,
            shown_max=_PLACES_BESIDE_ORDERS_MAX if report.legs else _PLACES_SHOWN_MAX,
        )
    blocks += [
        Text(f"Later: {words.finding(reason, detail)}")
        for reason, detail in report.later_refusals[:_LATER_SHOWN_MAX]
    ]
    if report.advice:
        blocks.append(Text(f"Advised: {words.listing(report.advice)}."))
    if report.ended:
        blocks.append(Text(f"Ended: {report.ended}."))
    frames = ", ".join(str(number) for number in report.frame_seqs)
    blocks.append(Text(f"Frames {frames} of run {report.run_id}"))
    return Screen(
        title=f"{line.opportunity_id} {line.pair}",
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def _without_what_the_story_tells(report: WhyReport) -> WhyReport:
    return replace(report, split_now=None, later_refusals=[], line=replace(report.line, detail=""))


def _estimates(report: WhyReport) -> list[tuple[str, str]]:
    confidence = f", {report.values.confidence}" if report.values else ""
    facts = [("Expected", _profit(report.line) + confidence)]
    facts += [] if report.values is None else _values(report.values, report.line)
    if report.profit_usd is not None:
        facts.append(("Realised", words.usd(report.profit_usd, is_signed=True) + " paper"))
    return facts


def render_nothing_yet() -> Screen:
    """Say that there is no decision to show."""
    return Screen(
        title="No opportunity and no trade yet",
        blocks=(Text("/spreads shows how far the market is from one."),),
    )


def _route_fact(report: WhyReport) -> tuple[str, str]:
    line = report.line
    if report.is_closing:
        return "Closes", f"a leftover at {line.buy_venue}"
    if is_gap(line):
        return "Route", f"{line.buy_venue}→{line.sell_venue}"
    return "Route", words.cycle([hop.target for hop in line.hops])


def render_unknown(report: Unknown) -> Screen:
    """Say that what was asked for does not exist."""
    return Screen(title=f"Unknown: {report.what}", mark=Mark.WARN)


def _opportunity_lines(line: OpportunityLine) -> list[str]:
    sign = "●" if line.is_open else "○"
    size = words.size(line.size_base)
    figures = f"{_profit(line)} {words.percent(line.net_edge_bps)}"
    last = f"  {line.opportunity_id} {words.phrase(line.outcome)}"
    if is_gap(line):
        return [
            f"{sign} {line.pair} {figures}",
            f"  {line.buy_venue}→{line.sell_venue} {size}",
            last,
        ]
    return [
        f"{sign} {line.pair} {len(line.hops)} legs {figures}",
        f"  {words.cycle([hop.target for hop in line.hops])}",
        f"  {words.listing([hop.venue for hop in line.hops])} {size}",
        last,
    ]


def is_gap(line: OpportunityLine) -> bool:
    """Say whether a route is a purchase at one venue and a sale at another."""
    return len(line.hops) <= _GAP_LEGS and all(
        hop.kind == "book" and hop.place == line.pair for hop in line.hops
    )


def _size(line: OpportunityLine) -> str:
    size = words.size(line.size_base)
    return f"{size} {line.hops[0].target if line.hops else words.base_of(line.pair)}"


def _hops(hops: tuple[Hop, ...]) -> Lines:
    lines = [f"{words.size(hops[0].amount_in)} {hops[0].source}"]
    lines += [f"→{words.size(hop.amount_out)} {hop.target} {_at(hop)}" for hop in hops]
    return wrapped(lines)


def _at(part: Hop | PlaceShare) -> str:
    """Name the place of a leg; a pool by its fee alone: the amounts beside it tell the assets."""
    _, is_pool, fee = part.place.partition(" ")
    return f"{part.venue} {fee if is_pool else part.place}"


def _values(values: ValuesLine, line: OpportunityLine) -> list[tuple[str, str]]:
    dead_at = words.percent(-values.kill_move_bps)
    worst = words.gain(values.profit_worst, line.quote, usd_per=_usd_per(line))
    facts = [("At worst", worst), ("No gain at", f"a move of {dead_at}")]
    if values.gas_price_break_even_gwei is not None:
        facts.append(("Gas", f"pays up to {words.size(values.gas_price_break_even_gwei)} gwei"))
    if values.data_fee:
        facts.append(("L1 data", f"{words.size(values.data_fee)} {line.quote}"))
    return facts


def _exact(now: ExactNow, line: OpportunityLine) -> str:
    if now.refusal:
        return f"Exact now: {now.refusal}"
    return (
        f"Exact now: {words.size(now.paid)}→{words.size(now.got)}, "
        f"net {words.gain(now.profit_quote, line.quote, usd_per=_usd_per(line))}"
    )


def _split(now: SplitNow, line: OpportunityLine, *, shown_max: int) -> list[Text | Lines]:
    """Show what sharing legs gains, and number, share and place of the legs that it changes."""
    gains = (
        f"Split now: {words.size(now.paid)}→{words.size(now.got)}, "
        f"net {words.gain(now.profit_quote, line.quote, usd_per=_usd_per(line))}"
    )
    places = [
        f"{number}: {words.share(part.share_ratio, 1.0)} {_at(part)}"
        for number, (leg, hop) in enumerate(zip(now.legs, line.hops, strict=False), 1)
        for part in leg
        if len(leg) > 1 or (part.venue, part.place) != (hop.venue, hop.place)
    ]
    if len(places) > shown_max:
        left = len(places) - shown_max + 1
        places[-left:] = [f"and {left} more"]
    return [Text(gains), wrapped(places)]


def _profit(line: OpportunityLine) -> str:
    if line.profit_usd is None:
        return words.gain(line.profit_quote, line.quote)
    return words.usd(line.profit_usd, is_signed=True)


def _usd_per(line: OpportunityLine) -> float | None:
    """Return what one unit of the route's asset is worth, where its gain was valued."""
    if line.profit_usd is None or line.profit_quote == 0:
        return None
    return line.profit_usd / line.profit_quote


def _totals(report: OpportunitiesReport, *, refused: int) -> str:
    worst = max(report.refused.items(), key=lambda item: item[1], default=None)
    longer = ", ".join(
        f"{words.count(number)} of {legs} legs"
        for legs, number in report.found_by_legs.items()
        if legs > _GAP_LEGS
    )
    found = f"{words.count(report.found)} ({longer})" if longer else words.count(report.found)
    totals = f"Found {found}, refused {words.count(refused)}"
    if worst is None or refused == 0:
        return totals
    return f"{totals}, mostly {words.phrase(worst[0])} ({words.share(worst[1], refused)})"


def _unseen(report: OpportunitiesReport) -> str:
    """Say what may be there and is not among the opportunities."""
    best = words.usd(report.without_room_usd, is_signed=True)
    counts = (
        (report.without_room, f"more without room (best {best})"),
        (report.displaced, "gave way to a better route"),
        (report.unsized, "too many to be looked at"),
        (report.pools_waiting, "pools wait for screening"),
    )
    return ", ".join(f"{words.count(number)} {what}" for number, what in counts if number)


def _left_out(report: OpportunitiesReport) -> str:
    """Say by what those that are shown were chosen, and how many more are kept."""
    shown = len(report.opportunities[:SHOWN_MAX])
    chosen = "newest" if report.is_newest_first else "of the most worth"
    is_open = f", {words.count(report.left_out_open)} of them open" * bool(report.left_out_open)
    return f"Here the {shown} {chosen}; {words.count(report.left_out)} more{is_open}"


def _watched(line: WatchedLine) -> str:
    """Say in one line what cannot be traded: how many, why not, and the best of them."""
    whys = ", ".join(f"{words.count(number)} {why}" for why, number in line.found.items())
    best = "" if line.best is None else f", best {_profit(line.best)} ({line.best.opportunity_id})"
    return f"Not tradable: {whys}; {words.count(line.open)} open{best}"


def _fees(legs: list[LegLine], line: OpportunityLine) -> Lines:
    """Show what each order cost: side, venue, rate, and amount in the asset that it was paid in."""
    rows = []
    for leg in legs[:_LEGS_SHOWN_MAX]:
        if leg.price_average is None:
            continue
        side = leg.side if leg.purpose == "leg" else "unwind"
        if leg.fee_base:
            rate = words.rate(leg.fee_base, leg.filled_base)
            amount = f"{words.size(leg.fee_base)} {words.base_of(leg.pair)}"
        else:
            rate = words.rate(leg.fee_quote, leg.filled_base * leg.price_average)
            asset = leg.pair.partition("-")[2]
            amount = (
                words.usd(leg.fee_quote)
                if asset == "USD"
                else f"{words.size(leg.fee_quote)} {asset}"
            )
        if leg.other_fees and not (leg.fee_base or leg.fee_quote):
            rate, amount = "", ""
        also = [f"{words.size(paid)} {asset}" for asset, paid in leg.other_fees]
        shown = " ".join(one for one in (rate, amount, *also) if one)
        rows.append(f"fee {side} {_where(leg, line)} {shown}")
    return Lines(tuple(rows))


def make_picture(report: WhyReport) -> Waterfall | None:
    """Return the picture of a trade's story, None if there is none."""
    if report.story is None:
        return None
    title = f"{report.line.opportunity_id} {report.line.pair}"
    return make_waterfall(report.story, title=title, note=words.BASIS_WORDS[report.basis])


def _where(leg: LegLine, line: OpportunityLine) -> str:
    """Name the venue of a leg, or where a route has several pairs, the pair."""
    return leg.venue if len(line.hops) <= _GAP_LEGS else leg.pair


def _legs(legs: list[LegLine], line: OpportunityLine) -> Table:
    return Table(
        ("Leg", "Size", "Got", "Price"),
        tuple(
            (
                f"{leg.side if leg.purpose == 'leg' else 'unwind'} {_where(leg, line)}",
                words.size(leg.size_base),
                # Never told as more than it is: 99.9 % is not all.
                f"{int(100 * leg.filled_base / leg.size_base)}%" if leg.size_base else "-",
                words.price(leg.price_limit if leg.price_average is None else leg.price_average),
            )
            for leg in legs[:_LEGS_SHOWN_MAX]
        ),
    )
