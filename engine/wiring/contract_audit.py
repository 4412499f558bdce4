"""Puts what people asked to have done to our contracts into the audit, each once."""

import asyncio
import logging
from typing import Final

from engine.bus.records import Append, ContractActRecord
from engine.bus.request import Caller
from engine.domain.errors import BadValueError, TransientError
from engine.wiring.sender_answers import SenderAnswers

log = logging.getLogger(__name__)

RETRY_S: Final = 0.5


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
