"""Commands /orders, /order, /balances and /fees: what is really placed at venues, and how they do.

All of it is said by whoever places orders; where none are placed that role is not there.
"""

from typing import Final

from msgspec.structs import replace

from bot.answer import Answer, Button, Confirmation
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly, answer_unknown, ask_to_loosen
from bot.grammar import Argument, Arguments, Form
from bot.render.orders import (
    render_ask_cancel,
    render_balances,
    render_order,
    render_orders,
    render_tiers,
)
from engine.bus.reports import Declined
from engine.bus.trading import CancelVenueOrders, GetVenueOrders
from engine.requests.venue_accounts import TakeAccount

SHOWN: Final = 5
SHOWN_MAX: Final = 50
CANCEL: Final = "cancel"
ADOPT: Final = "adopt"

_ORDERS = Button(label="Orders", line="/orders")
_BALANCES = Button(label="Venues", line="/balances")
_FEES = Button(label="Fees", line="/fees")
_TRADES = Button(label="Trades", line="/trades")


async def orders(call: Call) -> Answer:
    """Show the newest orders, those that are open first; ask once more before all are cancelled."""
    if is_cancel(call.arguments):
        return Answer(
            screen=render_ask_cancel(),
            confirmation=Confirmation(
                action="Cancel all that is open",
                command=call.seal(CancelVenueOrders(), at_ns=call.now_ns),
            ),
        )
    report = await call.ask(GetVenueOrders(most=call.arguments.number("orders", default=SHOWN)))
    one = report.orders[:1]
    each = tuple(
        Button(label=line.client_order_id, line=f"/order {line.client_order_id}") for line in one
    )
    rows = (each, (_TRADES, _BALANCES)) if each else ((_TRADES, _BALANCES),)
    return Answer(screen=render_orders(report, now_ns=call.now_ns), buttons=rows)


def is_cancel(arguments: Arguments) -> bool:
    """Say whether a line asks to cancel what is open."""
    return arguments.text("act") is not None


ORDERS = CommandEntry(
    name="orders",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="real orders, open ones first",
    long_help=(
        (
            "Shows the newest orders that were really placed, those that are not over first: what"
            " was asked, what became of it, and for how long an outcome is unknown."
        ),
        "Above them: how many would rest in a book if this machine died now.",
        (
            "/orders cancel asks once more, then withholds what has not left and cancels what may"
            " rest, while killed too. What is filled stays; plans go on with what is left."
        ),
    ),
    handler=orders,
    parent="trades",
    changes_when=is_cancel,
    grammar=(
        Argument(name="act", form=Form.CHOICE, choices=(CANCEL,), may_be_skipped=True),
        Argument(name="orders", form=Form.NUMBER, number_max=SHOWN_MAX),
    ),
)


async def order(call: Call) -> Answer:
    """Show one order."""
    ref = call.arguments.text("id") or ""
    report = await call.ask(GetVenueOrders(most=1, client_order_id=ref))
    if not report.orders:
        newest = await call.ask(GetVenueOrders(most=SHOWN))
        known = [one.client_order_id for one in newest.orders]
        return answer_unknown("/order", "order", ref, known)
    return Answer(
        screen=render_order(report, report.orders[0], now_ns=call.now_ns),
        buttons=((_ORDERS, _TRADES),),
    )


ORDER = CommandEntry(
    name="order",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="one real order with its fills",
    long_help=(
        "Shows one order: what was asked, its fills with their fees, the venue's own id for it.",
    ),
    handler=order,
    parent="orders",
    grammar=(Argument(name="id", form=Form.WORD, is_required=True),),
)


async def balances(call: Call) -> Answer:
    """Show what is ours at each venue; take what a halted one shows as what is so."""
    report = await call.ask(GetVenueOrders(most=0))
    if is_adoption(call.arguments):
        return await _adopt(call, [one.venue for one in report.venues])
    return Answer(
        screen=render_balances(report, now_ns=call.now_ns),
        buttons=((_ORDERS, _FEES),),
    )


async def _adopt(call: Call, known: list[str]) -> Answer:
    """Let orders go to a venue again once that has what a loosening needs."""
    venue, code = (call.arguments.text("venue") or "").lower(), call.arguments.text("code")
    if venue not in known:
        return answer_unknown("/balances adopt", "venue", venue or "no venue", known)
    command = TakeAccount(venue=venue, is_confirmed=code is not None, code=code)
    reply = await call.ask(call.seal(command, at_ns=call.given_at_ns if code else call.now_ns))
    if isinstance(reply, Declined) and reply.needs_confirmation:
        return await ask_to_loosen(
            call,
            replace(command, is_confirmed=True),
            reply,
            asked=f"Take what {venue.capitalize()} shows as what is so?",
            action=f"Let orders go to {venue}",
        )
    return answer_plainly(reply, call.settings)


def is_adoption(arguments: Arguments) -> bool:
    """Say whether a line asks to take what a venue shows as what is so."""
    return arguments.text("act") is not None


BALANCES = CommandEntry(
    name="balances",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="real money at venues, how they do",
    long_help=(
        (
            "Shows each venue that is traded for real: whether it takes orders and if not why, when"
            " orders, fills and balances were last compared with ours, and what we have there."
        ),
        "Paper money is in /balance, and in no sum with this.",
        (
            "/balances adopt kraken takes what a halted venue shows as what is so, with what a"
            " looser limit takes; orders go there again. Look at the differences before."
        ),
    ),
    handler=balances,
    parent="balance",
    changes_when=is_adoption,
    grammar=(
        Argument(name="act", form=Form.CHOICE, choices=(ADOPT,)),
        Argument(name="venue", form=Form.WORD, may_be_skipped=True),
        Argument(name="code", form=Form.CODE),
    ),
)


async def fees(call: Call) -> Answer:
    """Show the fees of our tier."""
    report = await call.ask(GetVenueOrders(most=0))
    return Answer(
        screen=render_tiers(report, now_ns=call.now_ns),
        buttons=((_BALANCES, Button(label="Reckoned with", line="/fee")),),
    )


FEES = CommandEntry(
    name="fees",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="fees of our tier at each venue",
    long_help=(
        "Shows taker and maker fee of our tier at each venue that is traded for real.",
        "Routes are reckoned with it, see /fee; what was really paid is in each trade.",
    ),
    handler=fees,
    parent="fee",
)
