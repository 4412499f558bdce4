"""A nonce carries one thing, whatever is asked in whatever order."""

import itertools
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.domain.signing import Purpose, RefusalKind, Signed, SigningIntent, SignRefusal
from engine.signing.caps import DailyCaps
from engine.signing.desk import SigningDesk, caps_of
from engine.signing.journal import Journal
from engine.signing.nonces import SIGNED_MAX
from engine.signing.terms import SigningTerms
from engine.signing.wallet import LocalWallet
from tests.effort import examples
from tests.signing.intents import (
    CHAIN,
    GWEI,
    NOW_NS,
    TERMS,
    Word,
    kind_of,
    make_intent,
    make_plan,
    make_protective,
    make_route,
)
from tests.signing.test_policy import KEY, desk_of

replace = msgspec.structs.replace


def dearer(intent: SigningIntent, bps: int = 1_250, **changes: Any) -> SigningIntent:
    one = intent.transaction
    fees = {
        name: -(getattr(one, name) * (10_000 + bps) // -10_000)
        for name in ("max_fee_per_gas_wei", "max_priority_fee_per_gas_wei")
    }
    return replace(
        intent,
        purpose=Purpose.REPLACE,
        transaction=replace(one, **{**fees, **changes}),
    )


def cancel(fee_gwei: int = 9, nonce: int = 7) -> SigningIntent:
    return make_protective(
        Purpose.CANCEL,
        to=KEY.address,
        nonce=nonce,
        max_fee_per_gas_wei=fee_gwei * GWEI,
        max_priority_fee_per_gas_wei=fee_gwei * GWEI,
    )


async def test_the_same_request_is_answered_with_the_same_bytes_and_counted_once() -> None:
    with desk_of() as desk:
        first = await desk.sign(make_intent())
        used = dict(desk.caps.used)
        second = await desk.sign(make_intent())
    assert isinstance(first, Signed)
    assert isinstance(second, Signed)
    assert (second.raw, second.hash) == (first.raw, first.hash)
    assert (first.is_repeat, second.is_repeat) == (False, True)
    assert desk.caps.used == used


async def test_what_was_signed_is_told_again_although_it_would_not_be_signed_now() -> None:
    """After a restart a sender has to learn what may be on its way, whatever rules hold by then."""
    journal = Journal(Path(":memory:"))
    stricter = SigningTerms(
        chain_ids=TERMS.chain_ids,
        contracts={},
        gas_day_wei={},
        notional_day_usd=Decimal(0),
        signatures_day=0,
    )
    replies = []
    for nonce, (terms, now_ns) in enumerate(((TERMS, NOW_NS), (stricter, NOW_NS + 10**12)), 8):
        caps = DailyCaps(journal, caps_of(terms), boot="b", now_ns=now_ns)
        desk = SigningDesk(
            terms=terms, journal=journal, caps=caps, leave=Word(), clock=partial(int, now_ns)
        )
        desk.wallet = LocalWallet(KEY)
        replies.append(await desk.sign(make_intent()))
        refusal = await desk.sign(make_intent(make_plan(2), nonce=nonce))
    journal.close()
    assert isinstance(replies[0], Signed)
    assert replies[1] == replace(replies[0], is_repeat=True)
    assert kind_of(refusal) is RefusalKind.CONTRACT


async def test_a_nonce_that_carries_a_plan_is_signed_for_no_other() -> None:
    with desk_of() as desk:
        assert isinstance(await desk.sign(make_intent()), Signed)
        for other in (
            make_intent(make_plan(2)),
            make_intent(gas_limit=290_000),
            make_intent(route=make_route(tip_bps=1)),
            make_protective(Purpose.PAUSE, max_fee_per_gas_wei=20 * GWEI),
            dearer(make_intent(make_plan(2))),
        ):
            assert kind_of(await desk.sign(other)) is RefusalKind.NONCE, other
        assert isinstance(await desk.sign(make_intent(make_plan(2), nonce=8)), Signed)


async def test_a_plan_is_signed_for_one_nonce_whatever_became_of_that_one() -> None:
    """However far away the other one is, cancelled or not, after a restart too."""
    journal = Journal(Path(":memory:"))
    first = make_intent(nonce=0)
    for is_restarted in (False, True):
        caps = DailyCaps(journal, caps_of(TERMS), boot="b", now_ns=NOW_NS)
        desk = SigningDesk(
            terms=TERMS, journal=journal, caps=caps, leave=Word(), clock=lambda: NOW_NS
        )
        desk.wallet = LocalWallet(KEY)
        if not is_restarted:
            assert isinstance(await desk.sign(first), Signed)
        for nonce in (1, 5_000):
            again = await desk.sign(make_intent(nonce=nonce))
            assert isinstance(again, SignRefusal)
            assert again.detail == "its plan was signed for another nonce"
            assert again.kind is RefusalKind.NONCE
        if not is_restarted:
            assert isinstance(await desk.sign(dearer(first)), Signed)
            assert isinstance(await desk.sign(cancel(11, nonce=0)), Signed)
    assert isinstance(await desk.sign(make_intent(make_plan(2), nonce=1)), Signed)
    journal.close()


async def test_the_same_nonce_on_another_chain_is_another_nonce() -> None:
    contracts = {**TERMS.contracts, "ethereum": TERMS.contracts[CHAIN]}
    terms = SigningTerms(
        chain_ids=TERMS.chain_ids,
        contracts=contracts,
        gas_day_wei=TERMS.gas_day_wei,
        notional_day_usd=Decimal(100_000),
        signatures_day=10,
    )
    with desk_of(terms) as desk:
        assert isinstance(await desk.sign(make_protective(Purpose.PAUSE)), Signed)
        other = make_protective(Purpose.PAUSE, chain_id=1)
        assert isinstance(await desk.sign(other), Signed)
        assert kind_of(await desk.sign(make_protective(Purpose.REVOKE))) is RefusalKind.NONCE


@pytest.mark.parametrize("name", ["max_fee_per_gas_wei", "max_priority_fee_per_gas_wei"])
async def test_a_replacement_pays_an_eighth_more_of_both_fees(name: str) -> None:
    first = make_intent(max_fee_per_gas_wei=8 * GWEI, max_priority_fee_per_gas_wei=GWEI)
    good = dearer(first)
    with desk_of() as desk:
        assert isinstance(await desk.sign(first), Signed)
        lower = replace(
            good,
            transaction=replace(good.transaction, **{name: getattr(good.transaction, name) - 1}),
        )
        assert kind_of(await desk.sign(lower)) is RefusalKind.FEE
        assert isinstance(await desk.sign(good), Signed)
        again = replace(good, transaction=replace(good.transaction, gas_limit=299_999))
        assert kind_of(await desk.sign(again)) is RefusalKind.FEE


async def test_a_replacement_obeys_its_plan_as_the_first_did() -> None:
    with desk_of() as desk:
        assert isinstance(await desk.sign(make_intent()), Signed)
        too_dear = dearer(make_intent(), 2_600)
        assert kind_of(await desk.sign(too_dear)) is RefusalKind.GAS


async def test_nothing_is_replaced_that_was_never_signed() -> None:
    with desk_of() as desk:
        assert kind_of(await desk.sign(dearer(make_intent()))) is RefusalKind.NONCE


async def test_a_cancel_may_take_any_nonce_dearer_and_nothing_follows_it_but_a_cancel() -> None:
    with desk_of() as desk:
        assert isinstance(await desk.sign(make_intent()), Signed)
        assert kind_of(await desk.sign(cancel(8))) is RefusalKind.FEE
        assert isinstance(await desk.sign(cancel(9)), Signed)
        late = dearer(make_intent(), 1_300, max_fee_per_gas_wei=10 * GWEI)
        refusal = await desk.sign(late)
        assert isinstance(refusal, SignRefusal)
        assert (refusal.kind, refusal.detail) == (RefusalKind.NONCE, "nonce 7 is being cancelled")
        assert kind_of(await desk.sign(cancel(10))) is RefusalKind.FEE
        assert isinstance(await desk.sign(cancel(11)), Signed)
        assert isinstance(await desk.sign(cancel(nonce=99)), Signed)
        assert kind_of(await desk.sign(make_intent(nonce=99))) is RefusalKind.NONCE


async def test_a_bid_is_not_raised_for_ever() -> None:
    with desk_of() as desk:
        fee_wei = 1_000
        for _ in range(SIGNED_MAX):
            one = make_protective(
                Purpose.CANCEL,
                to=KEY.address,
                max_fee_per_gas_wei=fee_wei,
                max_priority_fee_per_gas_wei=fee_wei,
            )
            assert isinstance(await desk.sign(one), Signed)
            fee_wei = fee_wei * 9 // 8 + 1
        last = replace(
            one,
            transaction=replace(
                one.transaction,
                max_fee_per_gas_wei=fee_wei,
                max_priority_fee_per_gas_wei=fee_wei,
            ),
        )
        assert kind_of(await desk.sign(last)) is RefusalKind.NONCE


class NonceMachine(RuleBasedStateMachine):
    """Plans, replacements, cancels and restarts in any order: a chain takes one of each nonce."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = Journal(Path(":memory:"))
        self.signed: dict[int, list[SigningIntent]] = {}
        self.start()

    def start(self) -> None:
        caps = DailyCaps(self.journal, caps_of(TERMS), boot="b", now_ns=NOW_NS)
        self.desk = SigningDesk(
            terms=TERMS, journal=self.journal, caps=caps, leave=Word(), clock=lambda: NOW_NS
        )
        self.desk.wallet = LocalWallet(KEY)

    def ask(self, intent: SigningIntent) -> None:
        coroutine = self.desk.sign(intent)
        try:
            coroutine.send(None)
        except StopIteration as ended:
            reply: Signed | SignRefusal = ended.value
        else:
            raise AssertionError("a key in this process makes nobody wait")
        if isinstance(reply, Signed) and not reply.is_repeat:
            self.signed.setdefault(intent.transaction.nonce, []).append(intent)

    @rule(
        plan=st.integers(1, 3),
        nonce=st.integers(0, 2),
        purpose=st.sampled_from([Purpose.ROUTE, Purpose.REPLACE]),
        fee_gwei=st.integers(1, 10),
        tip_gwei=st.integers(1, 3),
    )
    def carry_out(
        self, plan: int, nonce: int, purpose: Purpose, fee_gwei: int, tip_gwei: int
    ) -> None:
        self.ask(
            make_intent(
                make_plan(plan),
                purpose=purpose,
                nonce=nonce,
                max_fee_per_gas_wei=fee_gwei * GWEI,
                max_priority_fee_per_gas_wei=min(fee_gwei, tip_gwei) * GWEI,
            )
        )

    @rule(nonce=st.integers(0, 2), fee_gwei=st.integers(1, 12))
    def cancel(self, nonce: int, fee_gwei: int) -> None:
        self.ask(cancel(fee_gwei, nonce))

    @rule()
    def restart(self) -> None:
        self.start()

    @invariant()
    def each_nonce_carries_one_plan_ever_dearer(self) -> None:
        for intents in self.signed.values():
            plans = {one.plan.plan_id for one in intents if one.plan is not None}
            assert len(plans) <= 1
            purposes = [one.purpose for one in intents]
            ends = purposes.index(Purpose.CANCEL) if Purpose.CANCEL in purposes else len(purposes)
            assert set(purposes[ends:]) <= {Purpose.CANCEL}
            fees = [one.transaction.max_fee_per_gas_wei for one in intents]
            tips = [one.transaction.max_priority_fee_per_gas_wei for one in intents]
            for some in (fees, tips):
                assert all(a * 9 <= b * 8 for a, b in itertools.pairwise(some))

    @invariant()
    def each_plan_has_one_nonce(self) -> None:
        nonces: dict[str, set[int]] = {}
        for nonce, intents in self.signed.items():
            for one in intents:
                if one.plan is not None:
                    nonces.setdefault(one.plan.plan_id, set()).add(nonce)
        assert all(len(some) == 1 for some in nonces.values())

    def teardown(self) -> None:
        self.journal.close()


TestNonces = NonceMachine.TestCase
TestNonces.settings = settings(max_examples=examples(60), stateful_step_count=30)


async def test_what_a_key_elsewhere_signs_once_is_kept_although_it_signs_otherwise_each_time() -> (
    None
):
    class Token(LocalWallet):
        """Signs each time with another fee in its signature's place: no two bytes alike."""

        is_slow = True
        count = 0

        async def sign(self, transaction: Any) -> bytes:
            self.count += 1
            return (await super().sign(transaction))[:-1] + bytes([self.count])

    word = Word()
    with desk_of(word=word) as desk:
        token = Token(KEY)
        desk.wallet = token
        replies = [await desk.sign(make_intent()) for _ in range(3)]
        assert {one.raw for one in replies if isinstance(one, Signed)} == {replies[0].raw}  # type: ignore[union-attr]
        assert token.count == 1
        assert word.asked == [Purpose.ROUTE] * 4
