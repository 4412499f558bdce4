"""An account as its venue shows it, read to its end: open orders, fills of a time, balances."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeVar

from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.venue_orders import BalanceShown, KeyRights, OrderShown, TradeShown
from engine.gateways.answers import Page, Unclear
from engine.gateways.asks import Ask, BalancesAsk, OpenOrdersAsk, RightsAsk, TradesAsk
from engine.gateways.asset_names import asset_of
from engine.gateways.calls import Call
from engine.gateways.rights import UNTOLD
from engine.trading.line import Line
from engine.trading.reconcile import Account
from engine.trading.turns import Urgency

PAGES_MAX: Final = 40
"""A listing that is longer is given up: it would not be of one moment."""

One = TypeVar("One")


class UnreadError(Exception):
    """The account cannot be read now; the text says why."""


async def read_account(
    line: Line, wire_names: Sequence[str], since_ms: int, *, fenced: Callable[[int], None]
) -> Account:
    """Read all of it: balances last, so that they are no older than the fills.

    Args:
        line: to the venue.
        wire_names: instruments of which fills are listed.
        since_ms: from when on (wall clock).
        fenced: is told when a call was signed that the venue took.

    Raises:
        UnreadError: some of it cannot be read.
    """
    gateway = line.gateway
    orders: list[OrderShown] = await _pages(
        line, lambda after: OpenOrdersAsk(following=after), gateway.orders_page, fenced
    )
    trades: list[TradeShown] = []
    listed: list[Call] = []
    for name in wire_names:
        first = gateway.trades(name, since_ms)
        if first in listed:  # where one listing has all instruments, it is read once
            continue
        listed.append(first)

        trades += await read_trades(line, name, since_ms, fenced=fenced)
    balances: list[BalanceShown] = await _pages(
        line,
        lambda after: BalancesAsk(following=after),
        lambda _call, status, body: gateway.balances_page(status, body),
        fenced,
    )
    return Account(
        open_orders=orders,
        trades=_once(trades),
        balances=by_code(gateway.venue, balances),
        since_ms=since_ms,
    )


async def read_trades(
    line: Line,
    wire_name: str,
    since_ms: int,
    *,
    fenced: Callable[[int], None],
    urgency: Urgency = Urgency.READ,
) -> list[TradeShown]:
    """Read the fills of an instrument, or of all where the venue lists all, to the end.

    Raises:
        UnreadError: some of it cannot be read.
    """

    def ask(after: str) -> TradesAsk:
        return TradesAsk(wire_name=wire_name, since_ms=since_ms, following=after)

    gateway = line.gateway
    return await _pages(
        line,
        ask,
        lambda _call, status, body: gateway.trades_page(status, body),
        fenced,
        urgency=urgency,
    )


def by_code(venue: VenueId, balances: Sequence[BalanceShown]) -> list[BalanceShown]:
    """Return balances by the codes of assets; a venue may have several names for one."""
    found: dict[str, BalanceShown] = {}
    for one in balances:
        asset = asset_of(venue, one.asset)
        before = found.get(asset, BalanceShown(asset=asset, free=Decimal(0), held=Decimal(0)))
        found[asset] = BalanceShown(
            asset=asset,
            free=exact_sum((before.free, one.free)),
            held=exact_sum((before.held, one.held)),
        )
    return list(found.values())


async def read_rights(line: Line) -> KeyRights:
    """Read what the key may do; `UNTOLD` where the venue tells nothing of it.

    Raises:
        UnreadError: it does not say now.
    """
    _, answers = await line.ask(RightsAsk(), Urgency.READ)
    for answered in answers:
        if answered.reply is None:
            raise UnreadError(f"the rights of the key: {answered.why}")
        told = line.gateway.rights_told(answered.reply.status, answered.reply.body)
        if isinstance(told, Unclear):
            raise UnreadError(f"the rights of the key: {told.why}")
        return told
    return UNTOLD


def _once(trades: Sequence[TradeShown]) -> list[TradeShown]:
    """Leave out what two pages show: some begin with what the one before ended with."""
    shown = {(one.venue_order_id, one.trade_id, one.is_reversal): one for one in trades}
    return list(shown.values())


async def _pages(
    line: Line,
    ask: Callable[[str], Ask],
    read: Callable[[Call, int, bytes], Page[One] | Unclear],
    fenced: Callable[[int], None],
    *,
    urgency: Urgency = Urgency.READ,
) -> list[One]:
    items: list[One] = []
    following, last, count = "", "", 0
    for _ in range(PAGES_MAX):
        began_ms, (answered,) = await line.ask(ask(following), urgency)
        what = answered.call.kind.replace("_", " ")
        if answered.reply is None:
            raise UnreadError(f"{what}: {answered.why}")
        page = read(answered.call, answered.reply.status, answered.reply.body)
        if isinstance(page, Unclear):
            raise UnreadError(f"{what}: {page.why}")
        fenced(began_ms)
        if last and (not page.rows or page.rows[0] != last):
            raise UnreadError(f"{what}: rows went while it was read")
        items += page.items
        if not page.following:
            return items
        following = page.following
        if page.is_counted:
            # With rows it begins anew with the last one, which shows that none before it went.
            count += len(page.items if page.rows is None else page.rows) - bool(last)
            last = page.rows[-1] if page.rows else ""
            following = str(count - bool(last))
    raise UnreadError(f"{what} of more than {PAGES_MAX} pages")
