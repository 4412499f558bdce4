"""A chain in a few lines, for rules about nonces: blocks, a queue, reorganisations, other senders.

Of each nonce a branch holds one transaction, in order; that is all that the rules rest on.
"""

from dataclasses import dataclass, field

from engine.domain.errors import BadValueError
from engine.sending.facts import Attempt, Landed, Life, Look

BLOCK_S = 2
FINAL_DEPTH = 6


@dataclass(frozen=True)
class Queued:
    """A transaction that somebody sent."""

    hash: str
    nonce: int
    fee_wei: int
    deadline_ts: int | None


@dataclass
class ModelChain:
    """One branch of blocks at a time, each with what it holds by nonce."""

    blocks: list[tuple[str, dict[int, Queued]]] = field(default_factory=lambda: [("b0", {})])
    queue: dict[str, Queued] = field(default_factory=dict)
    made: int = 0
    final: int = 0

    @property
    def head(self) -> int:
        return len(self.blocks) - 1

    def ts(self, block: int) -> int:
        return block * BLOCK_S

    def count(self, block: int) -> int:
        return sum(len(held) for _, held in self.blocks[: block + 1])

    def send(self, one: Queued) -> str:
        if one.hash in self.queue:
            return "known"
        if one.nonce < self.count(self.head):
            return "used"
        rivals = [other for other in self.queue.values() if other.nonce == one.nonce]
        if any(one.fee_wei * 8 < other.fee_wei * 9 for other in rivals):
            return "underpriced"
        for other in rivals:
            del self.queue[other.hash]
        self.queue[one.hash] = one
        return "in"

    def mine(self, *, most: int) -> None:
        held: dict[int, Queued] = {}
        nonce = self.count(self.head)
        while len(held) < most:
            found = next((one for one in self.queue.values() if one.nonce == nonce), None)
            if found is None:
                break
            held[nonce] = self.queue.pop(found.hash)
            nonce += 1
        self._add(held)

    def mine_foreign(self) -> None:
        """Let the next nonce be used by somebody else who has the key."""
        nonce = self.count(self.head)
        self.made += 1
        self._add({nonce: Queued(f"foreign{self.made}", nonce, 10**9, None)})

    def reorganise(self, depth: int, *, keeps: bool) -> None:
        """Undo blocks; what they held waits again, or is forgotten."""
        for _ in range(min(depth, self.head - self.final)):
            _, held = self.blocks.pop()
            for one in held.values():
                if keeps and not one.hash.startswith("foreign"):
                    self.queue[one.hash] = one
        self._add({})

    def forget(self) -> None:
        """Lose what waits, as a node that starts again does."""
        self.queue.clear()

    def landed(self, attempts: tuple[Attempt, ...]) -> Landed | None:
        hashes = {one.hash for one in attempts}
        for number, (block_hash, held) in enumerate(self.blocks):
            for one in held.values():
                if one.hash in hashes:
                    in_time = one.deadline_ts is None or self.ts(number) <= one.deadline_ts
                    return Landed(
                        hash=one.hash,
                        block=number,
                        block_hash=block_hash,
                        is_success=in_time,
                        gas_used=21_000,
                        gas_price_wei=one.fee_wei,
                    )
        return None

    def look(self, life: Life) -> Look:
        return Look(
            head=self.head,
            head_ts=self.ts(self.head),
            final=self.final,
            count=self.count(self.head),
            final_count=self.count(self.final),
            landed=self.landed(life.attempts),
            waiting=frozenset(life.hashes) & frozenset(self.queue),
        )

    def _add(self, held: dict[int, Queued]) -> None:
        self.made += 1
        self.blocks.append((f"b{self.made}", held))
        self.final = max(self.final, self.head - FINAL_DEPTH)
        used = self.count(self.head)
        for one in [one for one in self.queue.values() if one.nonce < used]:
            del self.queue[one.hash]


@dataclass
class ModelSigner:
    """Signs a nonce for one plan, again only dearer or as a cancel; the same again as before."""

    signed: dict[int, list[tuple[object, str, bytes]]] = field(default_factory=dict)
    is_locked: bool = False

    def sign(self, life: Life, *, now_ts: int) -> tuple[str, bytes] | str:
        draft = life.draft
        assert draft is not None
        asked = (life.client_order_id, draft)
        before = self.signed.setdefault(life.nonce, [])
        for known, known_hash, raw in before:
            if known == asked:
                return known_hash, raw
        if self.is_locked:
            return "locked"
        if not draft.is_cancel:
            if now_ts > life.deadline_ts:
                return "the plan has ended"
            if any(known[0] != life.client_order_id for known, _, _ in before):  # type: ignore[index]
                raise BadValueError("another plan has this nonce")
        made = f"0x{life.nonce}-{len(before)}", b"%d" % draft.bid.fee_wei
        before.append((asked, *made))
        return made
