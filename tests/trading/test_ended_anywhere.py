"""The trader is ended at each place between two of its effects, and starts again.

Each order is placed once or not at all, and told as its venue has it, whatever the network does.
"""

from collections import Counter
from random import Random

import pytest

from engine.gateways.gateway_list import GATEWAYS
from tests.effort import IS_DEEP
from tests.trading.ended import play

SEEDS = 48 if IS_DEEP else 6

of_each = pytest.mark.parametrize("venue", GATEWAYS)

BOUNDARIES = {
    "before taking on",
    "taken on",
    "before signing",
    "signed",
    "before sending",
    "sent",
    "before keeping",
    "kept",
    "before marking",
    "marked",
}


def beside(venue: str) -> tuple[str, str]:
    return (venue, "binance" if venue != "binance" else "gemini")


@of_each
def test_ended_at_every_boundary_each_order_is_placed_once_or_not_at_all(venue: str) -> None:
    undisturbed = play(beside(venue), 1)
    assert undisturbed.wrong == []
    luck, ended = Random(venue), Counter[str]()

    for at in range(1, len(undisturbed.seen) + 1):
        once = play(beside(venue), 1, ends=(at,))
        assert once.wrong == [], at
        ended += once.ended
        if at % 3 == 0:
            left = max(len(once.seen) - at, 1)
            again = play(beside(venue), 1, ends=(at, luck.randint(1, left)))
            assert again.wrong == [], at

    assert ended.keys() >= BOUNDARIES


@of_each
def test_over_a_bad_network_and_restarts_no_order_is_ever_doubled_or_lost(venue: str) -> None:
    happened, ended, fates = Counter[str](), Counter[str](), Counter[str]()
    for seed in range(SEEDS):
        luck = Random(f"{venue} {seed}")
        ends = [luck.randint(1, 30) for _ in range(luck.choice((0, 1, 2, 3)))]
        trouble = luck.choice((0.1, 0.4, 0.7))

        played = play(beside(venue), seed, trouble=trouble, ends=ends)

        assert played.wrong == [], f"seed {seed}, ended at {ends}"
        happened += played.happened
        ended += played.ended
        fates += played.fates

    for kind in ("request lost", "answer lost", "a proxy's page", "answer cut"):
        assert happened[kind] > 0, kind
    assert ended.total() > 0
    assert fates["filled"] > 0
    assert fates["never"] > 0
