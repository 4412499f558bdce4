"""A venue and the way to it as a model in virtual time, for orders whose outcome is in doubt.

It knows what is true: which orders it made and what they were filled for. What is heard of that is
late, lost, repeated or spoilt, by a seed. It obeys the rules by which outcomes are proven, and
nothing else.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.venue_orders import OrderRequest, OrderShown, Stage, TradeShown, wire_id_of
from engine.gateways.answers import (
    Found,
    LookUpAnswer,
    NotFound,
    NotPlaced,
    PlaceAnswer,
    Placed,
    Unclear,
)
from engine.gateways.gateway import ProofRules
from engine.trading.acts import Act, Alarm, Cancel, LookUp, Replay, Told
from engine.trading.proof import NEVER_MS, Proof, Waits

RULES = {
    "replayed": ProofRules(
        is_replay_harmless=True,
        is_fenced=False,
        late_ms_max=120_000,
        lag_ms_max=2_000,
        shows_closed=True,
    ),
    "fenced": ProofRules(
        is_replay_harmless=False,
        is_fenced=True,
        late_ms_max=60_000,
        lag_ms_max=2_000,
        shows_closed=True,
    ),
    "windowed": ProofRules(
        is_replay_harmless=False,
        is_fenced=False,
        late_ms_max=13_000,
        lag_ms_max=2_000,
        shows_closed=True,
    ),
    "patient": ProofRules(
        is_replay_harmless=False,
        is_fenced=False,
        late_ms_max=150_000,
        lag_ms_max=5_000,
        shows_closed=True,
    ),
}

RULES["lagging"] = ProofRules(
    is_replay_harmless=False,
    is_fenced=False,
    late_ms_max=13_000,
    lag_ms_max=90_000,
    shows_closed=True,
)
RULES["lagging behind a fence"] = ProofRules(
    is_replay_harmless=False,
    is_fenced=True,
    late_ms_max=400_000,
    lag_ms_max=90_000,
    shows_closed=True,
)

WAITS = Waits()
WANTED_MS = 5_000
LOOK_UP_CALLS = 2
ENDS_BY_MS = 3_600_000
"""However bad the way, a truthful venue has told everything by then."""


@dataclass(slots=True)
class Made:
    """An order that the venue has."""

    venue_order_id: str
    stage: Stage
    made_at_ms: int
    trades: list[TradeShown] = field(default_factory=list)
    changes: list[tuple[int, Stage, int]] = field(default_factory=list)
    """When it came to which stage with how many of its trades."""


class Trial:
    """One order from its signing to its end.

    Attributes:
        wrong: what may never be, in sentences.
        happened: kinds of trouble, counted.
    """

    def __init__(self, rules: ProofRules, seed: int) -> None:
        self.rules = rules
        self.rng = random.Random(seed)
        self.now_ms = 0
        self.wrong: list[str] = []
        self.happened: Counter[str] = Counter()
        self.made: list[Made] = []
        self.request = OrderRequest(
            wire_id=wire_id_of(f"o{seed}", engine_id="main"),
            venue=VenueId("model"),
            wire_name="BTC-USD",
            side=Side.BUY,
            size_base=Decimal(10),
            price_limit=Decimal(100),
        )
        self.told_trades: dict[str, TradeShown] = {}
        self.last_told: Told | None = None
        self.was_told_absent = False
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._nonce = 0
        self._last_nonce = 0
        self._life = 0
        self._creates = 0
        self._trouble = self.rng.choice((0.0, 0.05, 0.3, 0.7))
        self._is_stream_broken_until_ms = 0
        self._lies_left = 1
        self.proof = self._new_proof()

    def run(self) -> None:
        """Play it to its end."""
        self._act(self.proof.sent(self.now_ms))
        self._send()
        for _ in range(self.rng.choice((0, 0, 0, 1, 2))):
            self._at(self.rng.randrange(1, 40_000), self._restart)
        while self._queue or self.proof.due_ms < NEVER_MS:
            due_ms = self.proof.due_ms
            if self._queue and self._queue[0][0] <= due_ms:
                self.now_ms, _, what = heapq.heappop(self._queue)
                what()
                continue
            if due_ms > ENDS_BY_MS:
                break
            self.now_ms = max(self.now_ms, due_ms)
            self._act(self.proof.tick(self.now_ms))
        self._judge()

    def _judge(self) -> None:
        true_trades = {one.trade_id for order in self.made for one in order.trades}
        if set(self.told_trades) != true_trades:
            self.wrong.append(f"trades {sorted(self.told_trades)}, true are {sorted(true_trades)}")
        if self.made and self.was_told_absent:
            self.wrong.append("said not to exist, and it does")
        if not self.made and not self.was_told_absent:
            self.wrong.append("does not exist, which was never proven")
        if not self.proof.is_closed:
            self.wrong.append(f"never ended: {self.proof.stage}, {self.proof.filled_base}")
        if len(self.made) > 1:
            self.wrong.append("made twice")
        if self.made and self.last_told is not None:
            truth = self.made[0]
            if self.last_told.stage is not truth.stage:
                self.wrong.append(f"told {self.last_told.stage}, true is {truth.stage}")

    def _new_proof(self) -> Proof:
        return Proof(request=self.request, rules=self.rules, waits=WAITS, wanted_until_ms=WANTED_MS)

    def _at(self, wait_ms: int, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now_ms + wait_ms, self._count, what))

    def _is_bad(self, share: float = 1.0) -> bool:
        return self.rng.random() < self._trouble * share

    def _delay_ms(self, most_ms: int) -> int:
        return self.rng.randrange(1, most_ms) if self._is_bad(0.5) else self.rng.randrange(1, 60)

    # ---- the way there

    def _send(self) -> None:
        self._creates += 1
        if self._creates > 1 and not self.rules.is_replay_harmless:
            self.wrong.append("sent twice")
        self._nonce += 1
        nonce, signed_at_ms, life = self._nonce, self.now_ms, self._life
        if self._is_bad(0.5):
            self.happened["request lost"] += 1
            return
        wait_ms = self._delay_ms(self.rules.late_ms_max * 2)
        if self._is_bad(0.2):
            self.happened["arrived as late as can be"] += 1
            wait_ms = self.rules.late_ms_max - self.rng.randrange(0, 3_000)
        self._at(wait_ms, lambda: self._arrive(nonce, signed_at_ms, life))

    def _arrive(self, nonce: int, signed_at_ms: int, life: int) -> None:
        if self.now_ms - signed_at_ms > self.rules.late_ms_max:
            self.happened["arrived too late"] += 1
            return self._answer(NotPlaced(code="late", why="outside its window"), life)
        if self.rules.is_fenced and nonce < self._last_nonce:
            self.happened["shut out by a later call"] += 1
            return self._answer(NotPlaced(code="nonce", why="not above the last"), life)
        self._last_nonce = max(self._last_nonce, nonce)
        if self.rules.is_replay_harmless and self.made:
            self.happened["replayed"] += 1
            return self._answer(Placed(shown=self._shown(self.made[0], self.now_ms)), life)
        if self.rng.random() < 0.1:
            self.happened["refused"] += 1
            return self._answer(NotPlaced(code="funds", why="not enough"), life)
        order = self._make()
        answer: PlaceAnswer = Placed(shown=self._shown(order, self.now_ms))
        if self._is_bad(0.4):
            self.happened["error after acceptance"] += 1
            answer = Unclear(why="status 502")
        return self._answer(answer, life)

    def _answer(self, answer: PlaceAnswer, life: int) -> None:
        if self._is_bad(0.6):
            self.happened["answer lost"] += 1
            return

        def come() -> None:
            if life == self._life:
                self._act(self.proof.answered(answer, self.now_ms))

        self._at(self._delay_ms(20_000), come)

    # ---- the venue

    def _make(self) -> Made:
        order = Made(f"v{len(self.made)}", Stage.OPEN, self.now_ms)
        self.made.append(order)
        self._note(order)
        left, wait_ms = 10, 0
        for number in range(self.rng.choice((0, 1, 1, 2, 3))):
            size = min(left, self.rng.randrange(1, 8))
            if not size:
                break
            left -= size
            trade = self._trade(order, number, size)
            if self._is_bad(0.2):
                self.happened["filled later"] += 1
                wait_ms += self._delay_ms(10_000)
            self._at(wait_ms, partial(self._fill, order, trade))
        if self._is_bad(0.1):
            self.happened["rests"] += 1
        else:
            self._at(wait_ms + 1, lambda: self._end(order, Stage.EXPIRED))
        return order

    def _trade(self, order: Made, number: int, size: int) -> TradeShown:
        return TradeShown(
            trade_id=f"{order.venue_order_id}-{number}",
            venue_order_id=order.venue_order_id,
            wire_name=self.request.wire_name,
            side=self.request.side,
            price=Decimal(100),
            size_base=Decimal(size),
            fee=Decimal(0),
        )

    def _fill(self, order: Made, trade: TradeShown) -> None:
        if order.stage is not Stage.OPEN:  # cancelled meanwhile
            return
        order.trades.append(trade)
        if sum(one.size_base for one in order.trades) >= self.request.size_base:
            order.stage = Stage.FILLED
        self._note(order)
        self._stream(trade if self.rng.random() < 0.5 else self._shown(order, self.now_ms))

    def _end(self, order: Made, stage: Stage) -> None:
        if order.stage is Stage.OPEN:
            order.stage = stage
            self._note(order)
            self._stream(self._shown(order, self.now_ms))

    def _note(self, order: Made) -> None:
        order.changes.append((self.now_ms, order.stage, len(order.trades)))

    def _shown(self, order: Made, as_of_ms: int, *, is_look_up: bool = False) -> OrderShown:
        stage, count = order.changes[0][1:]
        for at_ms, later, many in order.changes:
            if at_ms <= as_of_ms:
                stage, count = later, many
        trades = order.trades[:count]
        if trades and stage.is_final and self._is_bad(0.2) and not is_look_up:
            self.happened["end shown before its last fill"] += 1
            trades = trades[:-1]
        return OrderShown(
            venue_order_id=order.venue_order_id,
            wire_id=self.request.wire_id,
            wire_name=self.request.wire_name,
            side=self.request.side,
            stage=stage,
            size_base=self.request.size_base,
            price_limit=self.request.price_limit,
            filled_base=sum((one.size_base for one in trades), start=Decimal(0)),
            trades=tuple(trades) if self.rng.random() < 0.5 else (),
        )

    # ---- what is heard

    def _stream(self, fact: OrderShown | TradeShown) -> None:
        if self.now_ms < self._is_stream_broken_until_ms:
            return
        if self._is_bad(0.3):
            self.happened["stream broken"] += 1
            back_ms = self.rng.randrange(100, 20_000)
            self._is_stream_broken_until_ms = self.now_ms + back_ms

            def back() -> None:
                self.proof.missed()

            self._at(back_ms, back)
            return
        life = self._life

        def come() -> None:
            if life == self._life:
                self._act(self.proof.streamed(fact, self.now_ms))

        for _ in range(1 + self._is_bad(0.3)):
            self._at(self._delay_ms(10_000), come)

    def _act(self, acts: Sequence[Act]) -> None:
        for act in acts:
            self._do(act)
        told = self.last_told
        if self.proof.is_over and told is not None and told.filled_base is not None:
            known = sum((one.size_base for one in self.told_trades.values()), start=Decimal(0))
            if known < told.filled_base:
                self.wrong.append(f"over with trades of {known}, filled is {told.filled_base}")

    def _do(self, act: Act) -> None:
        if isinstance(act, Told):
            self._hear(act)
        elif isinstance(act, Replay):
            self.happened["sent again"] += 1
            self._send()
        elif isinstance(act, LookUp):
            self._look_up(act)
        elif isinstance(act, Cancel):
            self._cancel()
        elif isinstance(act, Alarm):
            self.happened["alarm"] += 1

    def _hear(self, told: Told) -> None:
        if told.stage is None:
            self.was_told_absent = True
            self.happened[f"absent: {told.why[:20]}"] += 1
        self.last_told = told
        for trade in told.trades:
            self.told_trades[trade.trade_id] = trade

    def _look_up(self, act: LookUp) -> None:
        self.proof.began(act.number, calls=LOOK_UP_CALLS, at_ms=self.now_ms)
        self._nonce += 1
        nonce, signed_at_ms, life = self._nonce, self.now_ms, self._life
        for number in range(LOOK_UP_CALLS):

            def arrive(number: int = number) -> None:
                self._last_nonce = max(self._last_nonce, nonce)
                answer = self._answer_look_up(number)
                back_ms = self._delay_ms(5_000)
                is_lost = self._is_bad(0.3)

                def come() -> None:
                    if life != self._life:
                        return
                    if is_lost:
                        self._act(self.proof.lost(act.number, self.now_ms))
                    else:
                        self.proof.fenced(signed_at_ms, self.now_ms)
                        self._act(self.proof.looked_up(act.number, answer, self.now_ms))

                self._at(back_ms, come)

            self._at(self._delay_ms(3_000), arrive)

    def _answer_look_up(self, number: int) -> LookUpAnswer:
        """Answer a call that shows open orders, or one that shows those that have ended."""
        if self._is_bad(0.3):
            return Unclear(why="status 503")
        if self._lies_left and self._is_bad(0.2):
            self._lies_left -= 1
            self.happened["look-up that shows nothing"] += 1
            return NotFound()
        as_of_ms = self.now_ms - self.rng.randrange(0, self.rules.lag_ms_max)
        seen = [order for order in self.made if order.made_at_ms <= as_of_ms]
        shown = [self._shown(one, as_of_ms, is_look_up=True) for one in seen]
        shown = [one for one in shown if one.stage.is_final == bool(number)]
        if not shown:
            return NotFound()
        trades: list[TradeShown] = []
        for order in seen if number else ():
            count = max(many for at_ms, _, many in order.changes if at_ms <= as_of_ms)
            trades += order.trades[:count]
        return Found(orders=tuple(shown), trades=tuple(trades))

    def _cancel(self) -> None:
        def arrive() -> None:
            for order in self.made:
                self._end(order, Stage.CANCELLED)

        if not self._is_bad(0.3):
            self._at(self._delay_ms(5_000), arrive)

    def _restart(self) -> None:
        if self.proof.is_closed:
            return
        self.happened["restarted"] += 1
        self._life += 1
        self.proof = self._new_proof()
        self._act(self.proof.resumed(self.now_ms, self.now_ms))
