"""What is heard of pending transactions: bounded, each once, every loss named and counted."""

import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

import pytest

from engine.chains.pending.desk import PendingDesk, Told
from engine.chains.pending.swap_logs import amounts_of
from engine.chains.pending.waiting import WAITS_NS_MAX, Count, Waits
from engine.chains.pending.whale_cap import WAITING_MAX, WINDOW_NS, WhaleCap
from engine.chains.pending.whales import Whale, WhaleTerms
from engine.chains.ports import BlockRef, Json, Log
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.units import NS_PER_S
from engine.pools.constant_product import ConstantProductState
from engine.pools.solidly import SolidlyForm, SolidlyState
from tests.chains.families.logs import make_log, make_pool
from tests.chains.pending.campaign_calldata import Nothing, mutated
from tests.chains.pending.routers_there import ETHEREUM
from tests.chains.pending.samples import FRIEND, SAMPLES, SENDER

NOW_NS = 1_750_000_000 * NS_PER_S
KINDS = sorted(SAMPLES)


class NoneBefore:
    """No pools before a block."""

    def kept(self, address: str) -> None:
        del address

    def find(self, address: str) -> None:
        del address


def desk(
    waiting_max: int = 8, note_taken: Callable[[BlockRef, Sequence[Waits]], None] | None = None
) -> PendingDesk:
    return PendingDesk(
        routers=ETHEREUM,
        pools=Nothing(),
        terms=WhaleTerms(),
        usd_of=lambda _asset, _amount: None,
        waiting_max=waiting_max,
        note_taken=note_taken,
    )


def told(number: int, *, sender: str = SENDER, nonce: int = 0, **more: Json) -> dict[str, Json]:
    to, value_raw, text = SAMPLES["one pool, exact in"]
    return {
        "hash": f"0x{number:064x}",
        "from": sender,
        "to": to,
        "nonce": hex(nonce),
        "value": hex(value_raw),
        "input": "0x" + text.hex(),
        "gasPrice": "0x64",
        **more,
    }


def hear(at: PendingDesk, *transactions: Json, now_ns: int = NOW_NS) -> None:
    for one in transactions:
        at.hear(one, now_ns=now_ns, at_s=now_ns // NS_PER_S)


def test_a_transaction_is_kept_once_however_often_it_is_told() -> None:
    at = desk()

    hear(at, told(1), told(1), told(1))

    assert len(at.waiting) == 1
    assert (at.counts[Count.HEARD], at.counts[Count.TWICE]) == (3, 2)


def test_a_sender_s_next_word_with_the_same_nonce_takes_the_place_of_the_first() -> None:
    at = desk()

    hear(at, told(1, nonce=5), told(2, nonce=5), told(3, nonce=6))

    assert [waits.tx.nonce for waits in at.waiting] == [5, 6]
    assert at.waiting.get(f"0x{1:064x}") is None
    assert at.counts[Count.REPLACED] == 1


def test_the_oldest_give_way_to_the_newest_and_are_counted() -> None:
    at = desk(waiting_max=8)

    hear(at, *(told(number, nonce=number) for number in range(20)))

    assert [waits.tx.nonce for waits in at.waiting] == [*range(12, 20)]
    assert at.counts[Count.FULL] == 12


def test_what_comes_into_no_block_is_let_go_of() -> None:
    at = desk()
    hear(at, told(1))
    hear(at, told(2, nonce=1), now_ns=NOW_NS + NS_PER_S)

    at.waiting.expire(now_ns=NOW_NS + WAITS_NS_MAX)

    assert [waits.tx.nonce for waits in at.waiting] == [1]
    assert at.counts[Count.DROPPED] == 1


def test_what_a_block_took_is_told_with_when_it_was_heard() -> None:
    taken: list[tuple[int, list[tuple[int, int]]]] = []

    def note(ref: BlockRef, waits: Sequence[Waits]) -> None:
        taken.append((ref.number, [(one.tx.nonce, one.heard_at_ns) for one in waits]))

    at = desk(note_taken=note)
    hear(at, told(1), told(2, nonce=1))
    ref = BlockRef(number=7, hash="0x7", parent_hash="0x6", made_at_s=NOW_NS // NS_PER_S)
    of_others = [f"0x{9:064x}", f"0x{2:064x}"]

    at.block(Told(ref=ref, steps=()), NoneBefore(), tx_hashes=of_others, now_ns=NOW_NS + 1)
    at.block(Told(ref=ref, steps=()), NoneBefore(), tx_hashes=of_others, now_ns=NOW_NS + 2)

    assert taken == [(7, [(1, NOW_NS)])]


def test_what_calls_no_router_or_is_no_transaction_is_counted_and_not_kept() -> None:
    at = desk()

    hear(at, told(1, to=FRIEND), told(2, to=None), {}, None, [], "0x12", told(3, value="much"))
    hear(at, told(4, input="0xffffffff"))

    assert len(at.waiting) == 0
    assert at.counts[Count.ELSEWHERE] == 2
    assert at.counts[Count.LIES] == 5
    assert at.counts[Count.UNDECODED] == at.counts["not decoded: unknown_call"] == 1


def test_hostile_transactions_leave_nothing_but_counts() -> None:
    at, rng = desk(), random.Random(1)
    for number in range(500):
        to, value_raw, text = SAMPLES[rng.choice(KINDS)]
        call = "0x" + mutated(text, rng).hex()
        hear(at, told(number, nonce=number, to=to, value=hex(value_raw), input=call))

    assert len(at.waiting) <= 8
    kept_or_not = at.counts[Count.KEPT] + at.counts[Count.UNDECODED]
    assert kept_or_not == at.counts[Count.HEARD] == 500


def whale(number: int, worth_usd: int) -> Whale:
    return Whale(
        pool=make_pool(),
        asset_in=AssetCode("A"),
        asset_out=AssetCode("B"),
        amount_in=Decimal(1),
        amount_out=Decimal(1),
        impact_ratio=Fraction(1, 100),
        worth_usd=Decimal(worth_usd),
        is_pending=True,
        tx_hash=str(number),
    )


def test_of_many_whales_the_worthiest_are_told_and_the_others_counted() -> None:
    cap = WhaleCap(told_max=2)
    for number, worth_usd in enumerate((5, 9, 7, 8)):
        cap.hear(whale(number, worth_usd), now_ns=NOW_NS)

    assert [one.worth_usd for one in cap.take(now_ns=NOW_NS)] == [9, 8]
    assert cap.take(now_ns=NOW_NS + WINDOW_NS - 1) == []
    cap.hear(whale(9, 1), now_ns=NOW_NS + WINDOW_NS - 1)
    assert [one.worth_usd for one in cap.take(now_ns=NOW_NS + WINDOW_NS)] == [1]
    assert cap.left_out == 2


def test_a_whale_is_told_once_and_waiting_ones_are_bounded() -> None:
    cap = WhaleCap(told_max=1)
    for number in range(500):
        cap.hear(whale(number, number), now_ns=NOW_NS)
        cap.hear(whale(number, number), now_ns=NOW_NS)

    assert [one.worth_usd for one in cap.take(now_ns=NOW_NS)] == [499]
    assert cap.left_out == 500 - WAITING_MAX
    cap.hear(whale(499, 499), now_ns=NOW_NS + WINDOW_NS)
    assert cap.take(now_ns=NOW_NS + WINDOW_NS) == []


def log_of(data: tuple[int, ...]) -> Log:
    signature = "Swap(address,address,int256,int256,uint160,uint128,int24)"
    return make_log(signature, (SENDER, SENDER), data, indexed_at=(0, 1))


def pair(reserve0: int, reserve1: int) -> ConstantProductState:
    return ConstantProductState.of(
        reserve0_raw=reserve0, reserve1_raw=reserve1, fee0=Fraction(3, 1000)
    )


def test_of_a_pair_a_swap_is_where_one_reserve_rises_and_the_other_one_falls() -> None:
    log = log_of((1, 1, 1, 1, 1))
    sold = amounts_of(make_pool(), log, pair(1_000, 1_000), pair(900, 1_120))
    given = amounts_of(make_pool(), log, pair(1_000, 1_000), pair(1_100, 1_100))

    assert sold is not None
    assert (sold.token_in, sold.amount_in_raw, sold.amount_out_raw) == (1, 120, 100)
    assert given is None


def test_of_a_solidly_pool_the_fee_that_went_elsewhere_is_added() -> None:
    before = SolidlyState(
        form=SolidlyForm.VOLATILE,
        reserves_raw=(10**9, 10**9),
        scales=(10**6, 10**6),
        fee_e6=3_000,
    )
    after = SolidlyState(
        form=SolidlyForm.VOLATILE,
        reserves_raw=(10**9 + 997_000, 10**9 - 996_000),
        scales=(10**6, 10**6),
        fee_e6=3_000,
    )

    swap = amounts_of(make_pool(), log_of((1, 1, 1, 1, 1)), before, after)

    assert swap is not None
    assert swap.amount_in_raw == 1_000_000


@pytest.mark.parametrize("flows", [(5, 5), (-5, -5), (0, 0), (-5, 0)])
def test_amounts_that_no_swap_has_are_refused(flows: tuple[int, int]) -> None:
    with pytest.raises(BadValueError):
        amounts_of(make_pool(), log_of((*flows, 1, 1, 1)), None, None)  # type: ignore[arg-type]
