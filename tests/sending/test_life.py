"""Named turns in the life of a nonce; `test_life_ends_once.py` tries all of them in any order."""

import msgspec
import pytest

from engine.domain.errors import BadValueError
from engine.domain.told import Fate
from engine.sending.facts import (
    Act,
    Answer,
    Answered,
    Draft,
    Drafted,
    Landed,
    Learned,
    Life,
    Look,
    Rebid,
    Send,
    Sign,
    Signed,
    Telling,
    Unsigned,
    Warn,
)
from engine.sending.fees import Bid
from engine.sending.life import LifeRules, take
from engine.sending.stages import Stage

RULES = LifeRules(confirm_blocks=2, stuck_blocks=3)
DEADLINE_TS = 1_000
FIRST, SECOND = "0xa1", "0xa2"


def draft(fee_wei: int = 800, *, is_cancel: bool = False, at_block: int = 10) -> Draft:
    bid = Bid(gas_limit=100_000, fee_wei=fee_wei, tip_wei=fee_wei // 8)
    return Draft(bid=bid, is_cancel=is_cancel, at_block=at_block)


def reserved() -> Life:
    return Life(
        client_order_id="p1-t",
        chain_id=31_337,
        wallet="0x" + "ab" * 20,
        nonce=7,
        deadline_ts=DEADLINE_TS,
        draft=draft(),
    )


def look(
    *,
    head: int = 11,
    head_ts: int = 900,
    count: int = 7,
    final: int = 0,
    landed: Landed | None = None,
    waiting: tuple[str, ...] = (),
) -> Look:
    return Look(
        head=head,
        head_ts=head_ts,
        final=final,
        count=count,
        final_count=count if final else 0,
        landed=landed,
        waiting=frozenset(waiting),
    )


def landed(block: int, *, by: str = FIRST, is_success: bool = True) -> Landed:
    return Landed(
        hash=by,
        block=block,
        block_hash=f"0xb{block}",
        is_success=is_success,
        gas_used=90_000,
        gas_price_wei=500,
    )


def after(life: Life, *learned: Learned) -> tuple[Life, list[Act]]:
    """Learn one thing after the other; return the life, and the acts of the last one."""
    acts: tuple[Act, ...] = ()
    for one in learned:
        life, acts = take(life, one, RULES)
        life = msgspec.json.decode(msgspec.json.encode(life), type=Life)
    return life, list(acts)


def sent() -> Life:
    life, _ = after(reserved(), Signed(FIRST, b"1"), Answered(FIRST, Answer.TAKEN_IN))
    return life


def told(acts: list[Act]) -> Fate | None:
    fates = [one.fate for one in acts if isinstance(one, Telling)]
    return fates[0] if fates else None


def test_what_was_signed_is_sent_byte_for_byte_after_a_crash() -> None:
    signed, acts = after(reserved(), Signed(FIRST, b"1"))

    again, acts_again = after(signed, look())

    assert acts == acts_again == [Send(signed.attempts[0])]
    assert again.stage is Stage.SIGNED


def test_what_waits_for_its_signature_asks_for_the_same_again() -> None:
    _, acts = after(reserved(), look())

    assert acts == [Sign(draft())]


def test_a_refused_signature_frees_the_nonce_and_is_told() -> None:
    life, acts = after(reserved(), Unsigned("the kill latch is set"))

    assert life.stage is Stage.VOID
    assert told(acts) is Fate.NEVER


def test_a_refused_replacement_leaves_what_was_sent() -> None:
    life, _ = after(sent(), Drafted(draft(1_000)), Unsigned("a cap is reached"))

    assert (life.stage, life.draft) == (Stage.BROADCAST, None)


def test_an_outcome_is_told_with_enough_blocks_on_top_and_once() -> None:
    shown = landed(11)

    first, acts = after(sent(), look(count=8, landed=shown))
    second, later = after(first, look(head=12, count=8, landed=shown))
    _, last = after(second, look(head=30, count=8, final=12, landed=shown))

    assert (first.stage, told(acts)) == (Stage.MINED, None)
    assert (second.stage, told(later)) == (Stage.CONFIRMED, Fate.SUCCEEDED)
    assert told(last) is None


def test_what_reverts_is_told_as_that() -> None:
    _, acts = after(sent(), look(head=12, count=8, landed=landed(11, is_success=False)))

    assert told(acts) is Fate.REVERTED


def test_a_stuck_one_bids_anew_in_time_and_is_cancelled_after_its_deadline() -> None:
    life, early = after(sent(), look(head=12, waiting=(FIRST,)))
    _, stuck = after(life, look(head=13, waiting=(FIRST,)))
    _, late = after(life, look(head=12, head_ts=DEADLINE_TS + 1, waiting=(FIRST,)))

    assert early == []
    assert stuck == [Rebid(life.attempts[0], is_cancel=False)]
    assert late == [Rebid(life.attempts[0], is_cancel=True)]


def test_one_that_waits_for_a_lower_nonce_is_not_stuck() -> None:
    _, acts = after(sent(), look(head=40, count=6, waiting=(FIRST,)))

    assert acts == []


def test_an_underpriced_one_bids_anew_at_once() -> None:
    life, _ = after(sent(), Answered(FIRST, Answer.UNDERPRICED))
    _, acts = after(life, look())

    assert Rebid(life.attempts[0], is_cancel=False, is_far=True) in acts


def test_no_gas_money_is_told_and_it_is_sent_again() -> None:
    life, acts = after(sent(), Answered(FIRST, Answer.NO_FUNDS, "balance 3 wei"))
    _, again = after(life, look())

    assert isinstance(acts[0], Warn)
    assert "out of gas money" in acts[0].sentence
    assert again == [Send(life.attempts[0])]


def test_a_dropped_one_is_never_sent_again_after_its_deadline() -> None:
    _, acts = after(sent(), look(head_ts=DEADLINE_TS + 1))

    assert not any(isinstance(act, Send) for act in acts)


def test_whichever_attempt_lands_is_the_one_that_is_told() -> None:
    raised, _ = after(sent(), Drafted(draft(1_000)), Signed(SECOND, b"2"))
    _, old = after(raised, look(head=12, count=8, landed=landed(11, by=FIRST)))
    cancelled, _ = after(raised, Drafted(draft(2_000, is_cancel=True)), Signed("0xa3", b"3"))
    _, gone = after(cancelled, look(head=12, count=8, landed=landed(11, by="0xa3")))

    assert told(old) is Fate.SUCCEEDED
    assert told(gone) is Fate.CANCELLED


def test_a_bid_that_is_no_eighth_higher_replaces_nothing() -> None:
    with pytest.raises(BadValueError, match="does not replace"):
        after(sent(), Drafted(draft(899)))


def test_a_cancel_is_never_followed_by_the_route() -> None:
    cancelling, _ = after(sent(), Drafted(draft(1_000, is_cancel=True)), Signed(SECOND, b"2"))

    with pytest.raises(BadValueError, match="is being cancelled"):
        after(cancelling, Drafted(draft(2_000)))


def test_a_reorganised_outcome_is_taken_back_and_told_anew() -> None:
    confirmed, _ = after(sent(), look(head=12, count=8, landed=landed(11)))
    gone, acts = after(confirmed, look(head=12))
    _, anew = after(gone, look(head=14, count=8, landed=landed(13, is_success=False)))

    assert gone.stage is Stage.REORGANISED
    assert told(acts) is Fate.UNDONE
    assert any(isinstance(act, Warn) for act in acts)
    assert told(anew) is Fate.REVERTED
    assert [one.version for one in anew if isinstance(one, Telling)] == [3]


def test_a_nonce_that_another_sender_used_is_lost_in_a_final_block_only() -> None:
    taken, acts = after(sent(), look(count=8))
    back, again = after(taken, look(count=7))
    lost, last = after(taken, look(count=8, head=40, final=12))

    assert (taken.stage, told(acts)) == (Stage.TAKEN, None)
    assert isinstance(acts[0], Warn)
    assert (back.stage, again) == (Stage.DROPPED, [Send(taken.attempts[0])])
    assert (lost.stage, told(last)) == (Stage.LOST, Fate.NEVER)


def test_what_is_shown_of_another_nonce_changes_nothing() -> None:
    with pytest.raises(BadValueError, match="none of nonce 7"):
        after(sent(), look(landed=landed(11, by="0xother")))


def test_what_has_ended_learns_nothing_more() -> None:
    final, _ = after(sent(), look(head=40, final=20, count=8, landed=landed(11)))

    same, acts = after(final, look(head=41, count=7), Signed(SECOND, b"2"), Unsigned("late"))

    assert final.stage is Stage.FINAL
    assert (same, acts) == (final, [])
