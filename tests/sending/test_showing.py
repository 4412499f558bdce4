"""What a person is shown of transactions is what the table and the chain have."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.bus.sending_reports import ContractLine, TransactionsReport
from engine.domain.modes import Basis
from engine.domain.told import Fate, TransactionNews
from engine.sending.desk import ChainDesk
from engine.sending.showing import EXPLORERS, ContractLook, transactions_report
from tests.sending.sending_world import CHAIN, SendingWorld

pytestmark = pytest.mark.slow


def report(sending: SendingWorld, *, is_local: bool = True) -> TransactionsReport:
    return transactions_report(sending.table, basis=Basis.SANDBOX_LIVE, most=5, is_local=is_local)


def send(sending: SendingWorld, plan: Any) -> None:
    async def acting(desk: ChainDesk) -> None:
        desk.table.hand_over(sending.handed(plan))
        await desk.step()
        for _ in range(8):
            sending.world.mine()
            await desk.step()

    sending.run(acting)


def test_a_transaction_that_earned_is_shown_with_what_its_receipt_and_news_say(
    sending: SendingWorld,
) -> None:
    sending.gap()
    plan = sending.plan()
    before = sending.kept_raw()
    send(sending, plan)

    (line,) = report(sending).transactions
    receipt = sending.world.rpc.ask("eth_getTransactionReceipt", line.hash)
    cost_wei = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)

    assert (line.ref, line.chain, line.fate, line.state) == (
        plan.plan_id,
        CHAIN,
        "succeeded",
        "final",
    )
    assert line.block == int(receipt["blockNumber"], 16)
    assert line.cost == Decimal(cost_wei).scaleb(-18)
    assert line.gain == Decimal(sending.kept_raw() - before).scaleb(-18)
    assert line.explorer_url == ""
    (of_a_real_one,) = report(sending, is_local=False).transactions
    assert of_a_real_one.explorer_url == EXPLORERS[CHAIN] + line.hash


def test_plans_that_were_never_sent_are_counted_with_the_newest_cause(
    sending: SendingWorld,
) -> None:
    for number, why in enumerate(("too late", "too dear")):
        news = TransactionNews(client_order_id=f"p{number}", version=1, fate=Fate.NEVER, why=why)
        sending.table.tell(news)

    shown = report(sending)

    assert (shown.unsent, shown.unsent_why, shown.count) == (2, "too dear", 0)


def test_the_contract_is_shown_as_its_node_has_it(sending: SendingWorld) -> None:
    def look(**changes: Any) -> ContractLine:
        async def acting(desk: ChainDesk) -> ContractLine:
            known = ContractLook(
                node=desk.view._node,
                table=sending.table,
                chain=CHAIN,
                wallet=sending.wallet,
                contract=sending.contract,
                wanted_hash=sending.code_hash,
                wrapped=sending.weth,
            )
            return await replace(known, **changes).look()

        found: ContractLine = sending.run(acting)
        return found

    line = look()
    assert line.trouble == ""
    assert (line.recovery, line.is_executor, line.is_paused) == (sending.recovery, True, False)
    assert line.earned == {"WETH": Decimal(sending.kept_raw()).scaleb(-18)}
    assert line.wallet_coins == 1
    assert "not what the settings name" in look(wanted_hash="0x" + "11" * 32).trouble
    assert look(contract="0x" + "77" * 20).trouble == "there is no code"
