"""One order at a venue, followed until what became of it is proven.

A pure machine: what is learned goes in, what is to be asked or told comes out. It never takes time
for a proof. That there is no order is believed when the request can no longer arrive, by the
venue's own rules; and then every call that covers it has shown none, more than once in a row, with
nothing missed on the user stream since it was sent.

Times are milliseconds of a clock that nobody sets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine.domain.venue_orders import OrderRequest, OrderShown, Stage, TimeInForce, TradeShown
from engine.gateways.answers import (
    Found,
    LookUpAnswer,
    NotPlaced,
    PlaceAnswer,
    Placed,
    Unclear,
)
from engine.gateways.gateway import ProofRules
from engine.trading.acts import Act, Alarm, Cancel, LookUp, Replay, TellUnknown, Told

NEVER_MS: Final = 1 << 62

_STAGE_ORDER: Final = (
    Stage.PENDING,
    Stage.OPEN,
    Stage.REFUSED,
    Stage.EXPIRED,
    Stage.CANCELLED,
    Stage.FILLED,
)
"""Of two that a venue showed, whatever came last: the later one of this list stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long what is waited for.

    Attributes:
        answer_ms: for the answer to the placing; afterwards the outcome is unknown.
        first_ms, longest_ms: until the next look-up: it doubles.
        rest_ms: what may not rest is cancelled if it is open for so long.
        trades_ms: between look-ups for trades that the venue counts and has not shown.
        unproven_ms: a person is told of an outcome that is unknown for so long.
        watched_ms: an order that is proven not to exist is recognised for so long.
    """

    answer_ms: int = 2_000
    first_ms: int = 500
    longest_ms: int = 30_000
    rest_ms: int = 3_000
    trades_ms: int = 1_000
    unproven_ms: int = 180_000
    watched_ms: int = 86_400_000


def proven_within_ms(rules: ProofRules, waits: Waits) -> int:
    """Return after how long at the most it is proven that there is no order.

    Counted from when it may have left last, where the venue answers and its user stream stays: at
    first what the stream missed before is made up for, then absences are counted.
    """
    rounds_ms = sum(_evidence_ms(rules, waits) << n for n in range(rules.absences_min))
    return rules.late_ms_max + rules.lag_ms_max + rounds_ms


def _evidence_ms(rules: ProofRules, waits: Waits) -> int:
    return max(waits.first_ms, rules.lag_ms_max)


@dataclass(slots=True)
class _Round:
    """One look-up: all calls that cover the order, asked together.

    Attributes:
        is_late: it began when the placing could no longer arrive and all of it would be shown.
        is_closing: it began when all of an order that had ended would be shown.
        gaps: how often something had been missed on the stream when it began.
    """

    number: int
    left: int
    is_late: bool
    is_closing: bool
    gaps: int
    is_void: bool = False
    has_found: bool = False


@dataclass(slots=True, kw_only=True)
class Proof:
    """One order.

    Attributes:
        signed_at_ms: when the placing was last signed; NEVER_MS before it was.
        wanted_until_ms: a replay may make the order until then, and not afterwards.
        due_ms: when `tick` is due next.
        stage: as proven; None as long as nothing is, or if it is proven that there is none.
        is_proven: whether it is known whether there is such an order.
    """

    request: OrderRequest
    rules: ProofRules
    waits: Waits
    wanted_until_ms: int
    signed_at_ms: int = NEVER_MS
    due_ms: int = NEVER_MS
    stage: Stage | None = None
    is_proven: bool = False
    venue_order_id: str = ""
    filled_base: Decimal = Decimal(0)
    gaps: int = 0
    _trades: dict[str, TradeShown] = field(default_factory=dict)
    _reversed: set[str] = field(default_factory=set)
    _others: set[str] = field(default_factory=set)
    _twins: set[str] = field(default_factory=set)
    _round: _Round | None = None
    _rounds: int = 0
    _absences: int = 0
    _gaps_at_absence: int = 0
    _gaps_at_sent: int = 0
    _wait_ms: int = 0
    _is_shut: bool = False
    _is_unknown: bool = False
    _unknown_since_ms: int = NEVER_MS
    _is_unproven_told: bool = False
    _fenced_at_ms: int = NEVER_MS
    _sends: int = 0
    _exists: bool = False
    _open_since_ms: int = NEVER_MS
    _is_cancelled: bool = False
    _final_at_ms: int = NEVER_MS
    _is_closed: bool = False

    @property
    def is_over(self) -> bool:
        """Whether its end and all that it was filled for are known."""
        if not self.is_proven:
            return False
        return self.stage is None or (self.stage.is_final and self._missing_base <= 0)

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is asked: it is over, and a look-up after all lag has shown it so.

        An end may be shown before the last of its fills.
        """
        return self.is_over and (self.stage is None or self._is_closed)

    @property
    def _missing_base(self) -> Decimal:
        return self.filled_base - self._traded_base

    @property
    def _traded_base(self) -> Decimal:
        kept = (one.size_base for key, one in self._trades.items() if key not in self._reversed)
        return sum(kept, start=Decimal(0))

    @property
    def _reversed_base(self) -> Decimal:
        return sum((self._trades[key].size_base for key in self._reversed), start=Decimal(0))

    def sent(self, at_ms: int) -> Sequence[Act]:
        """Learn that the placing was signed and leaves now: it may arrive from here on."""
        self.signed_at_ms, self._is_shut = at_ms, False
        self._sends += 1
        self._gaps_at_sent = self.gaps
        self.due_ms = at_ms + self.waits.answer_ms
        return ()

    def resumed(self, signed_at_ms: int, at_ms: int) -> Sequence[Act]:
        """Learn that it had been intended when whoever followed it ended; it may have been sent."""
        self.signed_at_ms = signed_at_ms
        self._sends = 2  # whatever is answered now is about another send
        self.gaps += 1  # nobody heard the stream meanwhile
        self._gaps_at_sent = self.gaps
        return self._unknown("nobody was there for the answer", at_ms)

    def answered(self, answer: PlaceAnswer, at_ms: int) -> Sequence[Act]:
        """Take the answer to the placing, or to a replay of it."""
        if isinstance(answer, Placed):
            return self._shown(answer.shown, at_ms)
        if self.is_proven:
            return ()
        if isinstance(answer, NotPlaced):
            if self._sends != 1:
                # It says that this send made none. Another one may have, and spent the funds.
                return ()
            self.is_proven = True
            self.due_ms = at_ms + self.waits.watched_ms
            return (Told(stage=None, why=f"{answer.code}: {answer.why}"),)
        self._exists |= answer.exists
        return self._unknown(answer.why, at_ms)

    def streamed(self, fact: OrderShown | TradeShown, at_ms: int) -> Sequence[Act]:
        """Take what the user stream tells of it."""
        if isinstance(fact, TradeShown):
            return self._traded((fact,), at_ms)
        return self._shown(fact, at_ms)

    def missed(self) -> None:
        """Learn that something of the user stream was missed."""
        self.gaps += 1

    def fenced(self, signed_at_ms: int, at_ms: int) -> None:
        """Learn that a call that was signed then is answered now, be it about this order or not.

        At some venues none that was signed before it can be taken from here on.
        """
        if self.rules.is_fenced and signed_at_ms > self.signed_at_ms:
            self._fenced_at_ms = min(self._fenced_at_ms, at_ms)

    def began(self, number: int, *, calls: int, at_ms: int) -> None:
        """Learn that a look-up was signed and leaves now, in so many calls."""
        self._round = _Round(
            number=number,
            left=calls,
            is_late=at_ms >= self._arrives_until_ms + self.rules.lag_ms_max,
            is_closing=at_ms >= self._final_at_ms + self.rules.lag_ms_max,
            gaps=self.gaps,
        )

    def looked_up(self, number: int, answer: LookUpAnswer, at_ms: int) -> Sequence[Act]:
        """Take the answer to one call of a look-up.

        What one that was overtaken by the next shows counts; what it does not show is no evidence.
        """
        acts: list[Act] = []
        if isinstance(answer, Found):
            acts += self._found(answer, at_ms)
        current = self._round
        if current is None or current.number != number:
            return acts
        current.left -= 1
        current.is_void |= isinstance(answer, Unclear)
        current.has_found |= isinstance(answer, Found)
        if current.left == 0:
            self._round = None
            acts += self._round_over(current, at_ms)
        return acts

    def lost(self, number: int, at_ms: int) -> Sequence[Act]:
        """Learn that a call of a look-up had no answer."""
        return self.looked_up(number, Unclear(why="no answer"), at_ms)

    def tick(self, at_ms: int) -> Sequence[Act]:
        """Do what is due."""
        if at_ms < self.due_ms:
            return ()
        if self.is_proven:
            return self._tick_proven(at_ms)
        if not self._is_unknown:
            return self._unknown("no answer in time", at_ms)
        acts: list[Act] = []
        if not self._is_unproven_told and at_ms >= (
            self._unknown_since_ms + self.waits.unproven_ms
        ):
            self._is_unproven_told = True
            waited_s = (at_ms - self._unknown_since_ms) // 1_000
            acts.append(Alarm(f"what became of it is unknown for {waited_s} s"))
        return (*acts, *self._ask(at_ms))

    def _tick_proven(self, at_ms: int) -> Sequence[Act]:
        if self.is_closed:
            self.due_ms = NEVER_MS
            return ()
        rests = self.stage in (Stage.PENDING, Stage.OPEN)
        may_rest = self.request.time_in_force is TimeInForce.POST_ONLY
        if not rests:
            self.due_ms = at_ms + self._wait_ms
            self._wait_ms = min(self._wait_ms * 2, self.waits.longest_ms)
            return (self._next_round(),)
        if may_rest:
            self.due_ms = at_ms + self.waits.longest_ms
            return (self._next_round(),)
        was_cancelled, self._is_cancelled = self._is_cancelled, True
        if not was_cancelled:
            self._wait_ms = self.waits.first_ms
        self.due_ms = at_ms + self._wait_ms
        self._wait_ms = min(self._wait_ms * 2, self.waits.longest_ms)
        alarm = Alarm("it rests in the book although it may not; it is cancelled")
        # A cancellation may be sent as often as one likes: it ends nothing that has not ended.
        asked = (Cancel(self.venue_order_id), self._next_round())
        return asked if was_cancelled else (alarm, *asked)

    @property
    def _arrives_until_ms(self) -> int:
        latest_ms = self.signed_at_ms + self.rules.late_ms_max
        return min(latest_ms, self._fenced_at_ms)

    def _unknown(self, why: str, at_ms: int) -> Sequence[Act]:
        was_unknown, self._is_unknown = self._is_unknown, True
        if was_unknown:
            return ()
        self._unknown_since_ms = at_ms
        self._wait_ms = self.waits.first_ms
        return (TellUnknown(why), *self._ask(at_ms))

    def _ask(self, at_ms: int) -> Sequence[Act]:
        """Ask for what proves most now, and once more later."""
        shut_ms = self._arrives_until_ms + self.rules.lag_ms_max
        if at_ms >= shut_ms and not self._is_shut:
            # From here on what is not shown is evidence: it is not waited for any longer.
            self._is_shut, self._wait_ms = True, _evidence_ms(self.rules, self.waits)
        self.due_ms = at_ms + self._wait_ms
        self._wait_ms = min(self._wait_ms * 2, self.waits.longest_ms)
        if at_ms < shut_ms:
            self.due_ms = min(self.due_ms, shut_ms)
        may_replay = self.rules.is_replay_harmless and not self._exists
        if may_replay and at_ms <= self.wanted_until_ms:
            self._sends += 1
            # It may arrive as the first of them, from now on.
            self.signed_at_ms, self._is_shut = at_ms, False
            return (Replay(),)
        return (self._next_round(),)

    def _next_round(self) -> LookUp:
        self._rounds += 1
        return LookUp(number=self._rounds, venue_order_id=self.venue_order_id)

    def _found(self, answer: Found, at_ms: int) -> list[Act]:
        acts: list[Act] = []
        ours = []
        for shown in answer.orders:
            difference = shown.differs_from(self.request)
            if not difference:
                ours.append(shown)
            elif shown.venue_order_id not in self._others:
                self._others.add(shown.venue_order_id)
                acts.append(Alarm(f"the venue shows another order under its id: {difference}"))
        for shown in ours:
            acts += self._shown(shown, at_ms)
        # A call that lists fills of a time has those of other orders in it.
        known = {self.venue_order_id, *self._twins} - {""}
        trades = [one for one in answer.trades if one.venue_order_id in known]
        return [*acts, *self._traded(trades, at_ms)]

    def _shown(self, shown: OrderShown, at_ms: int) -> Sequence[Act]:
        difference = shown.differs_from(self.request)
        if difference:
            return (Alarm(f"the venue shows another order under its id: {difference}"),)
        acts: list[Act] = []
        if self.venue_order_id and shown.venue_order_id not in ("", self.venue_order_id):
            if shown.venue_order_id not in self._twins:
                self._twins.add(shown.venue_order_id)
                acts.append(
                    Alarm(
                        f"the venue made it twice: {self.venue_order_id} and"
                        f" {shown.venue_order_id}; what both were filled for is booked"
                    )
                )
            return (*acts, *self._traded(shown.trades, at_ms))
        if self.is_proven and self.stage is None:
            acts.append(Alarm(f"taken not to exist, now shown as {shown.stage}"))
        self.is_proven = True
        self.venue_order_id = self.venue_order_id or shown.venue_order_id
        before = (self.stage, self.filled_base)
        if self.stage is None or _STAGE_ORDER.index(shown.stage) > _STAGE_ORDER.index(self.stage):
            self.stage = shown.stage
        if shown.filled_base is not None:
            # A venue's total goes on counting what it took back.
            self.filled_base = max(self.filled_base, shown.filled_base - self._reversed_base)
        fresh = self._fresh(shown.trades)
        self.filled_base = max(self.filled_base, self._traded_base)
        if (self.stage, self.filled_base) != before or fresh:
            acts.append(self._told(fresh, shown.why))
            self._plan(at_ms)
        return acts

    def _traded(self, trades: Sequence[TradeShown], at_ms: int) -> Sequence[Act]:
        """Take trades that were shown without their order: there is such an order, then."""
        fresh = self._fresh(trades)
        if not fresh:
            return ()
        acts: list[Act] = []
        if self.is_proven and self.stage is None:
            acts.append(Alarm("taken not to exist, now filled"))
        acts += [
            Alarm(f"the venue takes trade {one.trade_id} back") for one in fresh if one.is_reversal
        ]
        self.is_proven = True
        self.stage = self.stage or Stage.OPEN
        self.venue_order_id = self.venue_order_id or fresh[0].venue_order_id
        self.filled_base = max(self.filled_base, self._traded_base)
        if self.filled_base >= self.request.size_base:
            self.stage = Stage.FILLED
        self._plan(at_ms)
        return (*acts, self._told(fresh, ""))

    def _fresh(self, trades: Sequence[TradeShown]) -> tuple[TradeShown, ...]:
        fresh = []
        for trade in trades:
            if trade.is_reversal:
                if trade.trade_id in self._trades and trade.trade_id not in self._reversed:
                    self._reversed.add(trade.trade_id)
                    self.filled_base -= self._trades[trade.trade_id].size_base
                    fresh.append(trade)
            elif trade.trade_id not in self._trades:
                self._trades[trade.trade_id] = trade
                fresh.append(trade)
        return tuple(fresh)

    def _told(self, fresh: tuple[TradeShown, ...], why: str) -> Told:
        return Told(
            stage=self.stage,
            venue_order_id=self.venue_order_id,
            filled_base=self.filled_base,
            trades=fresh,
            why=why,
        )

    def _plan(self, at_ms: int) -> None:
        """Say when to look at an order that exists next."""
        assert self.stage is not None
        if not self.stage.is_final:
            self._open_since_ms = min(self._open_since_ms, at_ms)
            self.due_ms = max(at_ms, self._open_since_ms + self.waits.rest_ms)
            return
        self._final_at_ms = min(self._final_at_ms, at_ms)
        self._wait_ms = self.waits.trades_ms
        if self.is_over:
            self.due_ms = max(at_ms, self._final_at_ms + self.rules.lag_ms_max)
        else:
            self.due_ms = at_ms + self.waits.trades_ms

    def _round_over(self, over: _Round, at_ms: int) -> Sequence[Act]:
        if self.is_proven:
            self._is_closed |= over.is_closing and over.has_found and not over.is_void
            return ()
        if over.has_found:
            return ()
        is_evidence = over.is_late and not over.is_void and over.gaps == self.gaps
        if not is_evidence or self._gaps_at_sent != self.gaps:
            self._absences = 0
            if self._gaps_at_sent != self.gaps and over.is_late and not over.is_void:
                # All that the stream could have told by now is in what the look-up covers.
                self._gaps_at_sent = self.gaps
            return ()
        self._absences += 1
        if self._absences < self.rules.absences_min:
            return ()
        self.is_proven = True
        self.due_ms = at_ms + self.waits.watched_ms
        return (Told(stage=None, why="it is nowhere to be found, and cannot arrive any more"),)
