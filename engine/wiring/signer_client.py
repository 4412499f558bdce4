"""What the role `sender` asks the signer for: the wallet, signatures, who let a contract run."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from engine.bus.request import Caller
from engine.bus.signing import LookUpLetRun, Rehearse, SignRequest, WalletsReport
from engine.domain.errors import BadValueError, TransientError
from engine.domain.signing import Signed, SigningIntent, SignRefusal
from engine.domain.told import Asked
from engine.requests.wallets import GetWallets

log = logging.getLogger(__name__)

RETRY_S: Final = 0.5
REHEARSE_S: Final = 0.2


async def wallet_known_to(signer: Caller) -> str:
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
    """Ask the signer whether a person let a contract run again; see `sender_answers.Vouched`."""
    try:
        await signer.call(LookUpLetRun(chain=asked.chain, command_id=asked.command_id))
    except (BadValueError, TransientError) as error:
        return f"the signer: {error}"
    return ""


async def signed_by(signer: Caller, intent: SigningIntent) -> Signed | SignRefusal:
    """Ask the signer; see `sending.signatures.Ask`."""
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
