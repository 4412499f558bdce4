"""Which plans a person is asked for, where more pay than can be read."""

from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.decide.approvals import PENDING_MAX, TAKES_PLACE_RATIO, ApprovalRules, Approvals
from engine.domain.approvals import Approval, ApprovalAct, ApprovalState
from engine.domain.opportunities import Reason, route_of
from engine.domain.plans import Plan
from engine.domain.units import NS_PER_S
from tests.bot.samples import plan as sample_plan
from tests.reference.world import START_NS

SAMPLE = sample_plan()
ROUTES = 7


def plan(route: int, usd: Decimal | int | str) -> Plan:
    """Make a plan of one of the routes, worth so much."""
    first, *others = SAMPLE.opportunity.hops
    hops = (msgspec.structs.replace(first, place=f"X{route}-USD"), *others)
    opportunity = msgspec.structs.replace(SAMPLE.opportunity, hops=hops)
    return msgspec.structs.replace(SAMPLE, opportunity=opportunity, profit_quote=Decimal(usd))


@dataclass
class Table:
    """Approvals, and what was seen of them."""

    approvals: Approvals = field(default_factory=lambda: Approvals("r1", ApprovalRules()))
    now_ns: int = START_NS
    ended: dict[str, ApprovalState] = field(default_factory=dict)

    def ask(self, route: int, usd: Decimal | int | str, *, is_requested: bool = False) -> Reason:
        finding = self.approvals.ask(
            plan(route, usd),
            size_base=Decimal(1),
            worst=Decimal(0),
            why="",
            at_ns=self.now_ns,
            is_requested=is_requested,
        )
        self.see()
        return finding.reason

    def say(self, approval: Approval, act: ApprovalAct, by: str = "one") -> Approval | None:
        said = self.approvals.answer(
            approval.approval_id, act, by=by, digest=approval.digest, at_ns=self.now_ns
        )
        self.see()
        return said

    def see(self) -> None:
        self.approvals.take_asked()
        self.ended |= {end.approval_id: end.state for end in self.approvals.take_ended()}

    def waiting(self) -> dict[str, Decimal]:
        return {
            route_of(one.plan.opportunity): one.worth_usd for one in self.approvals.pending.values()
        }


def worths(table: Table) -> list[Decimal]:
    return sorted(table.waiting().values())


def test_what_is_clearly_worth_more_takes_the_place_of_the_least_and_says_so() -> None:
    table = Table()
    for route, usd in enumerate((10, 30, 20)):
        assert table.ask(route, usd) is Reason.ASKED
    least = next(iter(table.approvals.pending.values()))

    assert table.ask(3, "14.99") is Reason.NOT_ASKED
    assert table.ask(3, 15) is Reason.ASKED
    assert worths(table) == [15, 20, 30]

    assert table.ended == {least.approval_id: ApprovalState.OUTBID}
    assert table.say(least, ApprovalAct.APPROVE) is None
    assert table.approvals.approved(least.approval_id) is None
    assert least.approval_id not in table.approvals.pending


def test_the_end_says_what_took_the_place() -> None:
    table = Table()
    for route in range(PENDING_MAX):
        table.ask(route, 1)
    table.approvals.ask(
        plan(5, "41.3"), size_base=Decimal(1), worst=Decimal(0), why="", at_ns=table.now_ns
    )
    (end,) = table.approvals.take_ended()
    assert end.why == "a plan worth 41.30 USD took its place"


def test_what_a_person_asked_for_or_one_of_two_approved_keeps_its_place() -> None:
    rules = ApprovalRules(two_operators_usd=Decimal(1))
    table = Table(Approvals("r1", rules))
    table.ask(0, 1, is_requested=True)
    table.ask(1, 2)
    table.ask(2, 3)
    half = [*table.approvals.pending.values()][1]
    assert table.say(half, ApprovalAct.APPROVE) is None

    assert table.ask(3, 100) is Reason.ASKED
    assert worths(table) == [1, 2, 100]
    table.say([*table.approvals.pending.values()][-1], ApprovalAct.APPROVE)
    assert table.ask(4, 1_000) is Reason.NOT_ASKED
    assert worths(table) == [1, 2, 100]


def test_what_is_left_out_is_counted_by_route_with_the_most_it_was_worth() -> None:
    table = Table()
    for route in range(PENDING_MAX):
        table.ask(route, 10)
    for usd in ("9", "12", "11"):
        table.ask(4, usd)
    table.ask(5, 3)

    report = table.approvals.left_out.since(table.now_ns)
    assert [(one.pair, one.worth_usd) for one in report] == [
        (plan(4, 1).opportunity.pair, Decimal(12)),
        (plan(5, 1).opportunity.pair, Decimal(3)),
    ]

    table.say(next(iter(table.approvals.pending.values())), ApprovalAct.REJECT)
    assert table.ask(5, 3) is Reason.ASKED
    assert [one.worth_usd for one in table.approvals.left_out.since(table.now_ns)] == [12]
    table.now_ns += 3_601 * NS_PER_S
    assert table.approvals.left_out.since(table.now_ns) == []


offers = st.tuples(st.integers(0, ROUTES - 1), st.decimals("0.01", 1_000, places=2), st.booleans())


@given(st.lists(offers, max_size=60))
def test_what_waits_is_never_worth_less_than_two_thirds_of_the_best_that_was_offered(
    offered: list[tuple[int, Decimal, bool]],
) -> None:
    """While nobody answers: no offer lessens what waits, and few prompts ever change."""
    table = Table()
    best: dict[str, Decimal] = {}
    for route, usd, is_requested in offered:
        before, ended = worths(table), len(table.ended)
        name = route_of(plan(route, usd).opportunity)
        is_own = is_requested and len(before) < PENDING_MAX and name not in table.waiting()
        table.ask(route, usd, is_requested=is_own)
        after = worths(table)
        assert len(after) <= PENDING_MAX
        assert sum(after) >= sum(before)
        if len(table.ended) > ended:
            # One went, for what is clearly worth more.
            assert len(table.ended) == ended + 1
            assert sum(after) - sum(before) >= usd - usd / TAKES_PLACE_RATIO
        if name not in table.waiting() or table.waiting()[name] == usd:
            best[name] = max(best.get(name, Decimal(0)), usd)
    free = [o.worth_usd for o in table.approvals.pending.values() if not o.is_requested]
    waiting = table.waiting()
    missed = sorted((usd for name, usd in best.items() if name not in waiting), reverse=True)
    if free:
        assert all(usd < TAKES_PLACE_RATIO * min(free) for usd in missed)
        assert sum(missed[: len(free)]) < TAKES_PLACE_RATIO * sum(free)
    # Each change makes one of three places worth half as much again: from a cent to 1,000 USD.
    assert len(table.ended) <= PENDING_MAX * 29


def approvals_of(table: Table) -> list[Approval]:
    return [*table.approvals.pending.values()]


@given(st.lists(offers, max_size=40), st.randoms(use_true_random=False))
def test_what_lost_its_place_is_never_carried_out(
    offered: list[tuple[int, Decimal, bool]], chance: object
) -> None:
    table = Table()
    seen: dict[str, Approval] = {}
    for route, usd, _ in offered:
        table.ask(route, usd)
        seen |= {one.approval_id: one for one in approvals_of(table)}
        tapped = chance.choice([*seen.values()])  # type: ignore[attr-defined]
        was_out = tapped.approval_id in table.ended
        approved = table.say(tapped, ApprovalAct.APPROVE)
        if was_out:
            assert approved is None
            assert table.approvals.approved(tapped.approval_id) is None
        elif approved is not None:
            table.approvals.end(approved, ApprovalState.EXECUTED, at_ns=table.now_ns)
            table.see()
    outbid = {name for name, state in table.ended.items() if state is ApprovalState.OUTBID}
    assert outbid.isdisjoint(table.approvals.pending)
