"""The screen and the picture of all that is ours, of one kind of money."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from bot.answer import Panels
from bot.render import words
from bot.render.place_notices import where_to
from bot.render.screen import Lines, Screen, Table, Text
from bot.render.transfer import on_the_way
from engine.bus.money_reports import InventoryPast, RebalancingReport
from engine.bus.reports import BalanceLine, BalanceReport
from engine.bus.transfer_reports import TransfersReport
from engine.domain.modes import Money

_ASSETS_DRAWN_MAX: Final = 3
_ZERO: Final = Decimal(0)
_OF_ASSET: Final = "· "
"""Before the places of an asset."""


def render_inventory(
    report: BalanceReport,
    money: Money,
    rebalancing: RebalancingReport | None = None,
    transfers: TransfersReport | None = None,
) -> Screen:
    """Show each asset in all and by place, the most worth first."""
    note = words.money_words(report.basis, money)
    lines = [line for line in report.lines if line.money is money and line.held]
    moving = on_the_way(transfers)
    way: list[Table | Lines | Text] = (
        [Text("On its way between exchanges, at neither:"), Lines(tuple(moving))] if moving else []
    )
    if not lines:
        return Screen(
            title=f"Inventory: nothing {money}",
            blocks=(Text("No place holds anything of this money."), *way),
            note=note,
        )
    worth = _worth(lines)
    blocks: list[Table | Lines | Text] = [
        Table(("", "held", "USD", "share"), tuple(_rows(lines, worth)))
    ]
    if held := tuple(
        f"{line.venue}: {words.size(line.reserved)} {line.asset}" for line in lines if line.reserved
    ):
        blocks += [Text("Reserved for plans under way:"), Lines(held)]
    blocks += way
    if unpriced := sorted({line.asset for line in lines if line.usd is None}):
        blocks.append(Text(f"Without a price now, in no sum: {words.listing(unpriced)}."))
    blocks += [] if rebalancing is None else _proposed(rebalancing, transfers)
    return Screen(title=f"Inventory: {words.usd(worth)} {money}", blocks=tuple(blocks), note=note)


def render_assets(report: BalanceReport, money: Money) -> Screen:
    """Show each asset in all, to stand below the picture of what was held."""
    screen = render_inventory(report, money)
    blocks = tuple(
        replace(block, rows=tuple(row for row in block.rows if not row[0].startswith(_OF_ASSET)))
        for block in screen.blocks
        if isinstance(block, Table)
    )
    return replace(screen, blocks=blocks or screen.blocks)


def make_past(report: BalanceReport, past: InventoryPast, *, days: int) -> Panels | None:
    """Return the picture of what was held, None where nothing was that has a price."""
    prices = _prices(line for line in report.lines if line.money is past.money)
    totals = [_ZERO for _ in past.at_ns]
    by_asset: defaultdict[str, list[Decimal]] = defaultdict(lambda: [_ZERO for _ in past.at_ns])
    for place in past.places:
        if (price := prices.get(place.asset)) is None:
            continue
        amounts = by_asset[place.asset]
        for number, held in enumerate(place.held):
            amounts[number] += held
            totals[number] += held * price
    if not by_asset:
        return None
    most = sorted(by_asset, key=lambda asset: -abs(by_asset[asset][-1] * prices[asset]))
    return Panels(
        name="inventory",
        title=f"{past.money.capitalize()} inventory, {days} days",
        panels=(
            (f"all, {words.usd(totals[-1])}", _points(past.at_ns, totals)),
            *(
                (
                    f"{asset}, {words.size(by_asset[asset][-1])}",
                    _points(past.at_ns, by_asset[asset]),
                )
                for asset in most[:_ASSETS_DRAWN_MAX]
            ),
        ),
        until_ns=past.at_ns[-1],
        hint="all in USD at the prices of now; below it the assets of most worth",
        basis_note=words.money_words(report.basis, past.money),
    )


def _proposed(report: RebalancingReport, transfers: TransfersReport | None) -> list[Lines | Text]:
    """Say which transfers would pay; that each takes a person stands with them."""
    refused = (
        f"{words.count(report.missed)} routes of the last day were refused for want of balance"
    )
    if not report.transfers:
        return [Text(f"{refused}; no transfer would pay.")] if report.missed else []
    lines = [
        row
        for one in report.transfers
        for row in (
            f"{words.size(one.amount)} {one.asset} {one.source}→{one.target}",
            f"  {words.count(one.routes)} routes {words.usd(one.gain_usd, is_signed=True)}, costs "
            + words.usd(one.cost_usd),
        )
    ]
    return [
        Text(f"{refused}. What would pay, within a day; {_whose(report, transfers)}:"),
        Lines(tuple(lines)),
        *(Text(where_to(one)) for one in report.transfers),
    ]


def _whose(report: RebalancingReport, transfers: TransfersReport | None) -> str:
    """Say who moves it: no more than what the settings allow."""
    sources = () if transfers is None else transfers.sources
    if any(one.source in sources and one.to for one in report.transfers):
        return "you move it yourself, or have it moved with /transfer"
    return "you move it yourself, nothing else does"


def _rows(lines: Sequence[BalanceLine], worth: Decimal) -> Iterable[tuple[str, ...]]:
    by_asset: defaultdict[str, list[BalanceLine]] = defaultdict(list)
    for line in lines:
        by_asset[line.asset].append(line)
    for asset, own in sorted(by_asset.items(), key=lambda item: (-_worth(item[1]), item[0])):
        held = sum((line.held for line in own), _ZERO)
        yield asset, words.size(held), _dollars(own), words.share(float(_worth(own)), float(worth))
        for line in sorted(own, key=lambda one: (-one.held, one.venue)):
            of_asset = words.share(float(line.held), float(held)) if held > 0 else ""
            yield f"{_OF_ASSET}{line.venue}", words.size(line.held), _dollars([line]), of_asset


def _dollars(lines: Sequence[BalanceLine]) -> str:
    return "?" if any(line.usd is None for line in lines) else f"{_worth(lines):,.0f}"


def _worth(lines: Iterable[BalanceLine]) -> Decimal:
    return sum((line.usd for line in lines if line.usd is not None), _ZERO)


def _prices(lines: Iterable[BalanceLine]) -> dict[str, Decimal]:
    return {line.asset: line.usd / line.held for line in lines if line.usd and line.held}


def _points(at_ns: Sequence[int], values: Sequence[Decimal]) -> tuple[tuple[int, float], ...]:
    return tuple((at, float(value)) for at, value in zip(at_ns, values, strict=True))
