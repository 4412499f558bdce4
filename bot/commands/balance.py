"""Handler: /balance."""

from bot.answer import Answer, Button, Confirmation
from bot.command import Call
from bot.commands.common import EVER_DAYS, answer_plainly, ask_pnl
from bot.grammar import Arguments
from bot.render.balance import make_balance_heatmap, render_ask_reset, render_balance
from engine.facade.commands import GetBalance, ResetBalance
from engine.facade.reports import BalanceReport, Declined

_BUTTONS = (
    (
        Button(label="Picture", line="/balance picture"),
        Button(label="Trades", line="/trades"),
    ),
)


async def balance(call: Call) -> Answer:
    """Show the paper inventory; as a picture on request; set it back in two steps."""
    if is_reset(call.arguments):
        return await _reset(call)
    report = await call.ask(GetBalance())
    if not isinstance(report, BalanceReport):
        return answer_plainly(report, call.settings)
    screen = render_balance(
        report, day=await ask_pnl(call, days=1), ever=await ask_pnl(call, days=EVER_DAYS)
    )
    if call.arguments.text("form") == "picture":
        return Answer(screen=screen, chart=make_balance_heatmap(report))
    return Answer(screen=screen, buttons=_BUTTONS)


def is_reset(arguments: Arguments) -> bool:
    """Say whether a call asks to set the paper money back."""
    return arguments.text("form") == "reset"


async def _reset(call: Call) -> Answer:
    report = await call.ask(ResetBalance(by=call.by))
    if isinstance(report, Declined) and report.needs_confirmation:
        return Answer(
            screen=render_ask_reset(report.why),
            confirmation=Confirmation(
                action="Set it back", command=ResetBalance(by=call.by, is_confirmed=True)
            ),
        )
    return answer_plainly(report, call.settings)
