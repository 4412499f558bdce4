"""Random interleavings of taps, restarts, expiry, two operators, kills, mandates and prices.

`python -m tests.decide.approval_campaign --taps 100000 --seed 1`. After every step the whole
history is held against rules that are written down here once more, beside the product's own.
"""

import argparse
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from engine.decide.approvals import ApprovalRules
from engine.domain.approvals import Approval, ApprovalAct, ApprovalState
from engine.domain.mandates import Mandate, Scope, ScopeKind
from engine.domain.modes import Mode
from engine.domain.opportunities import Side
from engine.domain.permits import PermitKind
from engine.domain.plans import LeggedPlan, Plan, digest_of_plan
from engine.domain.units import NS_PER_S
from tests.reference.world import Setup, World, make_instrument

OPERATORS = ("telegram:1", "telegram:2")
PAIRS = 3
STEPS_OF_A_RUN = 120
ASK = Decimal("100.10")


@dataclass
class Tally:
    """What was tried and what came of it."""

    taps: int = 0
    runs: int = 0
    carried_out: int = 0
    by_mandate: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class Play:
    """One run: an engine in mode approve, two people, a moving market."""

    def __init__(self, seed: int, tally: Tally, before: list[Approval]) -> None:
        self.chance = random.Random(seed)
        self.tally = tally
        venues = [make_instrument(f"v{number}") for number in range(2 * PAIRS)]
        two_usd = self.chance.choice([None, Decimal(1)])
        rules = ApprovalRules(wait_s=self.chance.choice([5, 60]), two_operators_usd=two_usd)
        self.world = World(
            Setup(instruments=venues, mode=Mode.APPROVE, approvals=rules, seed=seed % 1_000)
        )
        self.before = before
        """What an engine before had asked: its buttons are still on the phone."""

        self.delivered: set[str] = set()
        self.mandates = 0
        self.seen_plans = 0

    def run(self) -> None:
        actions = [self.move] * 6 + [self.tap] * 10 + [self.wait] * 4 + [self.deliver] * 4
        actions += [self.grant, self.revoke, self.kill, self.pause, self.mode, self.blind]
        for _ in range(STEPS_OF_A_RUN):
            self.chance.choice(actions)()
            self.check()
        self.world.wait(5_000)
        self.world.tick()
        self.check()
        self.tally.runs += 1
        self.tally.ends.update(end.state.value for end in self.world.journal.answered)

    def move(self) -> None:
        """A book shows other prices; a pair's gap opens, widens, shrinks or closes."""
        pair = self.chance.randrange(PAIRS)
        gap = Decimal(self.chance.choice(["-0.30", "0.40", "0.55", "0.90", "1.40"]))
        bid = ASK + gap
        low = ([("100.00", "3")], [(str(ASK), "3")])
        high = ([(str(bid), "3")], [(str(bid + Decimal("0.20")), "3")])
        self.world.show(2 * pair, *low)
        self.world.show(2 * pair + 1, *high)

    def tap(self) -> None:
        """Somebody taps a button: of what waits, of what has ended, or of an engine before."""
        known = [*self.world.journal.asked, *self.before]
        if not known:
            return
        newest = self.world.journal.asked[-3:]
        approval = self.chance.choice(newest if newest and self.chance.random() < 0.7 else known)
        act = self.chance.choices([*ApprovalAct], weights=[8, 1, 1, 1])[0]
        digest = approval.digest if self.chance.random() < 0.95 else "0" * 32
        by = self.chance.choice(OPERATORS)
        for _ in range(self.chance.choice([1, 1, 1, 2, 3])):
            self.tally.taps += 1
            world = self.world
            world.pipeline.before_input(world.now_ns)
            world.pipeline.answer_approval(
                approval.approval_id, act, by=by, digest=digest, at_ns=world.now_ns
            )
            world.pipeline.after_input(world.now_ns)

    def wait(self) -> None:
        """Time passes, sometimes until something has expired."""
        self.world.wait(self.chance.choice([20, 200, 1_100, 4_000, 61_000]))
        self.world.tick()

    def deliver(self) -> None:
        """A chat shows what was asked, in time or too late."""
        for approval in self.world.journal.asked[-3:]:
            late_ns = self.world.now_ns - approval.asked_at_ns
            if late_ns < self.world.setup.approvals.wait_s * NS_PER_S / 2:
                self.delivered.add(approval.approval_id)
            self.world.pipeline.delivered(approval.approval_id, self.world.now_ns)

    def blind(self) -> None:
        """The chat is blind, or sees again."""
        is_blind = self.chance.random() < 0.3
        self.world.pipeline.see(is_blind=is_blind, at_ns=self.world.now_ns)

    def grant(self) -> None:
        """A person grants a mandate."""
        self.mandates += 1
        now_ns = self.world.now_ns
        total = Decimal(self.chance.choice([100, 400, 2_000]))
        scope = self.chance.choice(
            [Scope(kind=ScopeKind.ANY), Scope(kind=ScopeKind.VENUE, name="v1")]
        )
        self.world.pipeline.grant(
            Mandate(
                mandate_id=f"m{self.mandates}",
                by=OPERATORS[0],
                scope=scope,
                each_usd_max=total,
                total_usd_max=total,
                edge_bps_min=Decimal(self.chance.choice([0, 30])),
                granted_at_ns=now_ns,
                expires_at_ns=now_ns + self.chance.choice([3, 60]) * NS_PER_S,
            )
        )

    def revoke(self) -> None:
        """A person takes all mandates back."""
        self.world.pipeline.revoke("", by=OPERATORS[1], at_ns=self.world.now_ns)

    def kill(self) -> None:
        """The latch is set, or cleared."""
        self.world.is_killed = self.chance.random() < 0.5

    def pause(self) -> None:
        """Trading is paused, or goes on."""
        self.world.switches.is_paused = self.chance.random() < 0.3

    def mode(self) -> None:
        """The mode is lowered, or approve again."""
        self.world.switches.mode = self.chance.choice([Mode.APPROVE, Mode.APPROVE, Mode.OBSERVE])

    def check(self) -> None:
        """Hold all that happened against the rules."""
        journal, fail = self.world.journal, self.tally.failures.append
        plans: list[Plan] = [*journal.approved, *journal.plans]
        new = len(plans) - self.seen_plans
        if new and self.world.is_killed:
            fail("a plan was started while killed")
        if new and self.world.switches.is_blind:
            fail("a plan was started while the chat was blind")
        self.tally.carried_out += new
        self.seen_plans = len(plans)
        if any(plan.permit is None for plan in plans):
            fail("a plan was started and nobody permitted it")
        asked = {one.approval_id: one for one in journal.asked}
        for plan in journal.approved:
            assert plan.permit is not None
            self._check_approved(plan, asked.get(plan.permit.id), plan.permit.digest)
        self._check_ends()
        self._check_spent()

    def _check_ends(self) -> None:
        """Each ends once, and was carried out once if it says so."""
        journal, fail = self.world.journal, self.tally.failures.append
        used = Counter(plan.permit.id for plan in journal.approved if plan.permit is not None)
        ends = Counter(end.approval_id for end in journal.answered)
        if any(times > 1 for times in [*ends.values(), *used.values()]):
            fail("an approval ended twice, or was carried out twice")
        for end in journal.answered:
            if (end.state is ApprovalState.EXECUTED) is not (used[end.approval_id] == 1):
                fail(f"{end.approval_id} ended {end.state}, carried out {used[end.approval_id]}")
        if self.world.decider.permits.approvals.pending.keys() & ends.keys():
            fail("something waits that has ended")

    def _check_spent(self) -> None:
        """What mandates say was spent is what was planned by them, and not too much."""
        journal = self.world.journal
        last = {use.mandate.mandate_id: use for use in journal.mandates}
        spent = dict.fromkeys(last, Decimal(0))
        for plan in journal.plans:
            if plan.permit is not None and plan.permit.kind is PermitKind.MANDATE:
                spent[plan.permit.id] += plan.notional_usd
        for mandate_id, use in last.items():
            if not use.spent_usd == spent[mandate_id] <= use.mandate.total_usd_max:
                self.tally.failures.append(
                    f"{mandate_id} spent {spent[mandate_id]}, it says {use.spent_usd}"
                )

    def _check_approved(self, plan: Plan, approval: Approval | None, digest: str) -> None:
        fail = self.tally.failures.append
        if approval is None:
            fail(f"{plan.plan_id} is by no approval of this engine")
            return
        terms = approval.plan
        if not digest == approval.digest == digest_of_plan(terms):
            fail(f"{plan.plan_id} has another digest than was shown")
        if len({*approval.approved_by}) + 1 < approval.operators_needed:
            fail(f"{plan.plan_id} was approved by too few")
        assert isinstance(plan, LeggedPlan)
        assert isinstance(terms, LeggedPlan)
        if not approval.asked_at_ns <= plan.decided_at_ns < approval.expires_at_ns:
            fail(f"{plan.plan_id} was started outside its time")
        half_ns = (approval.expires_at_ns - approval.asked_at_ns) // 2
        is_shown = approval.approval_id in self.delivered or approval.approved_by
        if not is_shown and plan.decided_at_ns >= approval.asked_at_ns + half_ns:
            fail(f"{plan.plan_id} was started though nobody had shown it in time")
        if plan.profit_quote < approval.worst_quote:
            fail(f"{plan.plan_id} gives less than was approved")
        for leg, bound in zip(plan.legs, terms.legs, strict=True):
            is_worse = (
                leg.price_limit > bound.price_limit
                if leg.side is Side.BUY
                else leg.price_limit < bound.price_limit
            )
            if is_worse or leg.size_base > bound.size_base or leg.instrument != bound.instrument:
                fail(f"{plan.plan_id} has a leg beyond what was approved")


def play(*, taps: int, seed: int) -> Tally:
    """Play runs until so many taps were made; each run follows a restart of the one before."""
    tally = Tally()
    before: list[Approval] = []
    while tally.taps < taps and not tally.failures:
        one = Play(seed, tally, before)
        one.run()
        before = one.world.journal.asked[-5:]
        tally.by_mandate += sum(
            plan.permit is not None and plan.permit.kind is PermitKind.MANDATE
            for plan in one.world.journal.plans
        )
        seed += 1
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{tally.taps} of {taps} taps")
    return tally


def main() -> int:
    """Run the campaign and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--taps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = play(taps=options.taps, seed=options.seed)
    sys.stdout.write(
        f"{tally.taps} taps in {tally.runs} runs: {tally.carried_out} plans carried out"
        f" ({tally.by_mandate} by mandates), approvals ended {dict(tally.ends)}\n"
    )
    for failure in tally.failures:
        sys.stdout.write(f"FAILED: {failure}\n")
    return bool(tally.failures)


if __name__ == "__main__":
    sys.exit(main())
