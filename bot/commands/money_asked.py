"""Which money a report is of: as asked for; else what was sent, where there is any; else paper.

Never both: what a transaction gained and what a simulation would have are not added up.
"""

from typing import Final

from bot.command import Call
from bot.grammar import Argument, Form
from engine.bus.performance import PerformanceReport
from engine.domain.modes import Money
from engine.domain.performance import By
from engine.domain.units import NS_PER_DAY
from engine.requests.performance import GetPerformance

MONEY: Final = Argument(name="money", form=Form.CHOICE, choices=tuple(Money), may_be_skipped=True)


async def performance_asked(call: Call, by: By, *, days: int) -> PerformanceReport:
    """Ask what the last days came to, of one kind of money."""
    since_ns, said = call.now_ns - days * NS_PER_DAY, call.arguments.text("money")
    if said != Money.PAPER:
        live = await call.ask(
            GetPerformance(since_ns=since_ns, until_ns=call.now_ns, by=by, money=Money.LIVE)
        )
        if said == Money.LIVE or live.all.trades:
            return live
    return await call.ask(GetPerformance(since_ns=since_ns, until_ns=call.now_ns, by=by))
