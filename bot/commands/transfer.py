"""Command /transfer: money on its way between exchanges, and to bring some there by one's word."""

import dataclasses
from decimal import Decimal, InvalidOperation

from msgspec.structs import replace

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly, ask_to_loosen
from bot.grammar import Argument, Arguments, Form
from bot.render.safety import render_declined
from bot.render.transfer import render_ask_transfer, render_transfers
from engine.bus.reports import Declined
from engine.bus.transferring import CancelTransfer, GetTransfers, GetTransferTerms
from engine.requests.transfers import BeginTransfer

CANCEL = "cancel"
SHOWN = 5
HOW = "/transfer kraken binance 0.5 BTC"

_INVENTORY = Button(label="Inventory", line="/inventory")
_VENUES = Button(label="Venues", line="/balances")


async def transfer(call: Call) -> Answer:
    """Show transfers; ask once more before one begins; stop one in one step."""
    if is_cancel(call.arguments):
        return await _cancel(call)
    if is_begin(call.arguments):
        return await _begin(call)
    report = await call.ask(GetTransfers(most=SHOWN))
    stops = tuple(
        Button(
            label=f"Stop {one.order.transfer_id}",
            line=f"/transfer {CANCEL} {one.order.transfer_id}",
        )
        for one in report.lines
        if one.is_open
    )
    rows = ((stops[0],),) if stops else ()
    return Answer(
        screen=render_transfers(report, now_ns=call.now_ns),
        buttons=(*rows, (_INVENTORY, _VENUES)),
    )


async def _cancel(call: Call) -> Answer:
    ref = call.arguments.text("to") or ""
    if not ref:
        return Answer(screen=render_declined(Declined(why=f"which one? /transfer {CANCEL} t1a2b3")))
    reply = await call.ask(call.seal(CancelTransfer(transfer_id=ref)))
    return answer_plainly(reply, call.settings)


async def _begin(call: Call) -> Answer:
    """Begin one on the terms that were shown, once that has what a loosening needs."""
    arguments, code = call.arguments, call.arguments.text("code")
    asset, _, chain = (arguments.text("asset") or "").partition("/")
    try:
        amount = Decimal(arguments.text("amount") or "")
    except InvalidOperation:
        amount = Decimal(0)
    if not asset or not amount.is_finite() or amount <= 0:
        why = f"how much of what? {HOW}; the chain behind it if there are several: BTC/bitcoin"
        return Answer(screen=render_declined(Declined(why=why)))
    # With a code it is the second step: what counts then is what was shown before it.
    terms = await call.ask(
        GetTransferTerms(
            source=(arguments.text("from") or "").lower(),
            target=(arguments.text("to") or "").lower(),
            asset=asset.upper(),
            amount=amount,
            chain=chain.lower(),
            is_shown=code is None,
        )
    )
    if terms.order is None:
        return Answer(screen=render_declined(Declined(why=terms.why_not)))
    command = BeginTransfer(order=terms.order, is_confirmed=code is not None, code=code)
    reply = await call.ask(call.seal(command, at_ns=call.given_at_ns if code else call.now_ns))
    if isinstance(reply, Declined) and reply.needs_confirmation:
        what = f"{amount:f} {terms.order.asset}"
        answer = await ask_to_loosen(
            call,
            replace(command, is_confirmed=True),
            reply,
            asked=f"Send {what} from {terms.order.source} to {terms.order.destination.venue}?",
            action=f"Send {what}",
        )
        return dataclasses.replace(answer, screen=render_ask_transfer(terms, answer.screen))
    return answer_plainly(reply, call.settings)


def is_cancel(arguments: Arguments) -> bool:
    """Say whether a line asks to stop a transfer."""
    return (arguments.text("from") or "").lower() == CANCEL


def is_begin(arguments: Arguments) -> bool:
    """Say whether a line asks to begin one."""
    return arguments.text("from") is not None and not is_cancel(arguments)


TRANSFER = CommandEntry(
    name="transfer",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="money between exchanges, by your word",
    long_help=(
        (
            "Shows what is on its way between exchanges and what became of the last ones: what"
            " left, what arrived, what the way kept, and for how long an outcome is unknown."
        ),
        (
            f"{HOW} shows the terms: the address that the settings have, what goes first as a test,"
            " how long it waits. A second step, or with an authenticator the same line and its six"
            " digits, begins it. Without a withdraw key nothing is ever sent."
        ),
        (
            "/transfer cancel t1a2b3 stops what has not left, in one step, and so does a kill. What"
            " has left is followed until its end is proven, and nothing is sent twice."
        ),
    ),
    handler=transfer,
    parent="inventory",
    protective_when=is_cancel,
    changes_when=is_begin,
    grammar=(
        Argument(name="from", form=Form.WORD),
        Argument(name="to", form=Form.WORD),
        Argument(name="amount", form=Form.AMOUNT),
        Argument(name="asset", form=Form.WORD),
        Argument(name="code", form=Form.CODE),
    ),
)
