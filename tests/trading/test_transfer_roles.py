"""A transfer through the real roles, each a process: a person's word, signer, trader, two venues.

`make test-long` runs it, with kills of both roles on the way.
"""

import asyncio
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from engine.bus.report import Declined
from engine.bus.signing import HearWord
from engine.bus.transfer_reports import TransferLine
from engine.bus.transferring import GetTransfers, GetTransferTerms, TakeOnTransfer
from engine.domain.errors import BadValueError
from engine.domain.transfer_life import TransferOrder
from engine.domain.words import TransferAllowed, sealed_word
from tests.patience import PATIENCE_S
from tests.sandbox.exchange.funded import destination
from tests.signing.saying import WORD_KEY
from tests.trading.processes import Roles, running

pytestmark = [pytest.mark.slow, pytest.mark.campaign, pytest.mark.timeout(300)]

TO = destination("kraken")
ELSEWHERE = structs.replace(TO, address=destination("gemini").address)
SETTINGS = {
    "SYNDICATE_TRANSFERS_VENUES": "binance",
    "SYNDICATE_TRANSFERS_EACH": "BTC=0.5",
    "SYNDICATE_TRANSFERS_DAY": "BTC=0.5",
    "SYNDICATE_TRANSFERS_TEST": "BTC=0.01",
    "SYNDICATE_TRANSFERS_DELAY_S": "1",
    "SYNDICATE_EXCHANGES_DESTINATIONS": f"kraken/BTC/bitcoin={TO.address}",
}


async def terms(roles: Roles) -> TransferOrder:
    """Ask for the terms until they can be had."""

    async def ask() -> TransferOrder | None:
        asked = GetTransferTerms(
            source="binance", target="kraken", asset="BTC", amount=Decimal("0.2")
        )
        return (await roles.ask(asked)).order

    found: TransferOrder = await roles.until(ask, "there never were terms")
    return replace(found, transfer_id=f"t{time.time_ns()}")


def said(order: TransferOrder) -> HearWord:
    word = TransferAllowed(engine="main", by="ann", at_ns=time.time_ns(), order=order)
    return HearWord(word=sealed_word(word, WORD_KEY))


async def ended(roles: Roles) -> TransferLine:
    """Wait until the newest transfer has ended."""
    async with asyncio.timeout(3 * PATIENCE_S):
        while True:
            (line, *_) = (await roles.ask(GetTransfers(most=1))).lines
            if not line.is_open:
                return line
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("killed", ["", "trader", "signer"])
async def test_a_transfer_is_allowed_tested_sent_and_credited_once_whoever_is_killed(
    tmp_path: Path, killed: str
) -> None:
    async with running(tmp_path, "binance", "kraken", **SETTINGS) as roles:
        await roles.until_open()
        order = await terms(roles)
        assert order.destination == TO
        doors = roles.sandbox.accounts.doors
        had = doors["kraken"].exchange.balances["BTC"].free

        other = replace(order, destination=ELSEWHERE)
        with pytest.raises(BadValueError, match="SYNDICATE_EXCHANGES_DESTINATIONS"):
            await roles.ask(said(other))
        await roles.ask(said(order))
        await roles.ask(TakeOnTransfer(order=order, engine="main", by="ann"))
        if killed:
            await roles.until(lambda: left(roles), "its test never left")
            roles.kill(killed)
            roles.start(killed)
        line = await ended(roles)

        funding = doors["binance"].funding
        assert line.state == "arrived"
        assert [one.amount for one in funding.withdrawals] == [Decimal("0.01"), Decimal("0.19")]
        fees = 2 * funding.fee("BTC")
        assert line.arrived == Decimal("0.2") - fees
        assert doors["kraken"].exchange.balances["BTC"].free - had == line.arrived
        await roles.until_open()
        again = await roles.ask(TakeOnTransfer(order=order, engine="main", by="ann"))
        assert not isinstance(again, Declined)
        assert len(funding.withdrawals) == 2
        with pytest.raises(BadValueError, match="its id already"):
            await roles.ask(said(order))


async def left(roles: Roles) -> bool:
    await asyncio.sleep(0.02)
    return bool(roles.sandbox.accounts.doors["binance"].funding.withdrawals)
