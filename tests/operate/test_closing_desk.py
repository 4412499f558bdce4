"""A person's yes to closing leftovers is for what was shown, is durable first, and serves once."""

from dataclasses import dataclass, field
from decimal import Decimal

from msgspec import structs

from engine.bus.command import Envelope
from engine.bus.notices import LeftoverClosed
from engine.bus.reports import Acknowledged, Declined
from engine.domain.modes import Mode
from engine.domain.plans import LeggedPlan, digest_of_plan, is_closing
from engine.operate.closings import GONE, ClosingDesk
from tests.operate.test_what_the_phone_is_told import traded
from tests.reference.engine import Engine


@dataclass
class Answers:
    """What the desk needs of whoever answers for the engine."""

    engine: Engine
    away: str = ""
    void: str | None = None
    noted: list[str] = field(default_factory=list)

    def now(self, text: str) -> Acknowledged:
        control = self.engine.core.control
        return Acknowledged(
            text=text,
            mode=control.mode,
            is_killed=False,
            is_paused=control.is_paused,
        )

    async def note(
        self, envelope: Envelope, action: str, *, is_looser: bool = False
    ) -> Declined | None:
        del envelope
        assert is_looser
        self.noted.append(action)
        return Declined(why=self.away) if self.away else None

    def voids(self, at_ns: int) -> str | None:
        del at_ns
        return self.void


def desk_of(engine: Engine) -> tuple[ClosingDesk, Answers]:
    """Return the desk of an engine whose trade left something over, with a book for it."""
    engine.core.control.mode = Mode.PAPER
    engine.show(0, [("99.00", "9")], [("100.10", "9")])
    answers = Answers(engine)
    return ClosingDesk(engine.core, answers, lambda: engine.now_ns), answers


def said(engine: Engine) -> Envelope:
    return Envelope(
        id="c1",
        by="telegram:4242",
        at_ns=engine.now_ns,
        expires_at_ns=None,
        target="main",
        digest="",
    )


def offered(desk: ClosingDesk) -> LeggedPlan:
    (line,) = desk.report().closings
    assert line.terms is not None
    assert line.is_whole
    return line.terms


def finish(engine: Engine) -> LeftoverClosed:
    for _ in range(600):
        engine.tick(5)
    (told,) = [one for one in engine.notices if isinstance(one, LeftoverClosed)]
    return told


async def test_what_was_shown_is_closed_and_what_came_of_it_is_told_beside_it() -> None:
    engine = traded()
    desk, answers = desk_of(engine)
    terms = offered(desk)
    (left,) = engine.core.positions.residuals

    reply = await desk.close(said(engine), (terms,))
    told = finish(engine)

    assert isinstance(reply, Acknowledged)
    assert reply.text.startswith("1 orders on their way")
    assert answers.noted[0].startswith("leftovers closed: BTC at ")
    assert told.held == left.held
    assert told.closed == left.held.value
    assert told.realised_usd == told.expected_usd == terms.profit_quote
    assert engine.core.positions.residuals == ()
    assert desk.report().closings == []
    assert is_closing(told.opportunity_id)
    record = engine.executions[-1]
    assert record.execution.story is not None
    assert record.execution.story.realised.quote == record.execution.profit_quote


async def test_a_word_serves_once_and_for_nothing_that_was_not_shown() -> None:
    engine = traded()
    desk, _ = desk_of(engine)
    terms = offered(desk)
    larger = structs.replace(terms, notional_usd=terms.notional_usd + 1)

    unseen = await desk.close(said(engine), (larger,))
    first = await desk.close(said(engine), (terms,))
    second = await desk.close(said(engine), (terms,))

    assert unseen == second == Declined(why=GONE)
    assert isinstance(first, Acknowledged)
    finish(engine)


async def test_nothing_begins_that_the_ledger_does_not_have_or_that_a_kill_came_before() -> None:
    engine = traded()
    desk, answers = desk_of(engine)
    answers.away = "the ledger is away"
    away = await desk.close(said(engine), (offered(desk),))
    answers.away, answers.void = "", "a kill came after it"
    killed = await desk.close(said(engine), (offered(desk),))

    assert away == Declined(why="the ledger is away")
    assert killed == Declined(why="a kill came after it")
    assert len(engine.core.positions.residuals) == 1
    assert len(engine.core.under_way) == 0


async def test_what_may_not_leave_now_is_not_offered_and_says_why() -> None:
    engine = traded()
    desk, _ = desk_of(engine)
    terms = offered(desk)
    engine.core.control.mode = Mode.OBSERVE

    (line,) = desk.report().closings
    reply = await desk.close(said(engine), (terms,))

    assert line.terms is None
    assert "observe" in line.why_not_now
    assert isinstance(reply, Declined)
    assert "observe" in reply.why


async def test_each_look_is_another_offer() -> None:
    engine = traded()
    desk, _ = desk_of(engine)

    one, other = offered(desk), offered(desk)

    assert one.plan_id != other.plan_id
    assert digest_of_plan(one) != digest_of_plan(other)
    assert one.profit_quote == other.profit_quote < Decimal(0)
