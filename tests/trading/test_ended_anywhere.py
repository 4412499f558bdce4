"""The trader is ended at each place between two of its effects, and starts again.

Each order is placed once or not at all, and told as its venue has it, whatever the network does.
"""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from engine.domain.orders_handed import HandedOrder
from engine.gateways.gateway_list import GATEWAYS, gateway_of
from engine.storage.durable_file import go_on
from engine.trading.proof import Waits, proven_within_ms
from tests.effort import IS_DEEP
from tests.trading.ended import play
from tests.trading.orders import order_of, plan_at
from tests.trading.work_world import EndedError, World, in_virtual_time, make_world

SEEDS = 48 if IS_DEEP else 6

CALLS_MS = 2_000
"""What calls and looks at the time take beside the rules."""

of_each = pytest.mark.parametrize("venue", GATEWAYS)

BOUNDARIES = {
    "before taking on",
    "taken on",
    "before sending",
    "sent",
    "before keeping",
    "kept",
    "before marking",
    "marked",
}
AHEAD = {"before signing ahead", "signed ahead"}
ALONE = {"before signing", "signed"}
"""Where lines are in use, each order is signed once it has its own."""

BUSY = {"binance", "bitstamp", "gemini"}
"""Venues at which they are, at Gemini by themselves; both ways are gone through at several."""


def beside(venue: str) -> tuple[str, str]:
    return (venue, "binance" if venue != "binance" else "gemini")


@of_each
def test_ended_at_every_boundary_each_order_is_placed_once_or_not_at_all(venue: str) -> None:
    is_busy = venue in BUSY
    undisturbed = play(beside(venue), 1, is_busy=is_busy)
    assert undisturbed.wrong == []
    luck, ended = Random(venue), Counter[str]()

    for at in range(1, len(undisturbed.seen) + 1):
        once = play(beside(venue), 1, ends=(at,), is_busy=is_busy)
        assert once.wrong == [], at
        ended += once.ended
        if at % 3 == 0:
            left = max(len(once.seen) - at, 1)
            ends = (at, luck.randint(1, left))
            again = play(beside(venue), 1, ends=ends, is_busy=is_busy)
            assert again.wrong == [], at

    assert ended.keys() >= BOUNDARIES | (ALONE if is_busy else AHEAD)


@of_each
def test_over_a_bad_network_and_restarts_no_order_is_ever_doubled_or_lost(venue: str) -> None:
    happened, ended, fates = Counter[str](), Counter[str](), Counter[str]()
    for seed in range(SEEDS):
        luck = Random(f"{venue} {seed}")
        ends = [luck.randint(1, 30) for _ in range(luck.choice((0, 1, 2, 3)))]
        trouble = luck.choice((0.1, 0.4, 0.7))

        played = play(beside(venue), seed, trouble=trouble, ends=ends, is_busy=seed % 2 == 0)

        assert played.wrong == [], f"seed {seed}, ended at {ends}"
        happened += played.happened
        ended += played.ended
        fates += played.fates

    for kind in ("request lost", "answer lost", "a proxy's page", "answer cut"):
        assert happened[kind] > 0, kind
    assert ended.total() > 0
    assert fates["filled"] > 0
    assert fates["never"] > 0


@of_each
def test_what_may_have_left_before_an_end_is_proven_within_what_the_venues_rules_say(
    tmp_path: Path, venue: str
) -> None:
    """At Bitstamp and Coinbase that is minutes: less patience sees orders that are unknown."""
    world, orders = make_world(tmp_path / "orders.sqlite3", venue), list[HandedOrder]()
    took_ms: list[int] = []

    def end(where: str) -> None:
        if where == "before sending":
            raise EndedError(where)

    async def handing_over(world: World) -> None:
        assert world.answers is not None
        await world.until(world.is_open_for_orders)
        orders.append(order_of(plan_at(venue), 0, at_ms=world.wall_ms()))
        await world.answers.hand_over(tuple(orders))
        await world.until(lambda: False)

    async def finding_out(world: World) -> None:
        began_ms = world.now_ms()
        await world.until(
            lambda: (news := world.last(orders[0])) is not None and news.fate.is_final
        )
        took_ms.append(world.now_ms() - began_ms)
        assert world.judge(orders) == []

    async def lives() -> None:
        world.crash = end
        with pytest.raises(BaseExceptionGroup):
            await world.live(handing_over)
        world.crash = go_on
        await world.live(finding_out)

    in_virtual_time(lives)

    rules = gateway_of(venue).rules
    assert took_ms[0] <= proven_within_ms(rules, Waits()) + CALLS_MS
    assert (took_ms[0] < rules.late_ms_max) is rules.is_fenced
