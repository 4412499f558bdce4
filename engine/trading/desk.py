"""One venue's orders at work: what is learned of each is kept before it is told or acted upon.

A desk has no way out and no clock of its own. What it is asked comes with what is to be done next;
whoever has the line to the venue does that and brings the answers back. All of it may be broken off
anywhere: an order that is on disk is looked up after a restart until what became of it is proven.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from engine.domain.instruments import VenueId
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import OrderFate, VenueMatter
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import OrderShown, TimeInForce, TradeShown
from engine.gateways.answers import LookUpAnswer, NotPlaced, PlaceAnswer, Placed
from engine.gateways.gateway import ProofRules
from engine.trading.acts import Act, Alarm, Cancel, LookUp, Replay, TellUnknown, Told
from engine.trading.book import OrderBook
from engine.trading.kept import (
    KeptOrder,
    absent,
    learned,
    reversals_of,
    shown_of,
    taken_on,
    unknown,
)
from engine.trading.proof import NEVER_MS, Proof, Waits

log = logging.getLogger(__name__)

POLLS_MS: tuple[int, ...] = (0, 100, 300, 900)
"""After an order was shown that has not ended, or whose fills are not all told, it is looked up so
often: on the way to its end, which proves nothing of absence."""

POLLS_BESIDE_STREAM_MS: tuple[int, ...] = (150, 600)
"""The same where a user stream tells: it may tell totals alone, and fills are listed then."""

POLL = 0
"""The number of such a look-up: none of a proof has it."""


@dataclass(frozen=True, slots=True)
class Todo:
    """Something to be asked of the venue about an order."""

    client_order_id: str
    act: LookUp | Replay | Cancel


@dataclass(slots=True)
class Followed:
    """An order that is followed.

    Attributes:
        may_leave: it was handed over in this life of the process, and has not left yet.
        polls_at_ms: when it is looked up next beside its proof.
    """

    handed: HandedOrder
    kept: KeptOrder
    proof: Proof
    may_leave: bool = False
    polls_at_ms: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class VenueDesk:
    """The orders of one venue; see the module.

    Attributes:
        now_ms: a clock that nobody sets; `wall_ns` the one that says the time.
        warn: tells a person of an order, in a sentence.
        told: is called after something was told.
        changes: counts what was learned of any order, so that a reading of the account knows
            whether anything happened meanwhile.
        wants_stream: there is something that a user stream would tell of.
        changed_ms: when that was last.
    """

    venue: VenueId
    rules: ProofRules
    book: OrderBook
    now_ms: Callable[[], int]
    wall_ns: Callable[[], int]
    warn: Callable[[VenueMatter, str], None]
    told: Callable[[], None] = lambda: None
    waits: Waits = field(default_factory=Waits)
    changes: int = 0
    changed_ms: int = 0
    followed: dict[str, Followed] = field(default_factory=dict)
    has_stream: bool = False
    wants_stream: bool = True

    # ---- orders come

    def resume(self) -> list[Todo]:
        """Take up all that is on disk and not over; nothing of it is placed again."""
        todos: list[Todo] = []
        for handed, kept in self.book.open_orders(self.venue):
            one = self._follow(handed, kept)
            if kept.stage is None:
                # It may have left at any moment up to now.
                todos += self._act(one, one.proof.resumed(self.now_ms(), self.now_ms()))
        return todos

    def begin(self, handed: HandedOrder) -> None:
        """Follow an order that was just taken on, and has not left."""
        self._follow(handed, taken_on(handed)).may_leave = True
        self._changed()

    def may_leave(self, client_order_id: str) -> bool:
        """Say whether an order still may leave: it has not, and nobody withheld it."""
        one = self.followed.get(client_order_id)
        return one is not None and one.may_leave

    def sent(self, client_order_id: str) -> None:
        """Learn that its placing, or a replay of it, was signed and leaves now."""
        one = self.followed[client_order_id]
        one.may_leave = False
        one.proof.sent(self.now_ms())
        self._changed()

    def withhold(self, client_order_id: str, why: str) -> bool:
        """Never let an order leave that has not left; say whether that was so."""
        one = self.followed.get(client_order_id)
        if one is None or not one.may_leave:
            return False
        self._keep(one, absent(one.kept, one.handed, OrderFate.NEVER, why))
        return True

    # ---- answers come

    def answered(self, client_order_id: str, answer: PlaceAnswer) -> list[Todo]:
        """Take the answer to a placing, or to a replay."""
        one = self.followed.get(client_order_id)
        if one is None:
            return []
        fate = OrderFate.REFUSED if isinstance(answer, NotPlaced) else OrderFate.NEVER
        todos = self._act(one, one.proof.answered(answer, self.now_ms()), absent_as=fate)
        if isinstance(answer, Placed):
            self._poll(one)
        return todos

    def fenced(self, signed_at_ms: int) -> None:
        """Learn that the venue took a call that was signed then."""
        if self.rules.is_fenced:
            for one in self.followed.values():
                one.proof.fenced(signed_at_ms, self.now_ms())

    def began(self, client_order_id: str, number: int, *, calls: int) -> None:
        """Learn that a look-up is signed and leaves now."""
        one = self.followed.get(client_order_id)
        if one is not None and number != POLL:
            one.proof.began(number, calls=calls, at_ms=self.now_ms())

    def looked_up(self, client_order_id: str, number: int, answer: LookUpAnswer) -> list[Todo]:
        """Take the answer to one call of a look-up."""
        one = self.followed.get(client_order_id)
        if one is None:
            return []
        return self._act(one, one.proof.looked_up(number, answer, self.now_ms()))

    def lost(self, client_order_id: str, number: int) -> list[Todo]:
        """Learn that a call of a look-up had no answer."""
        one = self.followed.get(client_order_id)
        return [] if one is None else self._act(one, one.proof.lost(number, self.now_ms()))

    def heard(self, fact: OrderShown | TradeShown) -> list[Todo]:
        """Take what the user stream, or a listing of the account, shows of an order of ours.

        One that was over is followed again if it is shown as anything else.
        """
        name = self.book.find(self.venue, wire_id=fact.wire_id, venue_order_id=fact.venue_order_id)
        if name is None:
            return []
        one = self.followed.get(name) or self._wake(name)
        if one is None:
            return []
        todos = self._act(one, one.proof.streamed(fact, self.now_ms()))
        if one.kept.stage is not None and one.kept.stage.is_final and not one.proof.is_over:
            # Its end is told with totals alone: its fills are listed, and asked for at once.
            one.polls_at_ms = [self.now_ms(), *one.polls_at_ms]
        return todos

    def missed(self) -> list[Todo]:
        """Learn that something of the user stream was missed: all under way is looked up."""
        for one in self.followed.values():
            one.proof.missed()
        return [Todo(name, LookUp(POLL, one.proof.venue_order_id)) for name, one in self._left()]

    # ---- time passes

    @property
    def due_ms(self) -> int:
        """When `tick` is due next."""
        polls = (at for one in self.followed.values() for at in one.polls_at_ms)
        return min((*(one.proof.due_ms for _, one in self._left()), *polls), default=NEVER_MS)

    def tick(self) -> list[Todo]:
        """Do what is due."""
        todos: list[Todo] = []
        now_ms = self.now_ms()
        for name, one in list(self._left()):
            todos += self._act(one, one.proof.tick(now_ms))
            if one.polls_at_ms and one.polls_at_ms[0] <= now_ms:
                one.polls_at_ms = [at for at in one.polls_at_ms if at > now_ms]
                if not one.proof.is_over:
                    todos.append(Todo(name, LookUp(POLL, one.proof.venue_order_id)))
        return todos

    # ---- what stands open

    @property
    def under_way(self) -> list[Followed]:
        """All that is not over."""
        return [one for one in self.followed.values() if not one.proof.is_over]

    @property
    def may_rest(self) -> list[Followed]:
        """All that may be in the book if this machine dies now."""
        return [one for one in self.under_way if not one.may_leave]

    def stop_all(self, engine: str, why: str) -> tuple[int, list[Todo]]:
        """Withhold what has not left and cancel what may rest.

        Returns:
            How many were withheld, and the cancellations.
        """
        withheld, todos = 0, []
        for name, one in list(self.followed.items()):
            if engine and one.handed.engine != engine:
                continue
            if self.withhold(name, why):
                withheld += 1
            elif not one.proof.is_over and _rests(one.handed):
                todos.append(Todo(name, Cancel(one.proof.venue_order_id)))
        return withheld, todos

    # ---- how

    def _follow(self, handed: HandedOrder, kept: KeptOrder) -> Followed:
        left_ms = handed.request.sent_before_ms - self.wall_ns() // NS_PER_MS
        proof = Proof(
            request=handed.request,
            rules=self.rules,
            waits=self.waits,
            wanted_until_ms=self.now_ms() + left_ms,
        )
        if kept.stage is not None:
            # What follows an order takes up what is known of it; that was told before.
            proof.sent(self.now_ms())
            proof.missed()
            proof.streamed(shown_of(handed, kept), self.now_ms())
            for back in reversals_of(kept):
                proof.streamed(back, self.now_ms())
        elif kept.is_absent:
            proof.is_proven = True
        one = Followed(handed, kept, proof)
        self.followed[handed.client_order_id] = one
        return one

    def _wake(self, client_order_id: str) -> Followed | None:
        handed, kept = self.book.handed(client_order_id), self.book.kept(client_order_id)
        return None if handed is None or kept is None else self._follow(handed, kept)

    def _left(self) -> Iterable[tuple[str, Followed]]:
        return ((name, one) for name, one in self.followed.items() if not one.may_leave)

    def _poll(self, one: Followed) -> None:
        if not one.proof.is_over and not _rests(one.handed):
            waits_ms = POLLS_BESIDE_STREAM_MS if self.has_stream else POLLS_MS
            one.polls_at_ms = [self.now_ms() + wait_ms for wait_ms in waits_ms]

    def _act(
        self, one: Followed, acts: Sequence[Act], *, absent_as: OrderFate = OrderFate.NEVER
    ) -> list[Todo]:
        """Keep what is told; return what is to be asked."""
        todos, now = [], one.kept
        for act in acts:
            if isinstance(act, Told) and act.stage is None:
                now = absent(now, one.handed, absent_as, act.why)
            elif isinstance(act, Told):
                now = learned(one.handed, now, act, now_ns=self.wall_ns())
            elif isinstance(act, TellUnknown):
                now = unknown(now, one.handed, act.why, now_ns=self.wall_ns())
            elif isinstance(act, Alarm):
                matter = VenueMatter.UNKNOWN if now.unknown_since_ns else VenueMatter.ORDER
                self.warn(matter, f"{one.handed.client_order_id}: {act.sentence}")
            else:
                todos.append(Todo(one.handed.client_order_id, act))
        is_told = any(isinstance(act, Alarm) for act in acts)
        if len(now.reversed_ids) > len(one.kept.reversed_ids) and not is_told:
            self.warn(
                VenueMatter.ORDER,
                f"{one.handed.client_order_id}: the venue takes a fill of it back",
            )
        self._keep(one, now)
        return todos

    def _keep(self, one: Followed, now: KeptOrder) -> None:
        """Keep what is known, and forget an order of which nothing more is asked."""
        is_open = one.kept.is_open if now == one.kept else not now.is_absent
        is_closed = one.proof.is_closed and now.is_ended
        now = msgspec.structs.replace(now, is_open=is_open and not is_closed)
        if now != one.kept:
            wall_ms = self.wall_ns() // NS_PER_MS
            self.book.keep(one.handed, one.kept, now, now_ms=wall_ms)
            self._changed()
            if now.news != one.kept.news:
                self.told()
        one.kept = now
        if not now.is_open:
            one.may_leave = False
            self.followed.pop(one.handed.client_order_id, None)

    def moved(self) -> None:
        """Learn that a transfer moves something there: what is being read may be older than it."""
        self._changed()

    def _changed(self) -> None:
        self.changes += 1
        self.changed_ms = self.now_ms()


def _rests(handed: HandedOrder) -> bool:
    """Say whether an order may rest in the book."""
    return handed.request.time_in_force is TimeInForce.POST_ONLY
