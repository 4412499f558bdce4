"""Whatever chain, signer and crashes do, a plan's transaction ends once and is told as it is."""

from itertools import pairwise

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.domain.told import Fate
from engine.sending.facts import (
    Act,
    Answer,
    Answered,
    Draft,
    Drafted,
    Learned,
    Life,
    Rebid,
    Send,
    Sign,
    Signed,
    Telling,
    Unsigned,
)
from engine.sending.fees import Bid, bumped
from engine.sending.free_nonces import hole, next_nonce
from engine.sending.life import LifeRules, take
from engine.sending.stages import Stage
from tests.effort import examples
from tests.sending.model_chain import BLOCK_S, ModelChain, ModelSigner, Queued

RULES = LifeRules(confirm_blocks=2, stuck_blocks=2)
WALLET = "0x" + "11" * 20
CAP_WEI = 10**6
FATES = {True: Fate.SUCCEEDED, False: Fate.REVERTED}


class SenderAtWork(RuleBasedStateMachine):
    """One wallet, a few plans, and all that may happen to them."""

    @initialize()
    def begin(self) -> None:
        self.chain, self.signer = ModelChain(), ModelSigner()
        self.kept: dict[int, bytes] = {}  # by nonce, as on disk
        self.told: dict[str, list[Telling]] = {}
        self.nonces: dict[str, list[int]] = {}
        self.plans = 0

    @rule(blocks=st.integers(1, 6))
    def hand_over(self, blocks: int) -> None:
        if len(self.nonces) >= 4:
            return
        name = f"plan{len(self.nonces)}"
        count = self.chain.count(self.chain.head)
        nonce = next_nonce(count, {one for one in self.kept if one >= count})
        life = Life(
            client_order_id=name,
            chain_id=1,
            wallet=WALLET,
            nonce=nonce,
            deadline_ts=self.chain.ts(self.chain.head) + blocks * BLOCK_S,
            draft=Draft(
                bid=Bid(gas_limit=10, fee_wei=100, tip_wei=10),
                is_cancel=False,
                at_block=self.chain.head,
            ),
        )
        self.nonces.setdefault(name, []).append(nonce)
        self.kept[nonce] = msgspec.json.encode(life)

    @rule(most=st.integers(0, 3))
    def mine(self, most: int) -> None:
        self.chain.mine(most=most)

    @rule()
    def mine_foreign(self) -> None:
        self.chain.mine_foreign()

    @rule(depth=st.integers(1, 6), keeps=st.booleans())
    def reorganise(self, depth: int, *, keeps: bool) -> None:
        self.chain.reorganise(depth, keeps=keeps)

    @rule()
    def forget(self) -> None:
        self.chain.forget()

    @rule(is_locked=st.booleans())
    def lock(self, *, is_locked: bool) -> None:
        self.signer.is_locked = is_locked

    @rule(acts_done=st.integers(0, 6))
    def look(self, acts_done: int) -> None:
        """Look at all, and crash after so many acts."""
        self.work(acts_done)

    def fill_hole(self) -> None:
        nonce = hole(self.chain.count(self.chain.head), self.kept)
        if nonce is None:
            return
        self.plans += 1
        life = Life(
            client_order_id=f"hole{self.plans}",
            chain_id=1,
            wallet=WALLET,
            nonce=nonce,
            deadline_ts=0,
            draft=Draft(
                bid=Bid(gas_limit=10, fee_wei=100, tip_wei=10),
                is_cancel=True,
                at_block=self.chain.head,
            ),
        )
        self.kept[nonce] = msgspec.json.encode(life)

    def work(self, acts_left: int) -> None:
        self.fill_hole()
        for nonce in sorted(self.kept):
            life = self.life(nonce)
            if life.has_ended:
                continue
            waiting = list(self.learn(nonce, self.chain.look(life)))
            while waiting:
                if not acts_left:
                    return
                acts_left -= 1
                waiting += self.carry_out(nonce, waiting.pop(0))

    def life(self, nonce: int) -> Life:
        return msgspec.json.decode(self.kept[nonce], type=Life)

    def learn(self, nonce: int, learned: Learned) -> tuple[Act, ...]:
        before = self.life(nonce)
        life, acts = take(before, learned, RULES)
        for act in acts:
            if isinstance(act, Telling):  # kept together with the life
                self.told.setdefault(life.client_order_id, []).append(act)
        if life.stage is Stage.VOID:
            assert not life.attempts
            del self.kept[nonce]
        else:
            self.kept[nonce] = msgspec.json.encode(life)
        return acts

    def carry_out(self, nonce: int, act: Act) -> tuple[Act, ...]:
        if isinstance(act, Sign):
            return self.sign(nonce)
        if isinstance(act, Send):
            return self.send(nonce, act)
        if isinstance(act, Rebid):
            bid = act.before.bid
            raised = Bid(gas_limit=10, fee_wei=bumped(bid.fee_wei) + 3, tip_wei=bumped(bid.tip_wei))
            if raised.fee_wei > CAP_WEI:
                return ()
            draft = Draft(bid=raised, is_cancel=act.is_cancel, at_block=self.chain.head)
            return self.learn(nonce, Drafted(draft))
        return ()

    def sign(self, nonce: int) -> tuple[Act, ...]:
        answer = self.signer.sign(self.life(nonce), now_ts=self.chain.ts(self.chain.head))
        if answer == "locked":
            return ()
        if isinstance(answer, str):
            return self.learn(nonce, Unsigned(answer))
        return self.learn(nonce, Signed(*answer))

    def send(self, nonce: int, act: Send) -> tuple[Act, ...]:
        life = self.life(nonce)
        assert act.attempt in life.attempts  # what leaves is on disk
        queued = Queued(
            act.attempt.hash,
            nonce,
            act.attempt.bid.fee_wei,
            None if act.attempt.is_cancel else life.deadline_ts,
        )
        answer = {
            "in": Answer.TAKEN_IN,
            "known": Answer.KNOWN,
            "used": Answer.NONCE_USED,
            "underpriced": Answer.UNDERPRICED,
        }[self.chain.send(queued)]
        return self.learn(nonce, Answered(act.attempt.hash, answer))

    @invariant()
    def bids_only_rise_and_cancels_stand(self) -> None:
        for nonce in getattr(self, "kept", ()):
            attempts = self.life(nonce).attempts
            for before, after in pairwise(attempts):
                assert after.bid.outbids(before.bid)
                assert after.is_cancel or not before.is_cancel

    @invariant()
    def each_telling_is_another_than_the_one_before(self) -> None:
        for told in getattr(self, "told", {}).values():
            assert [one.version for one in told] == list(range(1, len(told) + 1))
            for before, after in pairwise(told):
                assert (before.fate, before.landed) != (after.fate, after.landed)

    def teardown(self) -> None:
        if not hasattr(self, "chain"):
            return
        self.signer.is_locked = False
        for _ in range(60):
            self.work(acts_left=1_000)
            self.chain.mine(most=5)
        for name, nonces in self.nonces.items():
            (nonce,) = nonces
            last = self.told[name][-1]
            life = self.life(nonce) if nonce in self.kept else None
            if life is None or life.client_order_id != name:
                assert last.fate is Fate.NEVER
                continue
            assert life.has_ended, life
            landed = self.chain.landed(life.attempts)
            if landed is None:
                assert last.fate is Fate.NEVER
            else:
                attempt = next(one for one in life.attempts if one.hash == landed.hash)
                is_cancel = attempt.is_cancel
                assert last.fate is (Fate.CANCELLED if is_cancel else FATES[landed.is_success])
                assert last.landed == landed


SenderAtWork.TestCase.settings = settings(
    max_examples=examples(400), stateful_step_count=40, deadline=None
)
test_whatever_happens_each_plan_ends_once_as_the_final_chain_shows = SenderAtWork.TestCase
