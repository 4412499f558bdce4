"""The screens and the picture of the paper inventory that trades draw on."""

from collections.abc import Iterable
from decimal import Decimal

from bot.answer import Heatmap
from bot.render import words
from bot.render.screen import Facts, Lines, Mark, Screen, Table, Text
from engine.bus.reports import BalanceLine, BalanceReport, PnlReport
from engine.domain.modes import Money

_LOW = Decimal("0.1")
"""A place with less than this part of its start left is as good as empty."""

_PLACES_SHOWN_MAX = 24
_ROWS_DRAWN_MAX = 12
_PERCENT = 100


def render_balance(
    report: BalanceReport, *, day: PnlReport | None, ever: PnlReport | None
) -> Screen:
    """Show what each venue holds, how far it is from its start, and what the capital earned."""
    note = words.BASIS_WORDS[report.basis]
    paper = [line for line in report.lines if line.money is Money.PAPER]
    live = [line for line in report.lines if line.money is Money.LIVE]
    if not report.lines:
        return Screen(
            title="Balance: nothing yet",
            blocks=(Text("Each place gets its paper money at the first price of its asset."),),
            note=note,
        )
    capital_usd = sum((line.started_usd for line in paper), Decimal(0))
    facts = [
        ("Capital at start", words.usd(capital_usd)),
        ("Return, last day", _return(day, capital_usd)),
        ("Return, all days", _return(ever, capital_usd)),
        ("Moved since start", _shifted(paper)),
    ]
    if report.waiting:
        facts.append(("No price yet", f"{report.waiting} places"))
    shown = sorted(paper, key=lambda line: (line.venue, line.asset))
    if len(shown) > _PLACES_SHOWN_MAX:
        shown = sorted(sorted(shown, key=_left)[:_PLACES_SHOWN_MAX], key=lambda line: line.venue)
    blocks: list[Facts | Table | Lines | Text] = [
        Facts(tuple(facts)),
        Table(("", "held", "USD", "shift"), tuple(_rows(shown))),
    ]
    if len(shown) < len(paper):
        blocks.append(Text(f"The emptiest {len(shown)} of {len(paper)} places."))
    if reserved := tuple(
        f"{line.venue}: {words.size(line.reserved)} {line.asset}" for line in paper if line.reserved
    ):
        blocks += [Text("Reserved for plans under way:"), Lines(reserved)]
    low = [line for line in paper if line.started and _left(line) < _LOW]
    if low:
        names = words.listing([f"{line.asset} at {line.venue}" for line in low])
        blocks.append(Text(f"Used up: {names}. /balance reset sets all back."))
    if live:
        blocks += [
            Text(f"Live, on chain: {words.usd(_worth(live))} now, in no sum with paper."),
            Lines(tuple(row for line in live for row in _live_rows(line))),
        ]
    return Screen(
        title=f"Balance: {words.usd(_worth(paper))} now",
        mark=Mark.WARN if low else Mark.NONE,
        blocks=tuple(blocks),
        note=note,
    )


def render_ask_reset(why: str) -> Screen:
    """Ask for the second step of setting the paper money back."""
    text = why[0].upper() + why[1:]
    return Screen(title="Set paper money back?", mark=Mark.WARN, blocks=(Text(f"{text}."),))


def make_balance_heatmap(report: BalanceReport) -> Heatmap | None:
    """Return the picture of how far each place is from its start, or None where there is none."""
    lines: dict[tuple[str, str], BalanceLine] = {
        (line.asset, line.venue): line
        for line in report.lines
        if line.started and line.money is Money.PAPER
    }
    assets = sorted({asset for asset, _ in lines})[:_ROWS_DRAWN_MAX]
    venues = sorted({venue for _, venue in lines})
    if not assets:
        return None

    def cell(asset: str, venue: str) -> tuple[float, str] | None:
        line = lines.get((asset, venue))
        if line is None:
            return None
        return float(_left(line) - 1) * _PERCENT, words.size(line.held)

    return Heatmap(
        name="balance",
        title="Paper money by venue and asset",
        rows=tuple(assets),
        columns=tuple(venues),
        cells=tuple(tuple(cell(asset, venue) for venue in venues) for asset in assets),
        middle=0.0,
        decimals=0,
        hint="% more or less than at the start; below it what is held now",
        basis_note=words.BASIS_WORDS[report.basis],
    )


def _rows(lines: Iterable[BalanceLine]) -> Iterable[tuple[str, ...]]:
    by_venue: dict[str, list[BalanceLine]] = {}
    for line in lines:
        by_venue.setdefault(line.venue, []).append(line)
    for venue, own in by_venue.items():
        yield venue, "", f"{_worth(own):,.0f}", ""
        for line in own:
            worth = "?" if line.usd is None else f"{line.usd:,.0f}"
            yield f"· {line.asset}", words.size(line.held), worth, _shift(line)


def _live_rows(line: BalanceLine) -> Iterable[str]:
    worth = "no price" if line.usd is None else words.usd(line.usd)
    yield f"{line.venue} {words.size(line.held)} {line.asset} {worth}"
    if line.reserved:
        yield f"  {words.size(line.reserved)} reserved"


def _shift(line: BalanceLine) -> str:
    return f"{float(_left(line) - 1) * _PERCENT:+.0f}%" if line.started else "-"


def _left(line: BalanceLine) -> Decimal:
    return line.held / line.started if line.started else Decimal(1)


def _worth(lines: Iterable[BalanceLine]) -> Decimal:
    return sum((line.usd for line in lines if line.usd is not None), Decimal(0))


def _shifted(lines: Iterable[BalanceLine]) -> str:
    """Return what part of the money no longer is where it started: what rebalancing would move."""
    start_usd = away_usd = Decimal(0)
    for line in lines:
        start_usd += line.started_usd
        away_usd += line.started_usd * max(1 - _left(line), Decimal(0))
    return words.share(float(away_usd), float(start_usd))


def _return(pnl: PnlReport | None, capital_usd: Decimal) -> str:
    if pnl is None:
        return "the ledger is away"
    gained = words.usd(pnl.realised_usd, is_signed=True)
    if not capital_usd:
        return gained
    return f"{float(pnl.realised_usd / capital_usd) * _PERCENT:+.2f}% ({gained})"
