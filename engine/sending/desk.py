"""One chain's transactions at work: what is known is kept before anything is done about it.

Every step is safe to break off anywhere: what was handed over waits until it has a nonce or an end,
what has a nonce is looked at with each block, and what is done twice is done with the same bytes.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec

from engine.domain.chains import block_ms
from engine.domain.errors import TransientError
from engine.domain.handed import Handed
from engine.domain.signing import (
    Purpose,
    RefusalKind,
    Signed,
    SigningIntent,
    SignRefusal,
    UnsignedTransaction,
)
from engine.domain.told import Asked, Fate, TransactionNews, WalletSeen
from engine.domain.units import NS_PER_MS
from engine.sending import facts
from engine.sending.ahead import ahead_of, holds_up
from engine.sending.beginnings import (
    UNPAUSE_NS,
    Beginnings,
    DeskTerms,
    Protection,
    Unsent,
    bound_beside,
)
from engine.sending.calls import HeadNow
from engine.sending.encoding import APPROVE, PAUSE, REVOKE, UNPAUSE, decode
from engine.sending.facts import (
    Act,
    Answered,
    Draft,
    Drafted,
    Learned,
    Life,
    Rebid,
    Send,
    Sign,
    Telling,
    Unsigned,
    Warn,
)
from engine.sending.fees import CANCEL_GAS, NoBid, bytes_wei, cancel_bid, raised_bid
from engine.sending.known_chain import KnownChain
from engine.sending.life import take
from engine.sending.nonces import NonceTable
from engine.sending.paths import Way
from engine.sending.policies import Path
from engine.sending.receipts import receipt_of
from engine.sending.trust import Failure, RouteTrust
from engine.sending.view import ChainView
from engine.sending.warming import Simulate

log = logging.getLogger(__name__)

BEFORE_REPEATS: Final = frozenset({RefusalKind.LOCKED, RefusalKind.KILLED, RefusalKind.MODE})
"""What the signer refuses before it looks whether it signed the very same before: after a crash, or
a lost answer, these say nothing of that."""

PURPOSES: Final = {
    PAUSE: Purpose.PAUSE,
    UNPAUSE: Purpose.UNPAUSE,
    REVOKE: Purpose.REVOKE,
    APPROVE: Purpose.DISALLOW,
}
"""What a call without a plan is for, by its selector."""

Ask = Callable[[SigningIntent], Awaitable[Signed | SignRefusal]]
"""Asks the signer; raises `TransientError` where it is away."""

Boundary = Callable[[str], None]
"""Is told of each commit boundary; a test ends the process there."""


def _go_on(_where: str) -> None:
    """Go on."""


@dataclass(slots=True, kw_only=True)
class ChainDesk:
    """The transactions of one chain and wallet; see the module.

    Attributes:
        warn: tells a person.
        now_ns: the wall clock.
        told: set when there are news.
        wants_wallet: somebody asks what is ours on the chain; the next step says it as `seen`, None
            while that cannot be said.
        protections: calls that take risk away, that people asked for; `protecting` is what makes
            each, by its call, once it has a nonce.
    """

    terms: DeskTerms
    table: NonceTable
    view: ChainView
    way: Way
    ask: Ask
    simulate: Simulate
    warn: Callable[[str], None]
    now_ns: Callable[[], int]
    told: asyncio.Event = field(default_factory=asyncio.Event)
    crash: Boundary = _go_on
    trust: RouteTrust = field(default_factory=RouteTrust)
    beginnings: Beginnings = field(init=False)
    known: KnownChain = field(init=False)
    wants_wallet: bool = False
    seen: WalletSeen | None = None
    protecting: dict[bytes, str] = field(default_factory=dict)
    protections: deque[Protection] = field(default_factory=deque)
    _heard: tuple[str, int] = ("", 0)
    _code_hash: str = ""
    _looked: HeadNow | None = None
    _recovery: str = ""
    _unasked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.beginnings = Beginnings(
            terms=self.terms,
            table=self.table,
            view=self.view,
            simulate=self.simulate,
            trust=self.trust,
            warn=self._warn,
            now_ns=self.now_ns,
        )
        self.known = KnownChain(
            terms=self.terms,
            table=self.table,
            view=self.view,
            warn=self._warn,
            crash=self.crash,
        )

    async def step(self) -> HeadNow:
        """Bring everything on as far as it goes at the newest block.

        Raises:
            TransientError: nodes do not say; nothing is lost by it.
            FatalError: the table cannot be written.
        """
        before, self._looked = self._looked, None
        head = await self.view.head()
        if await self.known.look(head, self._open):
            self._recovery = ""
            self.told.set()
        if not self._recovery:
            self._recovery = await self.view.recovery(self.terms.route.contract)
        if before is None or before.hash != head.hash:
            contract = self.terms.route.contract
            self._code_hash, count = await self.view.code_and_count(contract, head)
            self.beginnings.counted = head.hash, count
        self._looked = head
        for asked in self.table.asked.waiting(self.terms.chain):
            await self._do(asked, head)
        # What is under way can wait for a moment; a plan's block cannot.
        await self._begin_waiting(head)
        for life in self._open():
            await self._learn(life, await self.view.look(life, head), head)
            await self._make_way(life.client_order_id, head)
            await self.begin_at_once()
        if self._open() and (filler := await self.beginnings.fill_hole(head)) is not None:
            await self._reserve(filler, head)
        await self._protect(head)
        if self.wants_wallet:
            self.seen = await self.known.see(head, self._recovery, self._open())
            self.wants_wallet = False
        return head

    def hear(self, block_hash: str) -> None:
        """Hear of the newest block, as nodes told of it by themselves; empty if they do not."""
        self._heard = block_hash, self.now_ns()

    async def begin_at_once(self) -> None:
        """Begin what was handed over, if all that nodes have to say of their newest block is known.

        That is a block that they told of by themselves, for which no other is due, and that a step
        has looked at since. Else the next step asks them, and begins.

        Raises:
            FatalError: the table cannot be written.
        """
        head, (block_hash, heard_ns) = self._looked, self._heard
        if head is None or head.hash != block_hash or not self.table.waiting():
            return
        is_newest = self.now_ns() - heard_ns <= block_ms(self.terms.chain) * NS_PER_MS
        if is_newest and not self.table.asked.waiting(self.terms.chain):
            await self._begin_waiting(head)

    async def _begin_waiting(self, head: HeadNow) -> None:
        """Begin all that is of this block or an earlier one, and what comes meanwhile."""
        tried: set[str] = set()
        while due := [one for one in self.table.waiting() if self._is_due(one, head, tried)]:
            tried.add(due[0].client_order_id)
            await self._begin(due[0], head)

    def _is_due(self, handed: Handed, head: HeadNow, tried: Collection[str]) -> bool:
        return (
            handed.client_order_id not in tried
            and handed.plan.chain == self.terms.chain
            and not self.beginnings.is_early(handed.plan, head)
        )

    async def _do(self, asked: Asked, head: HeadNow) -> None:
        """Do what a person asked for; what lets the contract run again not for ever."""
        if why := self._why_never(asked):
            self.table.tell(
                TransactionNews(
                    client_order_id=asked.client_order_id, version=1, fate=Fate.NEVER, why=why
                )
            )
            self._warn(f"the contract on {asked.chain} is not let run again: {why}")
            self.told.set()
            return
        owner = self.terms.wallet
        if not asked.is_pause:
            owner = await self.view.owner(self.terms.route.contract)
        if owner != self.terms.wallet:
            await self._do_as_owner(asked, owner)
            return
        begun = await self.beginnings.asked(asked, head)
        if isinstance(begun, str):
            self._warn(begun)
            return
        await self._reserve(begun, head)

    async def _do_as_owner(self, asked: Asked, owner: str) -> None:
        """Let the contract run again where another account owns it: a local node signs for it."""
        news = TransactionNews(
            client_order_id=asked.client_order_id,
            version=1,
            fate=Fate.NEVER,
            why=f"only its owner {owner} lets it run again, and that is not this wallet",
        )
        if self.terms.may_begin_anew:
            sent = await self.view.send_as(owner, self.terms.route.contract, UNPAUSE)
            news = msgspec.structs.replace(
                news, fate=Fate.SUCCEEDED, hash=sent, why=f"signed by the node for {owner}"
            )
        self.table.tell(news)
        self.told.set()

    def _why_never(self, asked: Asked) -> str:
        if asked.is_pause:
            return ""
        later = self.table.asked.paused_since(asked.chain, asked.at_ns)
        if later is not None:
            return f"{later.by} asked to pause it afterwards"
        late_ns = self.now_ns() - asked.at_ns
        return "that was asked for too long ago" if late_ns > UNPAUSE_NS else ""

    async def _protect(self, head: HeadNow) -> None:
        while self.protections:
            what = self.protections[0]
            begun = await self.beginnings.protect(what, head)
            self.protections.popleft()
            if isinstance(begun, str):
                self._warn(begun)
                continue
            self.protecting[what.data + bytes.fromhex(what.to[2:])] = begun.client_order_id
            await self._reserve(begun, head)

    def _open(self) -> list[Life]:
        return [
            one
            for one in self.table.open_lives()
            if (one.chain_id, one.wallet) == (self.terms.route.chain_id, self.terms.wallet)
        ]

    async def _make_way(self, client_order_id: str, head: HeadNow) -> None:
        """Cancel at once what others wait behind, where it comes to nothing on the newest state.

        A relay takes nothing that reverts: till its end it would be in no block, nor would they.
        """
        if self.terms.policy.path is not Path.PRIVATE:
            return
        life, handed = self.table.life_of(client_order_id), self.table.handed(client_order_id)
        if life is None or handed is None or not holds_up(life, self._open()):
            return
        simulated = await self.simulate(head, life.to, life.data)
        if simulated.why:
            log.info("%s makes way for others: %s", client_order_id, simulated.why)
            await self._carry_out(life, deque([Rebid(life.attempts[-1], is_cancel=True)]), head)

    async def _begin(self, handed: Handed, head: HeadNow) -> None:
        begun = await self.beginnings.begin(handed, head)
        if isinstance(begun, Unsent):
            log.info("%s is not sent: %s", handed.client_order_id, begun.why)
            self.crash("before telling")
            self.table.tell(
                TransactionNews(
                    client_order_id=handed.client_order_id,
                    version=1,
                    fate=Fate.NEVER,
                    why=begun.why,
                ),
                begun.foreseen,
            )
            self.crash("told")
            self.told.set()
            return
        first = handed.plan.steps[0]
        self.table.gains_in(
            begun.chain_id,
            decode(begun.data, contract=begun.to).source.token,
            asset=str(first.source),
            decimals=first.decimals_in,
        )
        await self._reserve(begun, head)

    async def _reserve(self, life: Life, head: HeadNow) -> None:
        assert life.draft is not None
        self.crash("before reserving")
        self.table.reserve(life)
        self._unasked.add(life.client_order_id)
        self.crash("reserved")
        await self._carry_out(life, deque([Sign(life.draft)]), head)

    # ---- a nonce goes on ---------------------------------------------------------------------

    async def _learn(self, life: Life, learned: Learned, head: HeadNow) -> None:
        life, acts = await self._take(life, learned)
        await self._carry_out(life, deque(acts), head)

    async def _take(self, life: Life, learned: Learned) -> tuple[Life, tuple[Act, ...]]:
        """Keep what is learned together with what is told of it; return what is to be done."""
        since, acts = take(life, learned, self.terms.policy.rules)
        tellings = [one for one in acts if isinstance(one, Telling)]
        news = [await self._news(since, one) for one in tellings]
        if since != life:
            self.crash("before keeping")
            # What a node answered is no more than that it may be looked for; all else is acted on.
            self.table.keep(since, news, is_synced=not isinstance(learned, Answered))
            self.crash("kept")
        if news:
            self.told.set()
        return since, acts

    def _ahead(self, life: Life) -> tuple[bytes, ...]:
        return ahead_of(life, self._open())

    async def _carry_out(self, life: Life, waiting: deque[Act], head: HeadNow) -> None:
        while waiting:
            act = waiting.popleft()
            learned: Learned | None = None
            if isinstance(act, Sign):
                learned = await self._sign(life)
            elif isinstance(act, Send):
                self.crash("before sending")
                ahead = partial(self._ahead, life)
                answer, why = await self.way.send(act.attempt, life, head, ahead)
                self.crash("sent")
                learned = Answered(act.attempt.hash, answer, why)
            elif isinstance(act, Rebid):
                learned = self._rebid(life, act, head)
            elif isinstance(act, Warn):
                self._warn(f"{life.client_order_id} on {self.terms.chain}: {act.sentence}")
            if learned is not None:
                life, more = await self._take(life, learned)
                waiting.extend(more)

    async def _sign(self, life: Life) -> Learned | None:
        intent = self._intent(life)
        # Whoever has it from before, or had no answer, may have been given a signature for it.
        is_sure = life.client_order_id in self._unasked
        self._unasked.discard(life.client_order_id)
        self.crash("before signing")
        try:
            reply = await self.ask(intent)
        except TransientError as error:
            self._warn(f"nothing is signed: {error}")
            return None
        self.crash("signed")
        if isinstance(reply, Signed):
            return facts.Signed(reply.hash, reply.raw, self.now_ns())
        if reply.kind in BEFORE_REPEATS and not is_sure:
            self._warn(f"nonce {life.nonce} waits to be signed: {reply.detail}")
            return None
        return Unsigned(reply.detail)

    def _intent(self, life: Life) -> SigningIntent:
        draft = life.draft
        assert draft is not None
        handed = self.table.handed(life.client_order_id)
        own = None if handed is not None or draft.is_cancel else PURPOSES.get(life.data[:4])
        is_cancel = draft.is_cancel or (handed is None and own is None)
        purpose = Purpose.REPLACE if life.attempts else Purpose.ROUTE
        transaction = UnsignedTransaction(
            chain_id=life.chain_id,
            nonce=life.nonce,
            to=life.wallet if is_cancel else life.to,
            value_wei=0,
            gas_limit=draft.bid.gas_limit,
            max_fee_per_gas_wei=draft.bid.fee_wei,
            max_priority_fee_per_gas_wei=draft.bid.tip_wei,
            data=b"" if is_cancel else life.data,
        )
        if own is not None:
            is_ours = life.to == self.terms.route.contract
            code_hash = self._code_hash if is_ours else ""
            return SigningIntent(purpose=own, transaction=transaction, code_hash=code_hash)
        if is_cancel or handed is None:
            return SigningIntent(purpose=Purpose.CANCEL, transaction=transaction)
        return SigningIntent(
            purpose=purpose,
            transaction=transaction,
            engine=handed.engine,
            plan=handed.plan,
            approved=handed.approved,
            code_hash=self._code_hash,
        )

    def _rebid(self, life: Life, act: Rebid, head: HeadNow) -> Learned | None:
        terms, rule, before = self.terms.fees(head), self.terms.rule, act.before.bid
        handed = self.table.handed(life.client_order_id)
        if act.is_cancel or handed is None:
            most_wei = self.terms.policy.cancel_wei_max
            bid = cancel_bid(
                before,
                terms,
                rule,
                gas_limit=CANCEL_GAS,
                bound_wei=most_wei,
                is_far=act.is_far,
            )
        else:
            beside_wei = bytes_wei(terms, act.before.raw, gas_limit=before.gas_limit)
            bound_wei = bound_beside(handed.plan, beside_wei)
            bid = raised_bid(before, terms, rule, bound_wei=bound_wei, is_far=act.is_far)
        if isinstance(bid, NoBid):
            self._warn(f"nonce {life.nonce} waits as it is: {bid.why}")
            return None
        draft = Draft(bid=bid, is_cancel=act.is_cancel or handed is None, at_block=head.number)
        return Drafted(draft)

    # ---- what became of it -------------------------------------------------------------------

    async def _news(self, life: Life, telling: Telling) -> TransactionNews:
        """Return what is told, with what the chain shows of it.

        Raises:
            TransientError: nodes do not say now: nothing is kept, and it is told at a later look.
        """
        landed, handed = telling.landed, self.table.handed(life.client_order_id)
        news = TransactionNews(
            client_order_id=telling.client_order_id,
            version=telling.version,
            fate=telling.fate,
            hash="" if landed is None else landed.hash,
            why=telling.why,
            chore=self.known.chore(life, landed),
        )
        if (asked := self.table.asked.of(life.client_order_id)) is not None:
            self._warn(_came_to_nothing(asked, telling.fate))
        lost = ""
        if telling.fate in {Fate.CANCELLED, Fate.NEVER}:
            lost = await self.way.why_lost(life)
        if landed is None or handed is None:
            return msgspec.structs.replace(news, why="; ".join(filter(None, (news.why, lost))))
        route = decode(life.data, contract=life.to)
        if telling.fate is Fate.SUCCEEDED:
            seen, ts = await self.view.gain(route, landed, self._recovery, self._ours(life))
            self.trust.succeed(handed.plan)
        else:
            seen, ts = None, await self.view.time_of(landed)
            if telling.fate is Fate.REVERTED:
                self._warn(self.trust.fail(handed.plan, Failure.ORDER, self.now_ns()))
        receipt, odd = receipt_of(
            handed.plan,
            route,
            landed,
            seen,
            fate=telling.fate,
            landed_ts=ts,
            recovery=self._recovery,
            lost=lost,
        )
        self._warn(odd)
        return msgspec.structs.replace(news, receipt=receipt)

    def _ours(self, life: Life) -> set[str]:
        """Return what we sent that may be in one block with a life's, looked after yet or not."""
        return {
            attempt.hash
            for one in self.table.lives_beside(life)
            for attempt in one.attempts
            if not attempt.is_cancel
        }

    def _warn(self, sentence: str) -> None:
        if sentence:
            log.warning("%s", sentence)
            self.warn(sentence)


def _came_to_nothing(asked: Asked, fate: Fate) -> str:
    if fate in {Fate.SUCCEEDED, Fate.UNDONE}:
        return ""
    what = "pause" if asked.is_pause else "let run again"
    return f"what was to {what} the contract on {asked.chain} is {fate}: ask again"
