"""The table of nonces: what is handed over has one nonce, whatever is asked twice or comes late."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import BadValueError, FatalError, TransientError
from engine.domain.handed import Handed
from engine.domain.told import Fate, TransactionNews
from engine.sending.facts import Attempt, Draft, Life
from engine.sending.fees import Bid
from engine.sending.free_nonces import hole, next_nonce
from engine.sending.nonces import NonceTable
from engine.sending.stages import Stage
from tests.storage.makers import make_atomic_plan

WALLET = "0x" + "ab" * 20
BID = Bid(gas_limit=100_000, fee_wei=100, tip_wei=1)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[NonceTable]:
    opened = NonceTable(tmp_path / "nonces.sqlite3")
    yield opened
    opened.close()


def handed(number: int = 1) -> Handed:
    plan = make_atomic_plan(number=number)
    return Handed(client_order_id=f"p{number}-t", plan=plan, pools=(), engine="main", at_ns=number)


def life(number: int = 1, *, nonce: int = 7) -> Life:
    return Life(
        client_order_id=f"p{number}-t",
        chain_id=8_453,
        wallet=WALLET,
        nonce=nonce,
        deadline_ts=1_000,
        draft=Draft(bid=BID, is_cancel=False, at_block=1),
    )


def signed(one: Life) -> Life:
    attempt = Attempt(bid=BID, is_cancel=False, at_block=1, hash="0xa", raw=b"raw")
    return msgspec.structs.replace(one, stage=Stage.SIGNED, draft=None, attempts=(attempt,))


def news(fate: Fate, version: int = 1, number: int = 1) -> TransactionNews:
    return TransactionNews(client_order_id=f"p{number}-t", version=version, fate=fate)


def test_a_plan_handed_over_twice_is_taken_once(table: NonceTable) -> None:
    first, again = table.hand_over(handed()), table.hand_over(handed())

    assert (first, again) == ("", "")
    assert table.waiting() == [handed()]


def test_a_plan_that_was_handed_over_is_synced_with_its_nonce(table: NonceTable) -> None:
    table.hand_over(handed())
    was_synced = table.file.is_synced

    table.reserve(life())

    assert (was_synced, table.file.is_synced) == (False, True)


def test_what_waits_is_what_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "nonces.sqlite3"
    table = NonceTable(path)
    for number in range(1, 6):
        table.hand_over(handed(number))
    table.reserve(life(2))
    table.tell(news(Fate.NEVER, number=3))
    table.reserve(life(4, nonce=8))
    table.keep(msgspec.structs.replace(life(4, nonce=8), stage=Stage.VOID, draft=None))
    waiting = table.waiting()
    table.close()

    again = NonceTable(path)

    assert waiting == [handed(1), handed(4), handed(5)]
    assert again.waiting() == waiting
    again.close()


def test_another_plan_under_the_same_id_is_refused(table: NonceTable) -> None:
    table.hand_over(handed())

    with pytest.raises(BadValueError, match="with another plan"):
        table.hand_over(msgspec.structs.replace(handed(2), client_order_id="p1-t"))


def test_what_was_asked_after_before_it_came_is_refused_when_it_comes(table: NonceTable) -> None:
    was_there = table.fence("p1-t", "its engine ended")

    assert not was_there
    assert table.hand_over(handed()) == "its engine ended"
    assert table.waiting() == []
    assert not table.fence("p1-t", "asked again")


def test_what_was_handed_over_is_found_when_it_is_asked_after(table: NonceTable) -> None:
    table.hand_over(handed())

    assert table.fence("p1-t", "its engine ended")
    assert table.hand_over(handed()) == ""


def test_a_nonce_is_kept_for_one_plan_and_a_plan_has_one_nonce(table: NonceTable) -> None:
    table.reserve(life())

    with pytest.raises(BadValueError, match="nonce 7 of"):
        table.reserve(life(2))
    with pytest.raises(BadValueError, match="p1-t has one"):
        table.reserve(life(nonce=8))


def test_only_what_waits_to_be_signed_reserves(table: NonceTable) -> None:
    with pytest.raises(BadValueError, match="waits to be signed"):
        table.reserve(signed(life()))


def test_what_was_kept_is_there_after_the_process(tmp_path: Path) -> None:
    path = tmp_path / "nonces.sqlite3"
    table = NonceTable(path)
    table.hand_over(handed())
    table.reserve(life())
    table.keep(signed(life()), [news(Fate.SUCCEEDED)])
    table.close()

    again = NonceTable(path)

    assert again.open_lives() == [signed(life())]
    assert again.life_of("p1-t") == signed(life())
    assert again.waiting() == []
    assert [one.news for one in again.told.after(0)] == [news(Fate.SUCCEEDED)]
    again.close()


def test_a_void_nonce_is_free_again_and_its_plan_is_not(table: NonceTable) -> None:
    table.hand_over(handed())
    table.reserve(life())
    void = msgspec.structs.replace(life(), stage=Stage.VOID, draft=None)

    table.keep(void, [news(Fate.NEVER)])

    assert table.used(8_453, WALLET, at_least=0) == set()
    assert table.waiting() == []
    table.reserve(life(2))


def test_what_has_ended_keeps_its_nonce(table: NonceTable) -> None:
    table.reserve(life())
    table.keep(msgspec.structs.replace(signed(life()), stage=Stage.FINAL))

    assert table.open_lives() == []
    assert table.used(8_453, WALLET, at_least=0) == {7}
    assert table.used(8_453, WALLET, at_least=8) == set()
    assert table.used(1, WALLET, at_least=0) == set()


def test_news_are_told_in_order_and_only_what_is_new(table: NonceTable) -> None:
    table.reserve(life())
    table.keep(signed(life()), [news(Fate.SUCCEEDED)])
    table.keep(signed(life()), [news(Fate.UNDONE, 2)])
    table.tell(news(Fate.NEVER, number=2))

    all_told = table.told.after(0)

    assert [one.news.fate for one in all_told] == [Fate.SUCCEEDED, Fate.UNDONE, Fate.NEVER]
    assert table.told.after(all_told[1].number) == all_told[2:]
    assert table.told.of("p1-t") == all_told[1]
    assert table.told.of("p9-t") is None


def test_a_second_process_is_refused(tmp_path: Path, table: NonceTable) -> None:
    with pytest.raises(TransientError, match="only one may"):
        NonceTable(tmp_path / "nonces.sqlite3")


def test_a_damaged_table_sends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "nonces.sqlite3"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)

    with pytest.raises(FatalError, match="cannot be used"):
        NonceTable(path)


@given(count=st.integers(0, 20), used=st.sets(st.integers(0, 30)))
def test_the_next_nonce_is_the_first_that_nobody_used(count: int, used: set[int]) -> None:
    nonce = next_nonce(count, used)

    assert nonce >= count
    assert nonce not in used
    assert all(one in used for one in range(count, nonce))


@given(count=st.integers(0, 20), kept=st.sets(st.integers(0, 30)))
def test_a_hole_is_filled_where_ours_wait_for_it_alone(count: int, kept: set[int]) -> None:
    found = hole(count, kept)

    assert (found is not None) == (count not in kept and any(one > count for one in kept))
    assert found in {None, count}
