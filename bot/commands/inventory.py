"""Command: /inventory: all that is ours by asset and place, of one kind of money, and its past."""

from typing import Final

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import DAYS_MAX
from bot.commands.money_asked import MONEY
from bot.grammar import Argument, Form
from bot.render.inventory import make_past, render_assets, render_inventory
from engine.bus.money_reports import FreeAt, RebalancingReport
from engine.bus.reports import BalanceReport
from engine.bus.transfer_reports import TransfersReport
from engine.bus.transferring import GetTransfers
from engine.domain.assets import AssetCode
from engine.domain.errors import TransientError
from engine.domain.modes import Money
from engine.domain.units import NS_PER_DAY
from engine.requests.balance import GetBalance
from engine.requests.inventory import GetInventoryPast, GetRebalancing

PICTURE: Final = "picture"
DAYS: Final = 7


async def inventory(call: Call) -> Answer:
    """Show what is held, live where anything is; as a picture what was held over a time."""
    report = await call.ask(GetBalance())
    said = call.arguments.text("money")
    is_live = any(line.money is Money.LIVE for line in report.lines)
    money = Money(said) if said else Money.LIVE if is_live else Money.PAPER
    is_text = call.arguments.text("form") != PICTURE
    is_live_text = is_text and money is Money.LIVE
    rebalancing = await _rebalancing(call, report) if is_live_text else None
    transfers = await _transfers(call) if is_live_text else None
    if is_text:
        other = Money.PAPER if money is Money.LIVE else Money.LIVE
        return Answer(
            screen=render_inventory(report, money, rebalancing, transfers),
            buttons=(
                (
                    Button(label="Picture", line=f"/inventory {money} {PICTURE}"),
                    Button(label=other.capitalize(), line=f"/inventory {other}"),
                ),
            ),
        )
    days = call.arguments.number("days", default=DAYS)
    past = await call.ask(
        GetInventoryPast(
            since_ns=call.now_ns - days * NS_PER_DAY, until_ns=call.now_ns, money=money
        )
    )
    return Answer(screen=render_assets(report, money), chart=make_past(report, past, days=days))


INVENTORY = CommandEntry(
    name="inventory",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="all that is ours, by asset and place",
    long_help=(
        (
            "Shows how much of each asset is held in all and at each place, its worth now and its"
            " share of all, and what plans under way have reserved, and what is on its way between"
            " exchanges. Of live money where there is"
            " any, else of paper; live or paper behind it asks for one of the two, and no sum"
            " holds both."
        ),
        (
            "With the word picture: what was held over the last 7 days, or as many as you say, in"
            " all at the prices of now, and of the assets that are worth most."
        ),
    ),
    handler=inventory,
    parent="balance",
    grammar=(
        MONEY,
        Argument(name="form", form=Form.CHOICE, choices=(PICTURE,), may_be_skipped=True),
        Argument(name="days", form=Form.NUMBER, number_max=DAYS_MAX),
    ),
)


async def _transfers(call: Call) -> TransfersReport | None:
    """Ask what is on its way between exchanges; None where nobody can say."""
    try:
        return await call.ask(GetTransfers(most=0))
    except TransientError:
        return None


async def _rebalancing(call: Call, report: BalanceReport) -> RebalancingReport:
    """Ask which transfers of live money would pay, by the last day."""
    free = [
        FreeAt(venue=line.venue, asset=AssetCode(line.asset), free=line.held - line.reserved)
        for line in report.lines
        if line.money is Money.LIVE
    ]
    return await call.ask(GetRebalancing(free=free, since_ns=call.now_ns - NS_PER_DAY))
