"""One chain's transactions at work: what is known is kept before anything is done about it.

Every step is safe to break off anywhere: what was handed over waits until it has a nonce or an end,
what has a nonce is looked at with each block, and what is done twice is done with the same bytes.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import InitVar, dataclass, field
from functools import partial
from typing import Final

from engine.domain.chains import block_ms
from engine.domain.errors import TransientError
from engine.domain.handed import Handed
from engine.domain.plans import MixedPlan
from engine.domain.told import Asked, Fate, TransactionNews, WalletSeen
from engine.domain.units import NS_PER_MS
from engine.sending.ahead import ahead_of, holds_up
from engine.sending.allowing_ids import allowing_id, is_allowing, plans_id
from engine.sending.beginnings import (
    REVOKING,
    Beginnings,
    DeskTerms,
    Protection,
    Unsent,
    decided_at,
)
from engine.sending.calls import HeadNow
from engine.sending.contract_acts import ContractActs
from engine.sending.encoding import APPROVE, decode, disallow_calldata
from engine.sending.facts import (
    Act,
    Answered,
    Learned,
    Life,
    Rebid,
    Send,
    Sign,
    Telling,
    Warn,
)
from engine.sending.fees import NoBid
from engine.sending.known_chain import KnownChain
from engine.sending.life import take
from engine.sending.nonces import NonceTable
from engine.sending.outcomes import Outcomes
from engine.sending.paths import Way
from engine.sending.policies import Path
from engine.sending.rebids import rebid
from engine.sending.signatures import Ask, Signatures
from engine.sending.stages import SHOWN
from engine.sending.swapping import TO_NOTHING, Swapping
from engine.sending.trust import RouteTrust
from engine.sending.view import ChainView
from engine.sending.warming import Simulate
from engine.storage.durable_file import Boundary, go_on

log = logging.getLogger(__name__)

LOOKED_BACK: Final = 50
"""So many of the newest nonces are looked at for what they left allowed."""


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
    ask: InitVar[Ask]
    simulate: Simulate
    warn: Callable[[str], None]
    now_ns: Callable[[], int]
    told: asyncio.Event = field(default_factory=asyncio.Event)
    crash: Boundary = go_on
    trust: RouteTrust = field(default_factory=RouteTrust)
    beginnings: Beginnings = field(init=False)
    swapping: Swapping = field(init=False)
    acts: ContractActs = field(init=False)
    signatures: Signatures = field(init=False)
    known: KnownChain = field(init=False)
    outcomes: Outcomes = field(init=False)
    wants_wallet: bool = False
    seen: WalletSeen | None = None
    protecting: dict[bytes, str] = field(default_factory=dict)
    protections: deque[Protection] = field(default_factory=deque)
    _heard: tuple[str, int] = ("", 0)
    _newest: HeadNow | None = None
    _coming: Handed | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _looked: HeadNow | None = None
    _recovery: str = ""
    _has_looked_back: bool = False

    def __post_init__(self, ask: Ask) -> None:
        self.beginnings = Beginnings(
            terms=self.terms,
            table=self.table,
            view=self.view,
            simulate=self.simulate,
            trust=self.trust,
            warn=self._warn,
            now_ns=self.now_ns,
        )
        self.swapping = Swapping(beginnings=self.beginnings)
        self.known = KnownChain(
            terms=self.terms,
            table=self.table,
            view=self.view,
            warn=self._warn,
            crash=self.crash,
        )
        self.acts = ContractActs(
            terms=self.terms,
            table=self.table,
            view=self.view,
            beginnings=self.beginnings,
            warn=self._warn,
            now_ns=self.now_ns,
        )
        self.signatures = Signatures(
            table=self.table,
            contract=self.terms.route.contract,
            ask=ask,
            warn=self._warn,
            now_ns=self.now_ns,
            crash=self.crash,
        )
        self.outcomes = Outcomes(
            table=self.table,
            view=self.view,
            known=self.known,
            trust=self.trust,
            warn=self._warn,
            now_ns=self.now_ns,
        )

    async def step(self) -> HeadNow:
        """Bring everything on as far as it goes at the newest block.

        Raises:
            TransientError: nodes do not say; nothing is lost by it.
            FatalError: the table cannot be written.
        """
        async with self._turn:
            head = await self._look_and_begin()
            lives = self._open()
        for life in lives:
            # What is handed over meanwhile is begun meanwhile; what allows a swap may be of these.
            look = await self.view.look(life, head)
            async with self._turn:
                if self.table.life_of(life.client_order_id) != life:
                    continue  # it went on meanwhile, and its nonce may be another's: see next time
                await self._learn(life, look, head)
                await self._let_go(life.client_order_id, head)
                await self._make_way(life.client_order_id, head)
            await self.begin_at_once()
        async with self._turn:
            if self._open() and (filler := await self.beginnings.fill_hole(head)) is not None:
                await self._reserve(filler, head)
            await self._protect(head)
            if self.wants_wallet:
                self.seen = await self.known.see(head, self._recovery, self._open())
                self.wants_wallet = False
        return head

    async def _look_and_begin(self) -> HeadNow:
        """Learn of the newest block, and begin what waits for it."""
        before, self._looked = self._looked, None
        head = await self.view.head()
        if await self.known.look(head, self._open):
            self._recovery = ""
            self.told.set()
        if not self._recovery:
            self._recovery = await self.view.recovery(self.terms.route.contract)
        if before is None or before.hash != head.hash:
            contract = self.terms.route.contract
            self.signatures.code_hash, count = await self.view.code_and_count(contract, head)
            self.beginnings.counted = head.hash, count
        self._looked = head
        if not self._has_looked_back:
            self._has_looked_back = True
            self._look_back()
        for asked in self.table.asked.waiting(self.terms.chain):
            await self._do(asked, head)
        # What is under way can wait for a moment; a plan's block cannot.
        await self._begin_waiting(head)
        return head

    def hear(self, block_hash: str, head: HeadNow | None = None) -> None:
        """Hear of the newest block, as nodes told of it by themselves; empty if they do not."""
        self._heard = block_hash, self.now_ns()
        self._newest = head
        coming, self._coming = self._coming, None
        if coming is not None:
            self.prepare(coming)

    def prepare(self, handed: Handed) -> None:
        """Carry out ahead what may be handed over once its intent is durable.

        That is as of its own block, which nodes may tell of in a moment.
        """
        head, block = self._newest, decided_at(handed.plan)
        if head is None or block is None or block < head.number:
            return
        if block > head.number:
            self._coming = handed
        else:
            self.beginnings.prepare(handed, head)

    async def begin_at_once(self) -> None:
        """Begin what was handed over, if all that nodes have to say of their newest block is known.

        That is a block that they told of by themselves, for which no other is due, and that a step
        has looked at since. Else the next step asks them, and begins.

        Raises:
            FatalError: the table cannot be written.
        """
        if not self.table.waiting():
            return
        async with self._turn:
            head, (block_hash, heard_ns) = self._looked, self._heard
            if head is None or head.hash != block_hash:
                return
            is_newest = self.now_ns() - heard_ns <= block_ms(self.terms.chain) * NS_PER_MS
            if is_newest and not self.table.asked.waiting(self.terms.chain):
                await self._begin_waiting(head)

    async def _begin_waiting(self, head: HeadNow) -> None:
        """Begin all that is of this block or an earlier one, and what comes meanwhile.

        What is signed is sent once nothing waits to be signed any more.
        """
        tried: set[str] = set()
        signed: list[tuple[Life, deque[Act]]] = []
        try:
            while due := [one for one in self.table.waiting() if self._is_due(one, head, tried)]:
                tried.add(due[0].client_order_id)
                await self._begin(due[0], head, signed)
        except TransientError:
            await self._send_all(signed, head)
            raise
        await self._send_all(signed, head)

    async def _send_all(self, signed: Sequence[tuple[Life, deque[Act]]], head: HeadNow) -> None:
        for life, acts in signed:
            await self._carry_out(life, acts, head)

    def _is_due(self, handed: Handed, head: HeadNow, tried: Collection[str]) -> bool:
        return (
            handed.client_order_id not in tried
            and handed.plan.chain == self.terms.chain
            and not self.beginnings.is_early(handed.plan, head)
        )

    async def _do(self, asked: Asked, head: HeadNow) -> None:
        begun = await self.acts.begin(asked, head)
        if isinstance(begun, Life):
            await self._reserve(begun, head)
        elif isinstance(begun, TransactionNews):
            self.table.tell(begun)
            self.told.set()
        else:
            self._warn(begun)

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
        if isinstance(handed.plan, MixedPlan):  # it reverts until what allows it has landed
            return
        simulated = await self.simulate(head, life.to, life.data)
        if simulated.why:
            log.info("%s makes way for others: %s", client_order_id, simulated.why)
            await self._carry_out(life, deque([Rebid(life.attempts[-1], is_cancel=True)]), head)

    async def _let_go(self, client_order_id: str, head: HeadNow) -> None:
        """Cancel a swap whose allowance came to nothing: it can only revert."""
        life = self.table.life_of(client_order_id)
        told = self.table.told.of(allowing_id(client_order_id))
        if life is None or told is None or told.news.fate not in TO_NOTHING:
            return
        waits = bool(life.attempts) and life.draft is None and life.stage not in SHOWN
        if waits and not life.attempts[-1].is_cancel:
            log.info("%s is let go: what allows it came to nothing", client_order_id)
            cancel = Rebid(life.attempts[-1], is_cancel=True)
            await self._carry_out(life, deque([cancel]), head)

    async def _is_allowed(self, handed: Handed, head: HeadNow) -> bool:
        """Say whether what allows a swap is signed, or not begun; have it signed if it waits."""
        allowing = self.table.life_of(allowing_id(handed.client_order_id))
        if allowing is None or allowing.attempts or allowing.draft is None:
            return True
        await self._carry_out(allowing, deque([Sign(allowing.draft)]), head)
        allowing = self.table.life_of(allowing.client_order_id)
        return allowing is None or bool(allowing.attempts)

    def _look_back(self) -> None:
        """Take back what an end in between left allowed: once, of each token the newest."""
        seen: set[str] = set()
        for life in self.table.newest_lives(LOOKED_BACK):
            is_own = (life.chain_id, life.wallet) == (self.terms.route.chain_id, self.terms.wallet)
            if not is_own or life.data[:4] != APPROVE or life.to in seen:
                continue
            seen.add(life.to)
            told = self.table.told.of(plans_id(life.client_order_id))
            if is_allowing(life.client_order_id) and told and told.news.fate in TO_NOTHING:
                self._take_back(plans_id(life.client_order_id))

    def _take_back(self, client_order_id: str) -> None:
        """Have an allowance taken back that no swap takes, if it may be there or come."""
        allowing = self.table.life_of(allowing_id(client_order_id))
        told = self.table.told.of(allowing_id(client_order_id))
        has_failed = told is not None and told.news.fate in TO_NOTHING
        if allowing is not None and allowing.attempts and not has_failed:
            data = disallow_calldata(self.terms.route.contract)
            self.protections.append(Protection(REVOKING, allowing.to, data))

    async def _begin(
        self, handed: Handed, head: HeadNow, signed: list[tuple[Life, deque[Act]]]
    ) -> None:
        if isinstance(handed.plan, MixedPlan):
            if not await self._is_allowed(handed, head):
                return
            begun = await self.swapping.begin(handed, head)
        else:
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
            self._take_back(handed.client_order_id)
            return
        if isinstance(handed.plan, MixedPlan):
            await self._reserve(begun, head)
            if is_allowing(begun.client_order_id) and handed in self.table.waiting():
                await self._begin(handed, head, signed)  # the swap, or that there is none
            return
        first = handed.plan.steps[0]
        self.table.chains.gains_in(
            begun.chain_id,
            decode(begun.data, contract=begun.to).source.token,
            asset=str(first.source),
            decimals=first.decimals_in,
        )
        await self._reserve(begun, head, signed)

    async def _reserve(
        self, life: Life, head: HeadNow, signed: list[tuple[Life, deque[Act]]] | None = None
    ) -> None:
        """Keep a nonce and have it signed; send it, or leave that to whoever has `signed`."""
        assert life.draft is not None
        self.crash("before reserving")
        self.table.reserve(life)
        self.signatures.never_asked(life.client_order_id)
        self.crash("reserved")
        await self._carry_out(life, deque([Sign(life.draft)]), head, signed)

    # ---- a nonce goes on ---------------------------------------------------------------------

    async def _learn(self, life: Life, learned: Learned, head: HeadNow) -> None:
        life, acts = await self._take(life, learned)
        await self._carry_out(life, deque(acts), head)

    async def _take(self, life: Life, learned: Learned) -> tuple[Life, tuple[Act, ...]]:
        """Keep what is learned together with what is told of it; return what is to be done."""
        since, acts = take(life, learned, self.terms.policy.rules)
        tellings = [one for one in acts if isinstance(one, Telling)]
        news = [
            await self.outcomes.news(since, one, way=self.way, recovery=self._recovery)
            for one in tellings
        ]
        if since != life:
            self.crash("before keeping")
            # What a node answered is no more than that it may be looked for; all else is acted on.
            self.table.keep(since, news, is_synced=not isinstance(learned, Answered))
            self.crash("kept")
        if news:
            self.told.set()
        for one in tellings:
            if one.fate in TO_NOTHING:
                self._take_back(one.client_order_id)
        return since, acts

    def _ahead(self, life: Life) -> tuple[bytes, ...]:
        return ahead_of(life, self._open())

    async def _carry_out(
        self,
        life: Life,
        waiting: deque[Act],
        head: HeadNow,
        signed: list[tuple[Life, deque[Act]]] | None = None,
    ) -> None:
        while waiting:
            if signed is not None and isinstance(waiting[0], Send):
                signed.append((life, waiting))
                return
            act = waiting.popleft()
            learned: Learned | None = None
            if isinstance(act, Sign):
                learned = await self.signatures.sign(life)
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

    def _rebid(self, life: Life, act: Rebid, head: HeadNow) -> Learned | None:
        handed = self.table.handed(life.client_order_id)
        allowing = self.table.life_of(allowing_id(life.client_order_id))
        beside_wei = (
            0
            if allowing is None
            else max((one.bid.gas_limit * one.bid.fee_wei for one in allowing.attempts), default=0)
        )
        found = rebid(act, handed, self.terms, head, beside_wei=beside_wei)
        if isinstance(found, NoBid):
            self._warn(f"nonce {life.nonce} waits as it is: {found.why}")
            return None
        return found

    def _warn(self, sentence: str) -> None:
        if sentence:
            log.warning("%s", sentence)
            self.warn(sentence)
