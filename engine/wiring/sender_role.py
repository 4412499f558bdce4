"""The role `sender`: from plans that are handed over to transactions that end, for each chain.

It holds no key: what it sends is signed by the signer, which looks at it of its own accord. It runs
only where something may be signed.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

from engine.bus.allowances import AllowanceLine, AllowancesReport
from engine.bus.lease import Lease, held_lease
from engine.bus.notices import SendingTrouble
from engine.bus.records import Append, ContractActRecord, NoticeRecord
from engine.bus.reports import Declined
from engine.bus.request import Caller, Reply, Request
from engine.bus.sending import Acknowledged, HandedOver, Told, ToldNews, WalletsSeen
from engine.bus.sending_reports import ContractsReport, TransactionsReport
from engine.bus.signing import LookUpLetRun, Rehearse, SignRequest, WalletsReport
from engine.bus.trials import TrialsReport
from engine.bus.unix_socket import SocketCaller, open_server
from engine.bus.work_reports import WorkDone
from engine.chains.gas.reader import GasReader
from engine.chains.ports import Node, NodeError, Topic
from engine.chains.rpc.opening import open_providers
from engine.connectors.outbound import Outbound, open_outbound
from engine.domain.engines import MAIN
from engine.domain.errors import (
    BadValueError,
    FatalError,
    SyndicateError,
    TransientError,
    worst_of,
)
from engine.domain.handed import Handed
from engine.domain.modes import Basis
from engine.domain.pools import Protocol
from engine.domain.signing import Signed, SigningIntent, SignRefusal
from engine.domain.told import Asked, Fate, TransactionNews
from engine.domain.trials import Trial
from engine.domain.units import NS_PER_S
from engine.operate.clock import Clock, make_clock
from engine.operate.lifeline import stop_signals
from engine.operate.loaded import keep_what_is_loaded
from engine.operate.role_words import announce_ready
from engine.requests.request_list import requests_of
from engine.requests.wallets import GetWallets
from engine.sending.allowances import AllowanceLook
from engine.sending.beginnings import DeskTerms
from engine.sending.calls import parse_head
from engine.sending.desk import ChainDesk
from engine.sending.footprints import Footprints
from engine.sending.matters import matter_of
from engine.sending.nonces import NonceTable
from engine.sending.paths import OpenWay, PrivateWay, Way
from engine.sending.relay import Relay
from engine.sending.relay_name import relay_name
from engine.sending.routes import RouteTerms
from engine.sending.showing import ContractLook, transactions_report
from engine.sending.simulating import Simulator
from engine.sending.trials import Trials
from engine.sending.truth_desk import TruthDesk
from engine.sending.truth_table import TruthTable
from engine.sending.view import ChainView
from engine.sending.warming import WarmSimulator
from engine.settings.schema import Settings
from engine.wiring.allowances import allowances_of, revoke
from engine.wiring.bus import caller_to
from engine.wiring.chain_nodes import ChainNodes, nodes_of
from engine.wiring.for_ledger import ForLedger
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths
from engine.wiring.sending_path import path_of, sent_basis
from engine.wiring.signing_terms import signing_terms
from engine.wiring.truths import give_truths, look_back

log = logging.getLogger(__name__)

LEASE_LOOK_S: Final = 0.5
LOOK_S_MIN: Final = 0.05
RETRY_S: Final = 0.5
REHEARSE_S: Final = 0.2
LISTEN_S: Final = 2.0
SYNC_S: Final = 0.005
"""Whoever hands a plan over waits so long for the sync that its nonce needs anyway."""
PAUSE_LOOK_S: Final = 6.0
SEE_S: Final = 3.0
AGAIN_NS: Final = 60 * NS_PER_S
SAME_CHARACTERS: Final = 40
SHOWN_CHARACTERS: Final = 300
BEGINNINGS_MAX: Final = 500
NOT_COME: Final = "it was asked after before it came"


async def run_sender(settings: Settings, paths: Paths) -> None:
    """Send as a process of its own until told to stop.

    Raises:
        SettingsError: nothing may be signed here, or for a real chain.
        FatalError: the table of nonces cannot be used.
        TransientError: the sandbox has not announced itself.
    """
    terms = signing_terms(settings)
    broken: list[FatalError] = []
    signer = SocketCaller(paths.socket("signer"), role="signer")
    ledger = caller_to(paths, "ledger")
    async with stop_signals(ignores_interrupt=True) as stop:

        def on_fatal(error: FatalError) -> None:
            broken.append(error)
            stop.set()

        warnings = Warnings(ledger, basis=sent_basis(settings), clock=make_clock())
        try:
            with held_lease(paths.lease("sender"), what="sender") as lease:
                async with (
                    open_sender(
                        settings,
                        paths,
                        signer,
                        contracts=terms.contracts,
                        clock=make_clock(),
                        warnings=warnings,
                        ledger=ledger,
                    ) as answers,
                    open_server(
                        paths.socket("sender"), requests_of("sender"), answers, on_fatal=on_fatal
                    ),
                    asyncio.TaskGroup() as tasks,
                ):
                    keeping = tasks.create_task(_keep(lease))
                    telling = tasks.create_task(warnings.run())
                    auditing = tasks.create_task(audit_asked(answers, ledger))
                    keep_what_is_loaded()
                    announce_ready()
                    await stop.wait()
                    keeping.cancel()
                    telling.cancel()
                    auditing.cancel()
        finally:
            await signer.aclose()
            await ledger.aclose()
    if broken:
        raise broken[0]


@contextlib.asynccontextmanager
async def open_sender(
    settings: Settings,
    paths: Paths,
    signer: Caller,
    *,
    contracts: Mapping[str, Mapping[str, str]],
    clock: Clock,
    warnings: "Warnings",
    ledger: Caller | None = None,
) -> AsyncIterator["SenderAnswers"]:
    """Send what is handed over until the block ends.

    Args:
        settings: of the installation.
        paths: of the installation.
        signer: who signs.
        contracts: of ours, by chain and address; the first of a chain is called.
        clock: the wall clock.
        warnings: tells a person.
        ledger: who keeps the truths of trades.

    Raises:
        FatalError: a table cannot be used.
        TransientError: the sandbox has not announced itself, or another process sends.
    """
    nodes = nodes_of(settings, paths)
    table = NonceTable(paths.sender / "nonces.sqlite3")
    truths = TruthTable(paths.sender / "truths.sqlite3")
    answers = SenderAnswers(
        table, basis=sent_basis(settings), why_not_vouched=partial(why_not_vouched_by, signer)
    )
    proxy = None if settings.markets.source == "sandbox" else settings.network.proxy
    try:
        async with contextlib.AsyncExitStack() as stack:
            way = await stack.enter_async_context(open_outbound(proxy))
            tasks = await stack.enter_async_context(_group())
            running = [
                tasks.create_task(
                    _send(
                        nodes[chain],
                        _route_terms(paths, nodes[chain], next(iter(ours))),
                        signer,
                        answers,
                        code_hash=next(iter(ours.values())),
                        way=way,
                        clock=clock,
                        warnings=warnings,
                        relay=_relay(paths, chain, way) if nodes[chain].is_local else None,
                        truths=truths,
                    )
                )
                for chain, ours in contracts.items()
                if chain in nodes and ours
            ]
            if ledger is not None:
                running.append(tasks.create_task(give_truths(truths, ledger, sent_basis(settings))))
            try:
                yield answers
            finally:
                for task in running:
                    task.cancel()
    finally:
        table.close()
        truths.close()


@contextlib.asynccontextmanager
async def _group() -> AsyncIterator[asyncio.TaskGroup]:
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except* SyndicateError as group:
        raise worst_of(group) from None


async def _send(
    nodes: ChainNodes,
    route: RouteTerms,
    signer: Caller,
    answers: "SenderAnswers",
    *,
    code_hash: str,
    way: Outbound,
    clock: Clock,
    warnings: "Warnings",
    relay: Relay | None,
    truths: TruthTable,
) -> None:
    """Send a chain's transactions for ever."""
    wallet = await _wallet(signer)
    facts = nodes.facts
    path = path_of(nodes, has_relay=relay is not None)
    async with open_providers(
        nodes.accesses,
        way,
        chain_id=facts.chain_id,
        block_ms=facts.block_ms,
        rates={},
        tell=_caught,
    ) as node:
        terms = DeskTerms(
            chain=facts.name,
            wallet=wallet,
            route=route,
            policy=path.policy,
            rule=path.rule,
            may_begin_anew=nodes.is_local,
        )

        def simulator() -> Simulator:
            return Simulator(
                path.url,
                path.rule.base_fee,
                chain_id=facts.chain_id,
                block_s=max(facts.block_ms // 1_000, 1),
                wallet=wallet,
            )

        simulate = WarmSimulator(simulator(), Footprints(node, wallet=wallet), is_followed=True)
        view = ChainView(node, wallet=wallet)
        answers.looks[facts.name] = ContractLook(
            node=node,
            table=answers.table,
            chain=facts.name,
            wallet=wallet,
            contract=route.contract,
            wanted_hash=code_hash,
            wrapped=facts.wrapped_native,
        )
        desk = ChainDesk(
            terms=terms,
            table=answers.table,
            view=view,
            way=_way_out(view, relay),
            ask=partial(signed_by, signer),
            simulate=simulate,
            warn=partial(warnings.tell, facts.name),
            now_ns=clock,
            told=answers.told,
        )
        desk.beginnings.rehearse = rehearsed_by(signer)
        answers.desks[facts.name] = desk
        answers.given[facts.name] = AllowanceLook(node=node, owners=(wallet, route.contract))
        behind = WarmSimulator(simulator(), Footprints(node, wallet=wallet))
        answers.tried[facts.name] = Trials(
            chain=facts.name,
            terms=route,
            table=answers.table,
            view=view,
            simulate=behind,
        )
        truth_desk = TruthDesk(
            chain=facts.name,
            terms=route,
            table=answers.table,
            truths=truths,
            view=view,
            simulate=behind,
        )
        gas = GasReader(path.facts, path.rule, node)
        look_s = max(facts.block_ms / 4_000, LOOK_S_MIN)
        async with asyncio.TaskGroup() as both:
            both.create_task(look_back(truth_desk))
            both.create_task(_hear(node, desk, simulate, answers))
            await _work(desk, gas, simulate, answers, look_s=look_s)


async def _hear(
    node: Node, desk: ChainDesk, simulate: WarmSimulator, answers: "SenderAnswers"
) -> None:
    """Read what simulations want of each block as it is told of, then have it looked at."""
    while True:
        try:
            async with aclosing(node.subscribe(Topic.HEADS)) as heads:
                async for word in heads:
                    head = parse_head(word, None)
                    desk.hear(head.hash)
                    await simulate.ready(head)
                    answers.handed.set()
        except (NodeError, BadValueError) as error:
            log.info("blocks are asked for, as nobody tells of them: %s", error)
        finally:
            desk.hear("")
        await asyncio.sleep(RETRY_S)


async def _work(
    desk: ChainDesk,
    gas: GasReader,
    simulate: WarmSimulator,
    answers: "SenderAnswers",
    *,
    look_s: float,
) -> None:
    last = 0
    while True:
        answers.handed.clear()
        try:
            await desk.begin_at_once()
            head = await desk.step()
            answers.stepped.set()
            if head.number != last:
                desk.terms.learn(await gas.read(), gas.model)
                last = head.number
                await simulate.ready(head)
                await desk.begin_at_once()
            await simulate.learn(head)
        except (TransientError, NodeError) as error:
            log.warning("%s: %s", desk.terms.chain, error)
            await asyncio.sleep(RETRY_S)
            continue
        if not answers.handed.is_set() and not answers.table.open_lives():
            answers.table.file.tidy()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(look_s):
                await answers.handed.wait()


Vouched = Callable[[Asked], Awaitable[str]]
"""Says why no person asked for a contract to run again; empty if one did."""


async def nobody_vouches(_asked: Asked) -> str:
    """Say that no signer is there who knows what persons said."""
    return "nobody here knows what persons said"


class SenderAnswers:
    """What the role answers; see `bus.sending.Sending`.

    Attributes:
        handed: set when there is a plan to begin.
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
        self.handed.set()
        return why

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
            told = self.table.told_of(client_order_id)
            if told is None:
                self.table.tell(
                    TransactionNews(
                        client_order_id=client_order_id, version=1, fate=Fate.NEVER, why=NOT_COME
                    ),
                    engine=engine,
                )
                self.told.set()
        last = self.table.told_of(client_order_id)
        return self._told(() if last is None else (ToldNews(number=last.number, news=last.news),))

    async def told_after(self, after: int | None) -> Told:
        """See `bus.sending.Sending`."""
        if after is None:
            return self._told(())
        found = self.table.told_after(after)
        if not found:
            self.told.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LISTEN_S):
                    await self.told.wait()
            found = self.table.told_after(after)
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
        found = self.table.untold(engine, after)
        if not found and after >= self.table.newest_number():
            self.told.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LISTEN_S):
                    await self.told.wait()
            found = self.table.untold(engine, after)
        return self._told([ToldNews(number=one.number, news=one.news) for one in found])

    def acknowledge(self, numbers: tuple[int, ...]) -> Acknowledged:
        """See `bus.sending.Sending`."""
        self.table.acknowledge(numbers)
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
        told = self.table.told_of(asked.client_order_id)
        if told is None:
            return None
        if told.news.fate is Fate.SUCCEEDED:
            return WorkDone(text=f"{chain}: {what} by {told.news.hash}; /contract shows it")
        return Declined(why=f"{what} on {chain} came to nothing: {told.news.why}")

    def _told(self, news: Sequence[ToldNews]) -> Told:
        return Told(newest=self.table.newest_number(), news=tuple(news))


async def audit_asked(answers: SenderAnswers, ledger: Caller) -> None:
    """Put what people asked for into the audit, for ever; what is there once is there once."""
    table = answers.table.asked
    while True:
        answers.asked.clear()
        for one in table.unaudited():
            what = "pause" if one.is_pause else "let run again"
            record = ContractActRecord(
                record_id=f"contract-{one.command_id}",
                at_ns=one.at_ns,
                by=one.by,
                chain=one.chain,
                action=f"{what} the contract on {one.chain}",
            )
            try:
                await ledger.call(Append(records=[record]))
            except TransientError as error:
                log.info("what was asked waits for the audit: %s", error)
                break
            except BadValueError as error:
                log.error("the audit refuses %s: %s", record, error)  # noqa: TRY400 - said whole
            table.audited(one.command_id)
        else:
            await answers.asked.wait()
            continue
        await asyncio.sleep(RETRY_S)


class Warnings:
    """What a person has to know, told once a while by its first words."""

    def __init__(self, ledger: Caller, *, basis: Basis, clock: Clock) -> None:
        self._basis = basis
        self._clock = clock
        self._records = ForLedger(ledger, kind="transactions", basis=basis, clock=clock)
        self._told_at_ns: dict[str, int] = {}
        self.run = self._records.run

    def tell(self, chain: str, sentence: str) -> None:
        """Tell a sentence, unless one that begins like it was told just before."""
        at_ns = self._clock()
        begins = f"{chain} {sentence[:SAME_CHARACTERS]}"
        if at_ns - self._told_at_ns.get(begins, 0) < AGAIN_NS:
            return
        if len(self._told_at_ns) >= BEGINNINGS_MAX:
            self._told_at_ns.clear()
        self._told_at_ns[begins] = at_ns
        notice = SendingTrouble(
            at_ns=at_ns,
            basis=self._basis,
            chain=chain,
            what=sentence[:SHOWN_CHARACTERS],
            matter=matter_of(sentence),
        )
        self._records.store_later(NoticeRecord(record_id=f"sending-{chain}-{at_ns}", notice=notice))


async def _wallet(signer: Caller) -> str:
    """Return the wallet's address, once somebody knows it."""
    while True:
        try:
            report: WalletsReport = await signer.call(GetWallets())
        except TransientError as error:
            log.info("the wallet is not known yet: %s", error)
        else:
            if report.address:
                return report.address
            log.info("the wallet is not known yet: its key was never open")
        await asyncio.sleep(RETRY_S)


async def why_not_vouched_by(signer: Caller, asked: Asked) -> str:
    """Ask the signer whether a person let a contract run again; see `Vouched`."""
    try:
        await signer.call(LookUpLetRun(chain=asked.chain, command_id=asked.command_id))
    except (BadValueError, TransientError) as error:
        return f"the signer: {error}"
    return ""


async def signed_by(signer: Caller, intent: SigningIntent) -> Signed | SignRefusal:
    """Ask the signer; see `sending.desk.Ask`."""
    return await signer.call(SignRequest(intent=intent))


def rehearsed_by(signer: Caller) -> Callable[[SigningIntent], None]:
    """Return what has the signer rehearse, without waiting for it; see `bus.signing.Rehearse`."""
    asking: set[asyncio.Task[None]] = set()

    async def ask(intent: SigningIntent) -> None:
        # It is of no account: whatever is wrong the signature says, too.
        with contextlib.suppress(TransientError, BadValueError):
            await signer.call(Rehearse(intent=intent), timeout_s=REHEARSE_S)

    def rehearse(intent: SigningIntent) -> None:
        task = asyncio.create_task(ask(intent))
        asking.add(task)
        task.add_done_callback(asking.discard)

    return rehearse


def _route_terms(paths: Paths, nodes: ChainNodes, contract: str) -> RouteTerms:
    by_protocol = {one.protocol: one.factory for one in nodes.dexes}
    named: Mapping[str, str] = {}
    if nodes.is_local:
        named = read_announcement(paths).local_chains[nodes.facts.name].contracts
    return RouteTerms(
        chain_id=nodes.facts.chain_id,
        contract=contract,
        wrapped=nodes.facts.wrapped_native,
        v4_manager=by_protocol.get(Protocol.UNISWAP_V4, ""),
        vault=named.get("balancer_vault", ""),
        aave=named.get("aave_pool", ""),
    )


def _relay(paths: Paths, chain: str, way: Outbound) -> Relay | None:
    """Return the relay of a local chain, None if it has none."""
    url = read_announcement(paths).local_chains[chain].relay_url
    return Relay(url, relay_name(paths.sender / "relay.key"), way.client_for(url)) if url else None


def _way_out(view: ChainView, relay: Relay | None) -> Way:
    return OpenWay(view) if relay is None else PrivateWay(relay, view)


def _caught(provider: str, why: str) -> None:
    log.warning("%s was caught: %s", provider, why)


async def _keep(lease: Lease) -> None:
    """Look whether this still is the one; raises `SupersededError` if not."""
    while True:
        await asyncio.sleep(LEASE_LOOK_S)
        lease.check()
