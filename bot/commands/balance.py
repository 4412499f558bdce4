"""Command: /balance."""

from bot.answer import Answer, Button, Confirmation
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import EVER_DAYS, answer_plainly, ask_pnl
from bot.grammar import Argument, Arguments, Form
from bot.render.balance import make_balance_heatmap, render_ask_reset, render_balance
from bot.render.screen import brief
from engine.bus.reports import Declined
from engine.requests.balance import GetBalance
from engine.requests.safety import ResetBalance

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
    screen = render_balance(
        report, day=await ask_pnl(call, days=1), ever=await ask_pnl(call, days=EVER_DAYS)
    )
    if call.arguments.text("form") == "picture":
        return Answer(screen=brief(screen), chart=make_balance_heatmap(report))
    return Answer(screen=screen, buttons=_BUTTONS)


def is_reset(arguments: Arguments) -> bool:
    """Say whether a call asks to set the paper money back."""
    return arguments.text("form") == "reset"


BALANCE = CommandEntry(
    name="balance",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="paper money by venue and asset",
    long_help=(
        (
            "Shows what each venue holds of each asset, its worth now, and how far it has"
            " shifted from the start; what plans under way have reserved; and the realised"
            " profit as a return on the capital, of the last day and of all days."
        ),
        "With the word picture: all places as a heatmap.",
        "What is really on chain stands below as live, and in no sum with paper.",
        (
            "With the word reset: every place is set back to its capital at the prices of now,"
            " after a second step."
        ),
    ),
    handler=balance,
    aliases=("b",),
    grammar=(Argument(name="form", form=Form.CHOICE, choices=("picture", "reset")),),
    changes_when=is_reset,
)


async def _reset(call: Call) -> Answer:
    report = await call.ask(call.seal(ResetBalance()))
    if isinstance(report, Declined) and report.needs_confirmation:
        return Answer(
            screen=render_ask_reset(report.why),
            confirmation=Confirmation(
                action="Set it back", command=call.seal(ResetBalance(is_confirmed=True))
            ),
        )
    return answer_plainly(report, call.settings)
