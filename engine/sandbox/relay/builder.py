"""Makes blocks of bids: those that pay most go first, and none that fails goes at all.

What bids for a block stands at its top, on the state that everybody saw; what waited in public
comes after it. A bid that fails behind those that pay more is left out, as if it had never been.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from engine.sandbox.relay.book import BundleBook
from engine.sandbox.relay.bundles import GAS_MAX, Bundle
from engine.sandbox.relay.shared import SharedTransactions
from engine.sandbox.relay.transactions import SignedTransaction
from engine.sandbox.relay.trial import BUILDER, BlockTerms, Outcome, tried
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc

TRIED_MAX: Final = 64
"""Bids that are tried for one block, the first that came."""

BLOCKS_KEPT: Final = 256


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a bid.

    Attributes:
        signer: who made it.
        hashes: of its transactions.
        paid_wei: what it pays the builder alone on the state before the block; 0 if it fails.
        place: in the block, from 0; -1 if it is not there.
        why: it is not there.
    """

    signer: str
    hashes: tuple[str, ...]
    paid_wei: int
    place: int = -1
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Priced:
    bundle: Bundle
    paid_wei: int


class Builder:
    """Fills the blocks of a node that makes them when it is told to.

    The node has to take transactions in the order in which they come (``--order fifo``).

    Attributes:
        judged: what became of the bids of the newest blocks, by the block's number.
    """

    def __init__(
        self, rpc: Rpc, book: BundleBook, shared: SharedTransactions | None = None
    ) -> None:
        """Begin at the node's newest block.

        Args:
            rpc: to the node.
            book: of the bids.
            shared: what people send in private, if anybody does.
        """
        self.judged: Final[dict[int, tuple[Judged, ...]]] = {}
        self._numbers: deque[int] = deque()
        self._rpc = rpc
        self._book = book
        self._shared = SharedTransactions() if shared is None else shared
        rpc.ask("anvil_setCoinbase", BUILDER)
        book.begin_at(int(rpc.ask("eth_blockNumber"), 16))

    def fill(self, terms: BlockTerms) -> list[SignedTransaction]:
        """Put the best bids in front of what waits at the node; return their transactions.

        Raises:
            OSError: the node is away.
        """
        judged: list[Judged] = []
        priced = self._priced(terms, judged)
        waiting: list[Any] | None = None
        while True:
            chosen, left = self._chosen(terms, priced)
            if not chosen and waiting is None:
                break
            waiting = self._waiting() if waiting is None else waiting
            refused = self._put_in_front(chosen, waiting)
            if refused is None:
                break
            # Whatever was tried behind it was tried in vain: all are chosen anew.
            one, why = refused
            priced.remove(one)
            judged.append(_judged(one, why=f"the node does not take it: {why}"))
        judged += [_judged(one, place=place) for place, one in enumerate(chosen)]
        self._keep(terms.number, [*judged, *left])
        filled = [one for priced in chosen for one in priced.bundle.transactions]
        self._shared.landed(frozenset(one.hash for one in filled))
        return filled

    def _chosen(
        self, terms: BlockTerms, priced: Sequence[_Priced]
    ) -> tuple[list[_Priced], list[Judged]]:
        """Return the bids that come off behind those before them, and what became of the others."""
        chosen: list[_Priced] = []
        left: list[Judged] = []
        for one in priced:
            before = [other.bundle for other in chosen]
            why = _why_too_large(before, one.bundle)
            if before and not why:
                why = self._why_not_behind(terms, before, one.bundle)
            if why:
                left.append(_judged(one, why=why))
            else:
                chosen.append(one)
        return chosen, left

    def _priced(self, terms: BlockTerms, judged: list[Judged]) -> list[_Priced]:
        """Return the bids that come off alone, the dearest first."""
        found = []
        bids = [*self._book.take(terms.number), *self._shared.bundles(terms.number)]
        for count, bundle in enumerate(bids):
            why, paid_wei = f"{TRIED_MAX} others came before", 0
            if not bundle.ts_min <= terms.ts <= bundle.ts_max:
                why = f"the block's time {terms.ts} is not between {bundle.ts_min} and "
                why += f"{bundle.ts_max}"
            elif count < TRIED_MAX:
                outcomes = tried(self._rpc, terms, bundle.transactions)
                why = failure(bundle, outcomes)
                paid_wei = 0 if isinstance(outcomes, str) else sum(o.paid_wei for o in outcomes)
            priced = _Priced(bundle, paid_wei)
            if why:
                judged.append(_judged(priced, why=why))
            else:
                found.append(priced)
        return sorted(found, key=lambda one: -one.paid_wei)

    def _why_not_behind(self, terms: BlockTerms, chosen: Sequence[Bundle], bundle: Bundle) -> str:
        before = [one for other in chosen for one in other.transactions]
        outcomes = tried(self._rpc, terms, [*before, *bundle.transactions])
        if not isinstance(outcomes, str):
            outcomes = outcomes[len(before) :]
        why = failure(bundle, outcomes)
        return f"behind what pays more: {why}" if why else ""

    def _waiting(self) -> list[Any]:
        """Return what waits at the node in public, the dearest first, with its bytes."""
        found = [
            one
            for part in self._rpc.ask("txpool_content").values()
            for by_nonce in part.values()
            for one in by_nonce.values()
        ]
        found.sort(key=_dearest_first)
        raws = self._rpc.ask_all([("eth_getRawTransactionByHash", (o["hash"],)) for o in found])
        return [one | {"raw": raw} for one, raw in zip(found, raws, strict=True)]

    def _put_in_front(
        self, chosen: Sequence[_Priced], waiting: Sequence[Any]
    ) -> tuple[_Priced, str] | None:
        """Order what the node has: bids, then what waited, without what uses the same nonces.

        Returns:
            A bid that the node does not take, and why; then nothing else waits there.
        """
        self._rpc.ask("anvil_dropAllTransactions")
        taken = set()
        for priced in chosen:
            for one in priced.bundle.transactions:
                try:
                    self._rpc.ask("eth_sendRawTransaction", "0x" + one.raw.hex())
                except NodeSaidNoError as error:
                    return priced, str(error)
                taken.add((one.sender, one.nonce))
        for other in waiting:
            if (other["from"].lower(), int(other["nonce"], 16)) not in taken:
                self._send_again(other["raw"])
        return None

    def _send_again(self, raw: str | None) -> None:
        try:
            if raw is not None:
                self._rpc.ask("eth_sendRawTransaction", raw)
        except NodeSaidNoError:
            pass  # it could not have been in the block behind these

    def _keep(self, number: int, judged: Sequence[Judged]) -> None:
        if number not in self.judged:
            self._numbers.append(number)
        self.judged[number] = tuple(judged)
        while len(self._numbers) > BLOCKS_KEPT:
            self.judged.pop(self._numbers.popleft(), None)


def failure(bundle: Bundle, outcomes: list[Outcome] | str) -> str:
    """Say why a bundle is not to be in a block; empty if it may."""
    if isinstance(outcomes, str):
        return outcomes
    for one, outcome in zip(bundle.transactions, outcomes, strict=True):
        if outcome.why and one.hash not in bundle.may_revert:
            return f"{one.hash} {outcome.why}"
    return ""


def _why_too_large(chosen: Sequence[Bundle], bundle: Bundle) -> str:
    gas = sum(one.gas for other in (*chosen, bundle) for one in other.transactions)
    return f"bids would have {gas} gas, {GAS_MAX} is the most" if gas > GAS_MAX else ""


def _judged(priced: _Priced, *, place: int = -1, why: str = "") -> Judged:
    bundle = priced.bundle
    return Judged(
        signer=bundle.signer,
        hashes=tuple(one.hash for one in bundle.transactions),
        paid_wei=priced.paid_wei,
        place=place,
        why=why,
    )


def _dearest_first(one: Any) -> tuple[int, str, int]:
    fee_wei = int(one.get("maxFeePerGas") or one.get("gasPrice") or "0x0", 16)
    return -fee_wei, one["from"], int(one["nonce"], 16)
