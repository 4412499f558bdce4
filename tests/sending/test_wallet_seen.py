"""What live books hold is what the chain shows, to the wei; where it is not, that is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.bus.notices import SendingTrouble
from engine.bus.records import Append, IntentRecord
from engine.bus.reports import NoticesReport, PnlReport
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.domain.orders import Intent, OrderState, Transaction
from engine.domain.plans import AtomicPlan, recovery_of
from engine.domain.signing import RefusalKind, Signed, SigningIntent, SignRefusal
from engine.domain.told import Fate, Matter
from engine.requests.chat import GetNotices
from engine.requests.money import GetPnl
from engine.sending.desk import ChainDesk
from engine.storage.ledger import LedgerSettings, open_ledger
from engine.wiring.sender_answers import SenderAnswers
from tests.sending import booking_engine
from tests.sending.booking_engine import BookingEngine
from tests.sending.sending_world import CHAIN, SendingWorld
from tests.sending.test_booked_once import Here, until
from tests.storage import makers
from tests.storage.conftest import sqlite_model, with_model  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow
WALLET, GAINS = ("base", "ETH"), ("base-recovery", "ETH")
DOLLARS = ("base", "USDC")


class Whole:
    """A desk on a real chain, a ledger, and engines that come and go."""

    def __init__(self, sending: SendingWorld, ledger: Here, desk: ChainDesk) -> None:
        self.sending = sending
        self.ledger = ledger
        self.desk = desk
        answers = SenderAnswers(sending.table)
        answers.desks[CHAIN] = desk
        desk.told = answers.told
        self.answers = answers
        self.sender = Here(answers)

    async def hand_over(self, plan: AtomicPlan) -> None:
        sent = Transaction(
            client_order_id=f"{plan.plan_id}-t",
            plan_id=plan.plan_id,
            chain=plan.chain,
            wallet=plan.wallet,
            sent_at_ns=plan.decided_at_ns,
            state=OrderState.SENT,
            gains_at=recovery_of(plan.chain),
        )
        intent = IntentRecord(run_id="r0", basis=Basis.SANDBOX, intent=Intent.of(plan, [sent]))
        await self.ledger.call(Append(records=[intent]))
        self.sending.table.hand_over(self.sending.handed(plan))

    async def blocks(self, count: int = 4) -> None:
        for _ in range(count):
            self.sending.world.mine()
            await self.desk.step()

    async def compared(self, engine: BookingEngine) -> None:
        """Let the engine hear of all, then compare its books with the chain."""
        await until(lambda: not self.sending.table.told.untold("main", 0))
        self.desk.wants_wallet = True
        await self.desk.step()
        assert self.desk.seen is not None
        engine.take(self.desk.seen)

    def shown(self) -> dict[tuple[str, str], Decimal]:
        """What the chain shows now."""
        sending = self.sending
        coins = int(sending.world.rpc.ask("eth_getBalance", sending.wallet, "latest"), 16)
        return {
            WALLET: Decimal(coins).scaleb(-18),
            GAINS: Decimal(sending.kept_raw()).scaleb(-18),
        }

    async def troubles(self) -> list[SendingTrouble]:
        report = await self.ledger.call(GetNotices(reader="test", after_seq=0))
        assert isinstance(report, NoticesReport)
        told = [one.notice for one in report.notices]
        return [one for one in told if isinstance(one, SendingTrouble)]

    async def pnl(self) -> PnlReport:
        report = await self.ledger.call(GetPnl(days=36_500))
        assert isinstance(report, PnlReport)
        return report


@pytest.fixture
def settings(tmp_path: Path, sqlite_model: Path) -> LedgerSettings:  # noqa: F811 - a fixture
    return with_model(LedgerSettings(data_dir=tmp_path / "var"), sqlite_model)


@asynccontextmanager
async def at_work(
    sending: SendingWorld, settings: LedgerSettings, desk: ChainDesk
) -> AsyncIterator[Whole]:
    async with open_ledger(settings, clock=lambda: makers.NOW_NS) as ledger:
        yield Whole(sending, Here(ledger), desk)


def test_gains_and_a_filled_nonce_leave_the_books_as_the_chain_shows_them(
    sending: SendingWorld, settings: LedgerSettings
) -> None:
    sending.gap(60)
    sending.world.automine(False)
    asked: list[str] = []
    signing = sending.ask

    async def ask(intent: SigningIntent) -> Signed | SignRefusal:
        """Be away for the second plan at first, and refuse it for good later."""
        name = "" if intent.plan is None else intent.plan.plan_id
        if len(asked) and name == asked[0]:
            asked.append(name)
            if len(asked) <= 3:
                raise TransientError("the signer is away")
            return SignRefusal(kind=RefusalKind.PLAN, detail="another plan")
        return await signing(intent)

    async def work(desk: ChainDesk) -> None:
        desk.signatures.ask = ask
        async with at_work(sending, settings, desk) as whole:
            async with booking_engine.running(whole.ledger, whole.sender) as engine:
                await whole.blocks(2)
                await whole.compared(engine)
                opened = engine.live
            await whole.hand_over(sending.plan("0.5", seconds=600))
            await desk.step()
            await whole.blocks()
            void, late = sending.plan("0.4", seconds=600), sending.plan("0.4", seconds=600)
            asked.append(void.plan_id)
            await whole.hand_over(void)
            await desk.step()
            await whole.hand_over(late)
            await desk.step()
            await whole.blocks(8)
            async with booking_engine.running(whole.ledger, whole.sender) as engine:
                await whole.compared(engine)
                live = engine.live
            pnl = await whole.pnl()

            assert opened == {WALLET: Decimal(1)}
            assert live == whole.shown()
            assert await whole.troubles() == []
            fates = {one.news.client_order_id.split("-")[0]: one.news for one in sending.all_told()}
            assert fates["hole"].fate is Fate.CANCELLED
            assert fates["hole"].chore is not None
            assert fates["hole"].chore.gas > 0
            assert (pnl.live.upkeep, pnl.executions) == (1, 0)
            assert pnl.live.executions == 3

    sending.run(work)


def test_what_came_to_the_wallet_by_no_transaction_of_ours_is_told_and_no_profit(
    sending: SendingWorld, settings: LedgerSettings
) -> None:
    async def work(desk: ChainDesk) -> None:
        async with at_work(sending, settings, desk) as whole:
            async with booking_engine.running(whole.ledger, whole.sender) as engine:
                await whole.blocks(2)
                await whole.compared(engine)
            sending.world.rpc.ask("anvil_setBalance", sending.wallet, hex(125 * 10**16))
            for _ in range(2):
                async with booking_engine.running(whole.ledger, whole.sender) as engine:
                    await whole.blocks(1)
                    await whole.compared(engine)
                    await until(lambda: engine.outbox.waiting == 0)
                    assert engine.live[WALLET] == Decimal("1.25")
            (told,) = await whole.troubles()
            assert desk.seen is not None
            block = desk.seen.block
            rpc, usdc = sending.world.rpc, sending.world.token("USDC").address
            shown = []
            for weth_raw, usdc_raw in ((5 * 10**17, 3 * 10**6), (5 * 10**17, 0)):
                rpc.ask("anvil_dealERC20", sending.wallet, sending.weth, hex(weth_raw))
                rpc.ask("anvil_dealERC20", sending.wallet, usdc, hex(usdc_raw))
                async with booking_engine.running(whole.ledger, whole.sender) as engine:
                    await whole.blocks(1)
                    await whole.compared(engine)
                    await until(lambda: engine.outbox.waiting == 0)
                    shown.append(dict(engine.live))
            pnl = await whole.pnl()

        # What wraps the coin is the coin; of what the wallet once had it is told that it is gone.
        assert shown == [
            {WALLET: Decimal("1.75"), DOLLARS: Decimal(3)},
            {WALLET: Decimal("1.75"), DOLLARS: Decimal(0)},
        ]
        assert told.matter is Matter.BALANCE
        assert "0.25 more came than by any transaction of ours" in told.what
        assert f"block {block - 1}" in told.what
        assert pnl.live.net_usd == 0

    sending.run(work)


def test_nothing_is_said_of_a_block_that_holds_what_was_not_told_yet(
    sending: SendingWorld, settings: LedgerSettings
) -> None:
    sending.gap()
    plan = sending.plan("0.5", seconds=600)
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> Any:
        async with at_work(sending, settings, desk) as whole:
            await whole.hand_over(plan)
            await desk.step()
            sending.world.mine()  # it landed, one block deep: two are needed until it is told
            desk.wants_wallet = True
            await desk.step()
            before = desk.seen
            await whole.blocks(1)
            desk.wants_wallet = True
            await desk.step()
            return before, desk.seen

    before, after = sending.run(work)

    assert before is None
    assert after is not None
    assert after.told == 1
