"""Command /token: what is known of a token, and why it may not be in a route."""

from typing import Final

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.grammar import Argument, Form
from bot.render.screen import Screen
from bot.render.token import render_token, short
from engine.bus.token_report import TokenLine
from engine.requests.token import GetToken

_LABEL_MAX: Final = 24


async def token(call: Call) -> Answer:
    """Show a token, or those that were refused last."""
    name = call.arguments.text("token") or ""
    report = await call.ask(GetToken(name=name))
    if name and not report.found:
        return Answer(
            screen=Screen(title=f"No token {short(name)} in any pool that is known"),
            buttons=((Button(label="All tokens", line="/token"),),),
        )
    rows: tuple[tuple[Button, ...], ...] = ()
    if len(report.found) > 1:
        rows = tuple((_button(line),) for line in report.found)
    return Answer(screen=render_token(report), buttons=rows)


def _button(line: TokenLine) -> Button:
    symbol = line.verdict.symbol if line.verdict is not None else short(line.token)
    return Button(label=f"{symbol} {line.chain}"[:_LABEL_MAX], line=f"/token {line.token}")


TOKEN = CommandEntry(
    name="token",
    topic=Topic.MARKET,
    kind=Kind.READ,
    short_help="what is known of a token",
    long_help=(
        (
            "Shows the verdict on a token (by its address, a part of it, or its symbol), with what"
            " was measured, when, and how long it holds. Only safe ones are in routes."
        ),
        (
            "Each is bought, sent and sold on a copy of the chain, and again after everybody with a"
            " say in it used that. Alone it shows what was refused last."
        ),
    ),
    handler=token,
    grammar=(Argument(name="token", form=Form.WORD),),
    parent="opportunities",
)
