"""One order at a venue of the sandbox in its own dialect, over a bad network, in virtual time.

All that is real takes part but the sockets: the gateway's calls and readers, the signatures, the
venue's door that verifies and answers them, its matching, and the machine that follows the order.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal

from engine.domain.opportunities import Side
from engine.domain.venue_orders import OrderRequest, OrderShown, TradeShown, wire_id_of
from engine.gateways.answers import Unclear
from engine.gateways.calls import Call
from engine.gateways.gateway import StreamGap, StreamNumber
from engine.sandbox.exchange.doors.door import Answered, Asked
from engine.sandbox.exchange.model import Life, Ordered
from engine.trading.acts import Act, Alarm, Cancel, LookUp, Replay, Told
from engine.trading.proof import NEVER_MS, Proof, Waits
from tests.sandbox.exchange.place import BEGIN_MS, place_of

WANTED_MS = 5_000
TROUBLE_MS = 600_000
"""For so long the way is bad; by the end, everything has to be known."""
ENDS_AFTER_MS = 1_200_000
PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class WireTrial:
    """The order.

    Attributes:
        wrong: what may never be, in sentences.
        happened: kinds of trouble, counted.
    """

    def __init__(self, venue: str, seed: int) -> None:
        self.rng = random.Random(f"{venue} {seed}")
        self.at = place_of(venue)
        self.now_ms = BEGIN_MS
        self.wrong: list[str] = []
        self.happened: Counter[str] = Counter()
        self._trouble = self.rng.choice((0.0, 0.05, 0.3, 0.7))
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._life = 0
        self._creates = 0
        self._told_to = 0
        self._stream_free_ms = 0
        self._stream_down_until_ms = 0
        self._numbers: dict[str, int] = {}
        self._session, _ = self.at.listen(lambda: self.now_ms)
        self.trades: dict[str, TradeShown] = {}
        self.last: Told | None = None
        self.was_absent = False
        is_buy = self.rng.random() < 0.5
        step = Decimal(self.rng.randrange(-2, 5))
        limit = Decimal("100.01") + step if is_buy else Decimal("99.99") - step
        self.request = OrderRequest(
            wire_id=wire_id_of(f"o{seed}", engine_id="main"),
            venue=self.at.gateway.venue,
            wire_name=self.at.books.wire_name,
            side=Side.BUY if is_buy else Side.SELL,
            size_base=Decimal(self.rng.choice((1, 300, 500, 700, 1_999, 30_000_000))) / 1_000,
            price_limit=limit,
            sent_before_ms=BEGIN_MS + 10_000,
        )
        self.proof = self._new_proof()

    def run(self) -> None:
        """Play it to its end."""
        for number in range(self.rng.randrange(0, 3)):
            self._by_others(number)
        self._act(self.proof.sent(self.now_ms))
        self._send()
        for _ in range(self.rng.choice((0, 0, 0, 1, 2))):
            self._later(self.rng.randrange(1, 40_000), self._restart)
        while self._queue or self.proof.due_ms < NEVER_MS:
            due_ms = self.proof.due_ms
            if self._queue and self._queue[0][0] <= due_ms:
                self.now_ms, _, what = heapq.heappop(self._queue)
                what()
            elif due_ms > BEGIN_MS + ENDS_AFTER_MS:
                break
            else:
                self.now_ms = max(self.now_ms, due_ms)
                self._act(self.proof.tick(self.now_ms))
        self._judge()

    def _judge(self) -> None:
        exchange = self.at.exchange
        ours = exchange.by_client_id(self.request.wire_id)
        fills = [fill for order in ours for fill in order.fills]
        told = list(self.trades.values())
        for name, true, heard in (
            ("size", sum(one.size for one in fills), sum(one.size_base for one in told)),
            (
                "notional",
                sum(one.size * one.price for one in fills),
                sum(one.size_base * one.price for one in told),
            ),
            ("fee", sum(one.fee for one in fills), sum(one.fee for one in told)),
            ("count", len(fills), len(told)),
        ):
            if true != heard:
                self.wrong.append(f"{name} of the fills is {true}, told was {heard}")
        if len(ours) > 1:
            self.wrong.append("made twice")
        if bool(ours) == self.was_absent:
            self.wrong.append(f"{len(ours)} made, said not to exist: {self.was_absent}")
        if not self.proof.is_closed:
            self.wrong.append(f"never ended: {self.proof.stage}")
        if exchange.open_orders():
            self.wrong.append("still rests")

    def _new_proof(self) -> Proof:
        return Proof(
            request=self.request,
            rules=self.at.gateway.rules,
            waits=Waits(),
            wanted_until_ms=BEGIN_MS + WANTED_MS,
        )

    def _later(self, wait_ms: int, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now_ms + wait_ms, self._count, what))

    def _is_bad(self, share: float = 1.0) -> bool:
        is_over = self.now_ms > BEGIN_MS + TROUBLE_MS
        return not is_over and self.rng.random() < self._trouble * share

    def _delay_ms(self, most_ms: int) -> int:
        return self.rng.randrange(1, most_ms) if self._is_bad(0.5) else self.rng.randrange(1, 60)

    def _by_others(self, number: int) -> None:
        """Let somebody else on the account place an order, which is nothing of ours."""
        ordered = Ordered(
            client_id=f"others-{number}",
            wire_name=self.at.books.wire_name,
            is_buy=True,
            size=Decimal("0.1"),
            price=Decimal("100.01"),
            life=Life.IMMEDIATE,
        )
        self.at.exchange.place(ordered, self.now_ms, is_foreign=True)
        self.at.exchange.changed.clear()

    # ---- the way there and back

    def _send(self) -> None:
        self._creates += 1
        if self._creates > 1 and not self.at.gateway.rules.is_replay_harmless:
            self.wrong.append("sent twice")
        wait_ms = self._delay_ms(self.at.gateway.rules.late_ms_max * 2)
        if self._is_bad(0.2):
            self.happened["arrived as late as can be"] += 1
            wait_ms = self.at.gateway.rules.late_ms_max - self.rng.randrange(0, 3_000)

        def answered(answer: Answered) -> None:
            told = self.at.gateway.placed(self.request, answer.status, answer.body)
            self.happened[f"answer: {type(told).__name__}"] += 1
            self._act(self.proof.answered(told, self.now_ms))

        self._ask(self.at.gateway.place(self.request), wait_ms, answered)

    def _ask(
        self,
        call: Call,
        wait_ms: int,
        answered: Callable[[Answered], None],
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        """Send a call; after it has been answered, or will not be, tell so."""
        asked, signed_at_ms, life = self.at.sign(call, self.now_ms), self.now_ms, self._life
        if self._is_bad(0.4):
            self.happened["request lost"] += 1
            self._later(8_000, lambda: lost() if life == self._life else None)
            return

        def arrive() -> None:
            answer = self._answer(asked)
            is_lost = self._is_bad(0.4)

            def come() -> None:
                if life != self._life:
                    return
                if is_lost:
                    self.happened["answer lost"] += 1
                    lost()
                    return
                if answer.status < 500:
                    self.proof.fenced(signed_at_ms, self.now_ms)
                answered(answer)

            self._later(self._delay_ms(15_000), come)

        self._later(wait_ms, arrive)

    def _answer(self, asked: Asked) -> Answered:
        answer = self.at.door.answer(asked, self.now_ms)
        self._stream()
        if self._is_bad(0.15):
            self.happened["a proxy's page"] += 1
            return Answered(status=self.rng.choice((502, 503, 403)), body=PAGE)
        if self._is_bad(0.15):
            self.happened["answer cut"] += 1
            length = self.rng.randrange(0, max(len(answer.body), 1))
            return Answered(status=answer.status, body=answer.body[:length])
        return answer

    def _stream(self) -> None:
        """Send what changed down the stream, in order, if it is up."""
        changed, self.at.exchange.changed = self.at.exchange.changed, []
        for change in changed:
            frames = self._session.told(change)
            if self.now_ms < self._stream_down_until_ms:
                continue
            if self._is_bad(0.3):
                self.happened["stream broken"] += 1
                back_ms = self.rng.randrange(100, 20_000)
                self._stream_down_until_ms = self.now_ms + back_ms
                self._later(back_ms, self._missed)
                continue
            self._stream_free_ms = max(self._stream_free_ms, self.now_ms + self._delay_ms(10_000))
            life = self._life
            for frame in frames:
                self._later(
                    self._stream_free_ms - self.now_ms,
                    lambda frame=frame, life=life: self._heard(frame, life),  # type: ignore[misc]
                )

    def _missed(self) -> None:
        self.proof.missed()

    def _heard(self, frame: bytes, life: int) -> None:
        if life != self._life:
            return
        for fact in self.at.gateway.streamed(frame):
            if isinstance(fact, StreamGap):
                self.wrong.append(f"a frame was not understood: {fact.why}")
            elif isinstance(fact, StreamNumber):
                last = self._numbers.get(fact.channel, fact.number - 1)
                self._numbers[fact.channel] = fact.number
                if fact.number != last + 1:
                    self.happened["number missing"] += 1
                    self.proof.missed()
            elif isinstance(fact, OrderShown | TradeShown) and self._is_ours(fact.wire_id):
                self._act(self.proof.streamed(fact, self.now_ms))

    def _is_ours(self, wire_id: str) -> bool:
        return wire_id in ("", self.request.wire_id)

    # ---- what is done

    def _act(self, acts: Sequence[Act]) -> None:
        for act in acts:
            if isinstance(act, Told):
                self._hear(act)
            elif isinstance(act, Replay):
                self.happened["sent again"] += 1
                self._send()
            elif isinstance(act, LookUp):
                self._look_up(act)
            elif isinstance(act, Cancel):
                self._cancel(act)
            elif isinstance(act, Alarm):
                self.happened["alarm"] += 1

    def _hear(self, told: Told) -> None:
        self.last = told
        self.was_absent |= told.stage is None
        if told.stage is None:
            self.happened["proven not to exist"] += 1
        for trade in told.trades:
            if trade.trade_id in self.trades and self._life == 0:
                self.wrong.append(f"trade {trade.trade_id} told twice")
            self.trades[trade.trade_id] = trade

    def _look_up(self, act: LookUp) -> None:
        gateway = self.at.gateway
        calls = list(gateway.look_ups(self.request, act.venue_order_id, BEGIN_MS))
        self.proof.began(act.number, calls=len(calls), at_ms=self.now_ms)
        if gateway.rules.is_fenced:  # a call that overtakes another shuts it out
            self._look_up_by(calls, act.number)
            return
        for call in calls:
            self._look_up_by([call], act.number)

    def _look_up_by(self, calls: list[Call], number: int) -> None:
        call, *rest = calls

        def answered(answer: Answered) -> None:
            told = self.at.gateway.looked_up(self.request, call, answer.status, answer.body)
            if isinstance(told, Unclear):
                self.happened["look-up unclear"] += 1
            self._act(self.proof.looked_up(number, told, self.now_ms))
            go_on()

        def lost() -> None:
            self._act(self.proof.lost(number, self.now_ms))
            go_on()

        def go_on() -> None:
            if rest:
                self._look_up_by(rest, number)

        self._ask(call, self._delay_ms(3_000), answered, lost)

    def _cancel(self, act: Cancel) -> None:
        self.happened["cancelled"] += 1
        call = self.at.gateway.cancel(self.request, act.venue_order_id)
        if call is not None:
            self._ask(call, self._delay_ms(3_000), lambda _: None)

    def _restart(self) -> None:
        if self.proof.is_closed:
            return
        self.happened["restarted"] += 1
        self._life += 1
        self.proof = self._new_proof()
        self._act(self.proof.resumed(self.now_ms, self.now_ms))
