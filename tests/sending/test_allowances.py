"""What was allowed is found and believed as the chain has it, and taken back by one call alone."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from engine.bus.allowances import AllowanceLine, AllowancesReport
from engine.bus.report import Declined
from engine.bus.work_reports import WorkDone
from engine.domain.signing import RefusalKind, SignRefusal
from engine.sending.allowances import AllowanceLook
from engine.sending.desk import ChainDesk
from engine.sending.encoding import APPROVE
from engine.wiring.allowances import allowances_of, revoke
from tests.chains.included import included
from tests.sending.sending_world import CHAIN, OWNER, SendingWorld

pytestmark = pytest.mark.slow

SPENDER, OTHER = "0x" + "77" * 20, "0x" + "88" * 20
ALL = 2**256 - 1


def approve(sending: SendingWorld, owner: str, spender: str, raw: int) -> None:
    """Let an owner allow something, as whoever had its key could have."""
    rpc = sending.world.rpc
    rpc.ask("anvil_impersonateAccount", owner)
    rpc.ask("anvil_setBalance", owner, hex(10**18))
    data = APPROVE + int(spender, 16).to_bytes(32) + raw.to_bytes(32)
    sent = {"from": owner, "to": sending.weth, "data": "0x" + data.hex()}
    included(rpc, rpc.ask("eth_sendTransaction", sent))
    rpc.ask("anvil_stopImpersonatingAccount", owner)


def allowed(sending: SendingWorld, owner: str, spender: str) -> int:
    found = sending.world.hands(1).read(
        sending.weth, "allowance(address,address)", ("uint256",), owner, spender
    )
    return int(found)


def looks(sending: SendingWorld, desk: ChainDesk) -> dict[str, AllowanceLook]:
    owners = (sending.wallet, sending.contract)
    return {CHAIN: AllowanceLook(node=desk.view._node, owners=owners)}


async def revoked(
    sending: SendingWorld, desk: ChainDesk, line: AllowanceLine
) -> WorkDone | Declined:
    """Take an allowance back while the desk works, as the role does."""
    wake, stepped = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        while True:
            await desk.step()
            stepped.set()
            sending.world.mine()

    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(work())
        reply = await revoke(desk, wake, stepped, line=line, chain=CHAIN)
        working.cancel()
    for _ in range(3):
        sending.world.mine()
        await desk.step()
    return reply


def test_what_wallet_and_contract_allow_is_shown_at_its_block_and_taken_back(
    sending: SendingWorld,
) -> None:
    owner = sending.world.hands(OWNER)
    owner.send(sending.contract, "setGuardian(address,bool)", sending.wallet, True)
    owner.flush()
    approve(sending, sending.wallet, SPENDER, ALL)
    approve(sending, sending.wallet, OTHER, 5 * 10**17)
    approve(sending, sending.contract, OTHER, 10**18)
    approve(sending, sending.contract, SPENDER, 10**18)
    approve(sending, sending.contract, SPENDER, 0)  # its log is there, the allowance is not
    approve(sending, sending.world.made.accounts[6], SPENDER, ALL)  # not ours
    sending.refusal = SignRefusal(kind=RefusalKind.KILLED, detail="killed")
    replies: list[Any] = []

    async def acting(desk: ChainDesk) -> tuple[AllowancesReport, AllowancesReport]:
        desks = {CHAIN: desk}
        before = await allowances_of(looks(sending, desk), desks)
        for line in before.chains[0].given:
            reply = await revoked(sending, desk, line)
            replies.append(reply)
        return before, await allowances_of(looks(sending, desk), desks)

    before, after = sending.run(acting)

    (chain,) = before.chains
    found = {(one.by, one.spender): one for one in chain.given}
    assert set(found) == {("wallet", SPENDER), ("wallet", OTHER), ("contract", OTHER)}
    assert found["wallet", SPENDER].is_unlimited
    assert not found["wallet", OTHER].is_unlimited
    assert found["wallet", OTHER].symbol == "WETH"
    assert str(found["wallet", OTHER].amount) == "0.500000000000000000"
    assert 0 < chain.block <= int(sending.world.head()["number"], 16)
    assert chain.looked == 4
    assert [type(one) for one in replies] == [WorkDone] * 3
    assert after.chains[0].given == []
    assert after.chains[0].looked == 4
    assert allowed(sending, sending.wallet, SPENDER) == 0
    assert allowed(sending, sending.contract, OTHER) == 0
    assert allowed(sending, sending.world.made.accounts[6], SPENDER) == ALL


def test_what_is_no_address_is_declined_and_nothing_is_signed(sending: SendingWorld) -> None:
    line = AllowanceLine(
        token="0xnone",
        symbol="X",
        by="wallet",
        spender=SPENDER,
        amount=Decimal(1),
        is_unlimited=False,
    )

    async def acting(desk: ChainDesk) -> WorkDone | Declined:
        return await revoke(desk, asyncio.Event(), asyncio.Event(), line=line, chain=CHAIN)

    reply = sending.run(acting)

    assert isinstance(reply, Declined)
    assert sending.count() == 0
