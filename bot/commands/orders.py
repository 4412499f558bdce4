"""Commands /orders, /order, /balances and /fees: what is really placed at venues, and how they do.

All of it is said by whoever places orders; where none are placed that role is not there.
"""

from typing import Final

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_unknown
from bot.grammar import Argument, Form
from bot.render.orders import render_balances, render_order, render_orders, render_tiers
from engine.bus.trading import GetVenueOrders

SHOWN: Final = 5
SHOWN_MAX: Final = 50

_ORDERS = Button(label="Orders", line="/orders")
_BALANCES = Button(label="Venues", line="/balances")
_FEES = Button(label="Fees", line="/fees")
_TRADES = Button(label="Trades", line="/trades")


async def orders(call: Call) -> Answer:
    """Show the newest orders, those that are open first."""
    report = await call.ask(GetVenueOrders(most=call.arguments.number("orders", default=SHOWN)))
    one = report.orders[:1]
    each = tuple(
        Button(label=line.client_order_id, line=f"/order {line.client_order_id}") for line in one
    )
    rows = (each, (_TRADES, _BALANCES)) if each else ((_TRADES, _BALANCES),)
    return Answer(screen=render_orders(report, now_ns=call.now_ns), buttons=rows)


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
    ),
    handler=orders,
    parent="trades",
    grammar=(Argument(name="orders", form=Form.NUMBER, number_max=SHOWN_MAX),),
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
    """Show what is ours at each venue, and whether it takes orders."""
    report = await call.ask(GetVenueOrders(most=0))
    return Answer(
        screen=render_balances(report, now_ns=call.now_ns),
        buttons=((_ORDERS, _FEES),),
    )


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
    ),
    handler=balances,
    parent="balance",
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
        "Routes are reckoned with the fees in /fee; what was really paid is in each trade.",
    ),
    handler=fees,
    parent="fee",
)
