"""What the role `sender` answers: plans taken on, what was told of them, what persons ask for."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from engine.bus.allowances import AllowanceLine, AllowancesReport
from engine.bus.reports import Declined
from engine.bus.request import Reply, Request
from engine.bus.sending import Acknowledged, HandedOver, Told, ToldNews, WalletsSeen
from engine.bus.sending_reports import ContractsReport, TransactionsReport
from engine.bus.trials import TrialsReport
from engine.bus.work_reports import WorkDone
from engine.domain.engines import MAIN
from engine.domain.handed import Handed
from engine.domain.modes import Basis
from engine.domain.told import Asked, Fate, TransactionNews
from engine.domain.trials import Trial
from engine.sending.allowances import AllowanceLook
from engine.sending.desk import ChainDesk
from engine.sending.nonces import NonceTable
from engine.sending.showing import ContractLook, transactions_report
from engine.sending.trials import Trials
from engine.wiring.allowances import allowances_of, revoke

log = logging.getLogger(__name__)

LISTEN_S: Final = 2.0
SYNC_S: Final = 0.005
"""Whoever hands a plan over waits so long for the sync that its nonce needs anyway."""
PAUSE_LOOK_S: Final = 6.0
SEE_S: Final = 3.0
NOT_COME: Final = "it was asked after before it came"

Vouched = Callable[[Asked], Awaitable[str]]
"""Says why no person asked for a contract to run again; empty if one did."""


async def nobody_vouches(_asked: Asked) -> str:
    """Say that no signer is there who knows what persons said."""
    return "nobody here knows what persons said"


class SenderAnswers:
    """What the role answers; see `bus.sending.Sending`.

    Attributes:
        handed: set when there is a plan to begin.
        came: the same by chain, for whoever begins it at once.
        told: set when there are news.
        stepped: set when a desk has done what there was.
        asked: set when a person asked for something that is to be in the audit.
        looks: at our contract, by chain.
        desks: that send, by chain.
        tried: tries routes out for background work, by chain.
        given: looks at what was allowed, by chain.
    """

    def __init__(
        self,
        table: NonceTable,
        *,
        basis: Basis = Basis.SANDBOX_LIVE,
        why_not_vouched: Vouched = nobody_vouches,
    ) -> None:
        self.table: Final = table
        self._basis = basis
        self._why_not_vouched = why_not_vouched
        self._synced: Final = asyncio.Event()
        table.file.when_synced = self._synced.set
        self.handed: Final = asyncio.Event()
        self.came: Final = defaultdict[str, asyncio.Event](asyncio.Event)
        self.told: Final = asyncio.Event()
        self.stepped: Final = asyncio.Event()
        self.asked: Final = asyncio.Event()
        self.looks: Final[dict[str, ContractLook]] = {}
        self.desks: Final[dict[str, ChainDesk]] = {}
        self.tried: Final[dict[str, Trials]] = {}
        self.given: Final[dict[str, AllowanceLook]] = {}

    async def answer(self, request: Request[Reply], /) -> Reply:
        """See `bus.request.Answerer`."""
        return await request.answer(self)

    def take_on(self, handed: Handed) -> str:
        """Take a plan on and have it begun; return why not, empty if it is. Not synced yet."""
        why = self.table.hand_over(handed)
        self.came[handed.plan.chain].set()
        self.handed.set()
        return why

    def prepare(self, handed: Handed) -> None:
        """See `bus.sending.Sending`."""
        if (desk := self.desks.get(handed.plan.chain)) is not None:
            desk.prepare(handed)

    async def hand_over(self, handed: Handed) -> HandedOver:
        """See `bus.sending.Sending`."""
        why = self.take_on(handed)
        # The plan is on its way meanwhile, and syncs when it gets its nonce: one sync for both.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SYNC_S):
                while not self.table.file.is_synced:
                    self._synced.clear()
                    await self._synced.wait()
        self.table.file.sync()
        return HandedOver(why=why)

    def ask_after(self, client_order_id: str, engine: str = MAIN) -> Told:
        """See `bus.sending.Sending`."""
        if not self.table.fence(client_order_id, NOT_COME):
            told = self.table.told.of(client_order_id)
            if told is None:
                self.table.tell(
                    TransactionNews(
                        client_order_id=client_order_id, version=1, fate=Fate.NEVER, why=NOT_COME
                    ),
                    engine=engine,
                )
                self.told.set()
        last = self.table.told.of(client_order_id)
        return self._told(() if last is None else (ToldNews(number=last.number, news=last.news),))

    async def told_after(self, after: int | None) -> Told:
        """See `bus.sending.Sending`."""
        if after is None:
            return self._told(())
        found = self.table.told.after(after)
        if not found:
            self.told.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LISTEN_S):
                    await self.told.wait()
            found = self.table.told.after(after)
        return self._told([ToldNews(number=one.number, news=one.news) for one in found])

    def transactions(self, most: int) -> TransactionsReport:
        """See `bus.sending.Sending`."""
        is_local = self._basis is Basis.SANDBOX_LIVE
        return transactions_report(self.table, basis=self._basis, most=most, is_local=is_local)

    async def contracts(self) -> ContractsReport:
        """See `bus.sending.Sending`."""
        lines = await asyncio.gather(*(one.look() for one in self.looks.values()))
        return ContractsReport(basis=self._basis, contracts=list(lines))

    async def allowances(self) -> AllowancesReport:
        """See `bus.allowances.Allowing`."""
        return await allowances_of(self.given, self.desks)

    async def trials(self) -> TrialsReport:
        """See `bus.trials.Trying`."""
        found: list[Trial] = []
        for one in self.tried.values():
            found += await one.run()
        return TrialsReport(trials=found)

    async def revoke_allowance(
        self, chain: str, line: AllowanceLine, by: str
    ) -> WorkDone | Declined:
        """See `bus.allowances.Allowing`."""
        desk = self.desks.get(chain)
        if desk is None:
            return Declined(why=f"nothing is sent on {chain[:20]}")
        log.warning("%s revokes an allowance of %s on %s", by, line.token, chain)
        return await revoke(desk, self.handed, self.stepped, line=line, chain=chain)

    async def untold(self, engine: str, after: int) -> Told:
        """See `bus.sending.Sending`."""
        found = self.table.told.untold(engine, after)
        if not found and after >= self.table.told.newest_number():
            self.told.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LISTEN_S):
                    await self.told.wait()
            found = self.table.told.untold(engine, after)
        return self._told([ToldNews(number=one.number, news=one.news) for one in found])

    def acknowledge(self, numbers: tuple[int, ...]) -> Acknowledged:
        """See `bus.sending.Sending`."""
        self.table.told.acknowledge(numbers)
        return Acknowledged()

    async def wallets(self) -> WalletsSeen:
        """See `bus.sending.Sending`."""
        for desk in self.desks.values():
            desk.seen, desk.wants_wallet = None, True
        self.handed.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SEE_S):
                while any(desk.wants_wallet for desk in self.desks.values()):
                    self.stepped.clear()
                    await self.stepped.wait()
        seen = [desk.seen for desk in self.desks.values() if desk.seen is not None]
        return WalletsSeen(seen=tuple(seen))

    async def ask_contract(self, asked: Asked) -> WorkDone | Declined:
        """See `bus.sending.Sending`."""
        chain, what = asked.chain, "pausing" if asked.is_pause else "unpausing"
        if chain not in self.desks:
            known = ", ".join(self.desks) or "none"
            return Declined(why=f"nothing is sent on {chain}; chains are: {known}")
        # Whoever reaches this socket may pause; a pause ends by a person's word alone.
        if not asked.is_pause and (why := await self._why_not_vouched(asked)):
            log.warning("%s the contract on %s is refused: %s", what, chain, why)
            return Declined(why=f"{what} on {chain} is refused: {why}")
        log.warning("%s asks for %s the contract on %s", asked.by, what, chain)
        self.table.asked.keep(asked)  # before anybody is answered, and before anything is done
        self.asked.set()
        self.handed.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_LOOK_S):
                while (answer := self._came(asked)) is None:
                    self.stepped.clear()
                    await self.stepped.wait()
                return answer
        return WorkDone(
            text=f"{chain}: {what} is kept and not signed yet; it is done once, also after a"
            " restart: /tx and /contract show it"
        )

    def _came(self, asked: Asked) -> WorkDone | Declined | None:
        """Return what became of it, None while it is not signed."""
        chain, what = asked.chain, "pausing" if asked.is_pause else "unpausing"
        life = self.table.life_of(asked.client_order_id)
        if life is not None and life.attempts:
            return WorkDone(text=f"{chain}: {what} by {life.hashes[-1]}; /contract shows it")
        told = self.table.told.of(asked.client_order_id)
        if told is None:
            return None
        if told.news.fate is Fate.SUCCEEDED:
            return WorkDone(text=f"{chain}: {what} by {told.news.hash}; /contract shows it")
        return Declined(why=f"{what} on {chain} came to nothing: {told.news.why}")

    def _told(self, news: Sequence[ToldNews]) -> Told:
        return Told(newest=self.table.told.newest_number(), news=tuple(news))
