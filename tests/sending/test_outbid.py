"""What a relay tells of a bid is said in one sentence, and what it does not tell is not made up."""

from typing import Any

import pytest

from engine.sending.outbid import why_not_there

OURS = "0x01"
RIVAL = "0x" + "12" * 20


def one(*, place: int, paid_wei: int, hash_: str, why: str = "") -> dict[str, Any]:
    return {"signer": RIVAL, "hashes": [hash_], "paid_wei": paid_wei, "place": place, "why": why}


def test_who_paid_more_is_named_with_what_both_paid() -> None:
    told = [
        one(place=0, paid_wei=10**16, hash_="0x02"),
        one(place=-1, paid_wei=10**15, hash_=OURS, why="behind what pays more: reverted"),
    ]

    assert why_not_there(7, told, OURS) == (
        f"outbid in block 7 by {RIVAL}, who paid 0.010000 in front; ours would have paid 0.001000"
    )


def test_what_failed_by_itself_was_not_outbid() -> None:
    told = [
        one(place=0, paid_wei=10**16, hash_="0x02"),
        one(place=-1, paid_wei=0, hash_=OURS, why="the block's time 9 is not between 1 and 8"),
    ]

    assert why_not_there(7, told, OURS) == (
        "not in block 7: the block's time 9 is not between 1 and 8"
    )


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        [4],
        [{}],
        [{"hashes": [OURS]}],
        [one(place=0, paid_wei=1, hash_=OURS)],
        [one(place=-1, paid_wei=1, hash_="0x02")],
        [{**one(place=-1, paid_wei=1, hash_=OURS), "place": "x"}],
    ],
)
def test_what_is_not_told_is_not_made_up(told: Any) -> None:
    assert why_not_there(7, told, OURS) == ""


def test_a_bundle_in_which_ours_only_went_ahead_says_nothing_of_its_own() -> None:
    behind = one(place=-1, paid_wei=10**17, hash_=OURS, why="0x02 reverted")
    behind["hashes"].append("0x02")
    alone = one(place=-1, paid_wei=10**15, hash_=OURS, why="behind what pays more: reverted")

    assert why_not_there(7, [behind, alone], OURS) == (
        "not in block 7: behind what pays more: reverted"
    )
    assert why_not_there(7, [behind | {"place": 0}, alone], OURS) == ""
