"""What is told after a kill: what is open outside, and what could not be asked."""

from typing import Any

import pytest
from msgspec.structs import replace

from bot.alerts.alert import Severity
from bot.alerts.table import row_of
from bot.render.kills import left_content, render_aftermath
from bot.render.plain import write_plain
from engine.bus.notices import KillLeft
from engine.bus.open_outside import ON_PAPER, OpenOutside
from engine.bus.request import Reply, Request
from engine.bus.sending_reports import TransactionsReport
from engine.bus.trading_reports import VenueOrdersReport
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.wiring.outside import open_outside
from tests.bot import order_samples, samples, sending_samples


class Role:
    """Answers each question with the same, or is away."""

    def __init__(self, reply: VenueOrdersReport | TransactionsReport | None) -> None:
        self._reply: Any = reply

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del request, timeout_s
        if self._reply is None:
            raise TransientError("the trader is away; it is being started again")
        reply: Reply = self._reply
        return reply


def told(outside: OpenOutside, *, is_flat: bool = True) -> tuple[str, str]:
    """Return the notice's title, and its lines as one text."""
    (sample,) = [one for one in samples.all_notices() if isinstance(one, KillLeft)]
    notice = replace(sample, outside=outside, is_flat=is_flat, plans=0, left_over=())
    _, title, lines = left_content(notice)
    severity = row_of(notice).severity(notice)
    assert (severity is Severity.P2) == title.endswith("yes")
    return title, " ".join(lines)


NOTHING_OPEN = replace(
    order_samples.orders(),
    venues=[
        replace(one, open_count=0, unknown_count=0, reconciled_at_ns=samples.AT_NS)
        for one in order_samples.orders().venues
    ],
)


async def test_on_paper_there_is_nobody_to_ask_and_that_is_said() -> None:
    outside = await open_outside(trader=None, sender=None)

    assert outside == ON_PAPER
    title, text = told(outside)
    assert title == "Flat after the kill: yes"
    assert "on paper no venue can be asked" in text


async def test_what_is_open_at_venues_and_on_chains_is_named() -> None:
    trader, sender = Role(order_samples.orders()), Role(sending_samples.transactions())
    open_at = {one.venue: one for one in order_samples.orders().venues if one.open_count}

    outside = await open_outside(trader=trader, sender=sender)

    assert not outside.is_nothing
    title, text = told(outside, is_flat=False)
    assert title == "Flat after the kill: NO"
    assert open_at
    for venue, one in open_at.items():
        assert f"{venue} {one.open_count} open" in text
        assert f"{one.unknown_count} of them unknown" in text
    assert "Transactions under way: 1" in text
    assert "on paper" not in text


async def test_where_nothing_is_open_that_is_said_of_venues_and_not_of_paper() -> None:
    outside = await open_outside(trader=Role(NOTHING_OPEN), sender=None)

    assert outside.is_nothing
    title, text = told(outside)
    assert title == "Flat after the kill: yes"
    assert "At venues: no order of ours is open" in text
    assert "on paper" not in text
    assert "Transactions" not in text


@pytest.mark.parametrize("away", ["trader", "sender"])
async def test_what_could_not_be_asked_is_not_known_and_never_flat(away: str) -> None:
    transactions = TransactionsReport(basis=Basis.SANDBOX_LIVE, transactions=[], count=0)
    trader = Role(None if away == "trader" else NOTHING_OPEN)
    sender = Role(None if away == "sender" else transactions)

    outside = await open_outside(trader=trader, sender=sender)

    title, text = told(outside)
    assert title == "Flat after the kill: NOT KNOWN"
    assert "could not be asked" in text
    assert "away" in text
    screen = render_aftermath(
        replace(samples.aftermath(is_killed=True), outside=outside),
        now_ns=samples.AT_NS,
        has_authenticator=True,
    )
    assert "could not be asked" in write_plain(screen)


async def test_a_venue_that_was_never_compared_is_named() -> None:
    venues = [replace(one, reconciled_at_ns=0) for one in NOTHING_OPEN.venues]

    outside = await open_outside(trader=Role(replace(NOTHING_OPEN, venues=venues)), sender=None)

    assert f"Not compared yet: {venues[0].venue}" in told(outside)[1]
