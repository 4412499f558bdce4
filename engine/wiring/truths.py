"""What goes on beside sending: looking back at trades, and giving what they were to the ledger."""

import asyncio
import logging
from typing import Final

from engine.bus.request import Caller
from engine.bus.truths import KeepTruths
from engine.domain.errors import BadValueError, TransientError
from engine.domain.modes import Basis
from engine.sending.truth_desk import TruthDesk
from engine.sending.truth_table import TruthTable

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0


async def look_back(desk: TruthDesk) -> None:
    """Work out what trades were, for ever.

    Raises:
        FatalError: a table cannot be used.
    """
    while True:
        try:
            await desk.step()
        except TransientError as error:
            log.info("%s: what trades were has to wait: %s", desk.chain, error)
        await asyncio.sleep(LOOK_S)


async def give_truths(
    truths: TruthTable, ledger: Caller, basis: Basis = Basis.SANDBOX_LIVE
) -> None:
    """Give the ledger what it does not have yet, for ever.

    Raises:
        FatalError: the table cannot be used.
    """
    while True:
        await give_once(truths, ledger, basis)
        await asyncio.sleep(LOOK_S)


async def give_once(truths: TruthTable, ledger: Caller, basis: Basis = Basis.SANDBOX_LIVE) -> None:
    """Give the ledger what it does not have yet; what it says nothing to is given again."""
    waiting = truths.unkept()
    if not waiting:
        return
    truths_of = [content for _, content in waiting]
    try:
        await ledger.call(KeepTruths(truths=truths_of, basis=basis))
    except TransientError as error:
        log.info("the ledger does not take what trades were: %s", error)
        return
    except BadValueError as error:
        log.warning("the ledger refuses what trades were: %s", error)
    truths.kept([number for number, _ in waiting])
