"""Where pending transactions and blocks of one chain meet: heard, predicted, checked, told.

Pure: it is told what nodes say and the time. Two figures say how good predictions are. Each that
came into a block is predicted anew from the pools just before it, which has to be exact; and what
was foretold when it was heard either held, or others came first.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from engine.chains.pending.calldata import UndecodableError
from engine.chains.pending.decode import decode
from engine.chains.pending.predict import predict
from engine.chains.pending.predictions import Outcome, Pools, PoolsAfter, Prediction
from engine.chains.pending.router_list import Kind
from engine.chains.pending.routers import Router
from engine.chains.pending.stepping import Step, Stepping, StepPools
from engine.chains.pending.transactions import in_order, parse_pending
from engine.chains.pending.waiting import WAITING_MAX, Count, Waiting, Waits
from engine.chains.pending.whale_cap import WhaleCap
from engine.chains.pending.whales import Swapped, UsdOf, Whale, WhaleTerms, whale_of
from engine.chains.ports import BlockRef, Json
from engine.domain.errors import BadValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A block and what of it concerns pools that are followed.

    Attributes:
        steps: its events of followed pools, in their order.
    """

    ref: BlockRef
    steps: Sequence[Step]


class PendingDesk:
    """The pending transactions of a chain.

    Attributes:
        counts: what happened, by `Count`; and by kind what was not decoded.

    Args:
        note: is told of each block with all its swaps.
        note_taken: is told of what a block took that had waited.
    """

    def __init__(
        self,
        *,
        routers: Mapping[str, tuple[Router, Kind]],
        pools: Pools,
        terms: WhaleTerms,
        usd_of: UsdOf,
        waiting_max: int = WAITING_MAX,
        on_pending_whale: Callable[[], None] = lambda: None,
        note: Callable[[BlockRef, Sequence[Swapped]], None] | None = None,
        note_taken: Callable[[BlockRef, Sequence[Waits]], None] | None = None,
    ) -> None:
        """Begin without any; `on_pending_whale` is told at once of each that waits."""
        self.counts: Counter[str] = Counter()
        self.waiting = Waiting(self.counts, waiting_max=waiting_max)
        self.cap = WhaleCap(terms.told_max)
        self._routers, self._pools = routers, pools
        self._terms, self._usd_of = terms, usd_of
        self._on_pending_whale = on_pending_whale
        self._note = note
        self._note_taken = note_taken

    def hear(self, told: Json, *, now_ns: int, at_s: int) -> None:
        """Hear of a transaction that waits.

        Args:
            told: as the node tells it.
            now_ns: the time.
            at_s: time of the block that it may come into.
        """
        to = told.get("to") if isinstance(told, dict) else None
        if isinstance(to, str) and to.lower() not in self._routers:
            self.counts[Count.HEARD] += 1  # most are none of ours, and are not even read
            self.counts[Count.ELSEWHERE] += 1
            return
        try:
            tx = parse_pending(told)
        except BadValueError:
            self.counts[Count.LIES] += 1
            return
        if tx is None:
            return
        self.counts[Count.HEARD] += 1
        if not self.waiting.is_new(tx.hash):
            self.counts[Count.TWICE] += 1
            return
        try:
            intent = decode(
                tx.text,
                to=tx.to,
                sender=tx.sender,
                value_raw=tx.value_raw,
                routers=self._routers,
            )
        except UndecodableError as error:
            self.counts[Count.UNDECODED] += 1
            self.counts[f"{Count.UNDECODED}: {error.why}"] += 1
            return
        if intent is None:
            self.counts[Count.ELSEWHERE] += 1
            return
        ahead = predict(intent, self._pools, at_s=at_s)
        self.waiting.add(Waits(tx=tx, intent=intent, ahead=ahead, heard_at_ns=now_ns))
        swaps = [Swapped.of(effect) for effect in ahead.effects]
        self._look(swaps, tx.hash, now_ns=now_ns, is_pending=True)

    def confirmed_ahead(self, swaps: Sequence[Swapped], *, now_ns: int) -> None:
        """Look at swaps that a sequencer has confirmed ahead of their block; nothing is booked."""
        for swap in swaps:
            if swap.log is not None:
                self._look([swap], swap.log.tx_hash, now_ns=now_ns, is_pending=True)

    def next_block(self, *, base_fee_raw: int, at_s: int) -> list[tuple[Waits, Prediction]]:
        """Return what those that wait will do if the next block takes them in its usual order."""
        after = PoolsAfter(self._pools)
        foretold = []
        by_hash = {waits.tx.hash: waits for waits in self.waiting}
        for tx in in_order([waits.tx for waits in self.waiting], base_fee_raw=base_fee_raw):
            waits = by_hash[tx.hash]
            prediction = predict(waits.intent, after, at_s=at_s)
            after.take(prediction)
            foretold.append((waits, prediction))
        return foretold

    def block(
        self, told: Told, before: StepPools, *, tx_hashes: Sequence[str] | None, now_ns: int
    ) -> None:
        """Learn what a block did.

        Args:
            told: the block.
            before: the pools as they were before it.
            tx_hashes: of all its transactions in their order; nothing if that is not known.
            now_ns: the time.
        """
        stepping = Stepping(before)
        by_tx: dict[str, list[Step]] = {}
        for step in told.steps:
            by_tx.setdefault(step.log.tx_hash, []).append(step)
        all_swaps: list[Swapped] = []
        taken: list[Waits] = []
        known = by_tx if tx_hashes is None else dict.fromkeys(tx_hashes) | by_tx
        for tx_hash in known:
            waits, steps = self.waiting.get(tx_hash), by_tx.get(tx_hash, [])
            foretold = None
            if waits is not None:
                foretold = predict(waits.intent, stepping, at_s=told.ref.made_at_s)
            swaps = stepping.take(steps)
            all_swaps += swaps
            self._look(swaps, tx_hash, now_ns=now_ns, is_pending=False)
            if waits is not None and foretold is not None:
                self._judge(waits, foretold, swaps, stepping)
                self.waiting.include(tx_hash)
                taken.append(waits)
        self.waiting.expire(now_ns=now_ns)
        if self._note is not None:
            self._note(told.ref, all_swaps)
        if self._note_taken is not None and taken:
            self._note_taken(told.ref, taken)

    def whales(self, *, now_ns: int) -> list[Whale]:
        """Return the whales to tell now."""
        return self.cap.take(now_ns=now_ns)

    def _judge(
        self, waits: Waits, foretold: Prediction, swaps: list[Swapped], after: Stepping
    ) -> None:
        """Compare what a transaction did with what was said just before it, and when heard."""
        if foretold.outcome is Outcome.UNKNOWN:
            self.counts[Count.UNKNOWN] += 1
            return
        if foretold.outcome is Outcome.MOVES and not swaps:
            self.counts[Count.FAILED] += 1  # it lacked what nobody can see from here
            return
        states = foretold.states()
        is_exact = {swap.pool.address for swap in swaps} == states.keys() and all(
            after.state_of(address) == state for address, state in states.items()
        )
        self.counts[Count.EXACT if is_exact else Count.DIFFERS] += 1
        has_held = waits.ahead.states() == states
        self.counts[Count.HELD if has_held else Count.OVERTAKEN] += 1

    def _look(
        self, swaps: Sequence[Swapped], tx_hash: str, *, now_ns: int, is_pending: bool
    ) -> None:
        """Look for whales; of a transaction that is several, the one that moves its price most."""
        found = []
        for swap in swaps:
            with suppress(BadValueError):  # what nobody can trade from has no price
                found.append(
                    whale_of(
                        swap, self._terms, self._usd_of, tx_hash=tx_hash, is_pending=is_pending
                    )
                )
        whales = [whale for whale in found if whale is not None]
        if whales and is_pending:
            self._on_pending_whale()
        if whales:
            self.cap.hear(max(whales, key=lambda one: abs(one.impact_ratio)), now_ns=now_ns)
