"""What the role that sends answers of allowances: what was given, and the taking back of one."""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from engine.bus.allowances import AllowanceLine, AllowancesLine, AllowancesReport
from engine.bus.report import Declined
from engine.bus.work_reports import WorkDone
from engine.chains.ports import NodeError
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.sending.allowances import AllowanceLook, Given
from engine.sending.beginnings import REVOKING, Protection
from engine.sending.desk import ChainDesk
from engine.sending.encoding import disallow_calldata, revoke_calldata

SIGN_S: Final = 6.0
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}")


async def allowances_of(
    looks: Mapping[str, AllowanceLook], desks: Mapping[str, ChainDesk]
) -> AllowancesReport:
    """Return what holds on all chains; the trouble of one is part of it."""
    chains = []
    for chain, look in looks.items():
        wallet, contract = desks[chain].terms.wallet, desks[chain].terms.route.contract
        try:
            found = await look.look()
        except (NodeError, BadValueError) as error:
            chains.append(AllowancesLine(chain=chain, trouble=f"its nodes do not say: {error}"))
            continue
        chains.append(
            AllowancesLine(
                chain=chain,
                block=found.block,
                since=found.since,
                looked=found.looked,
                left_out=found.left_out,
                given=[_line(one, wallet=wallet, contract=contract) for one in found.given],
            )
        )
    return AllowancesReport(basis=Basis.SANDBOX_LIVE, chains=chains)


async def revoke(
    desk: ChainDesk, wake: asyncio.Event, stepped: asyncio.Event, *, line: AllowanceLine, chain: str
) -> WorkDone | Declined:
    """Have an allowance taken back: by the token itself, or by our contract.

    Args:
        desk: of the chain.
        wake: makes the desk take a step.
        stepped: is set when it has.
        line: what is to be taken back.
        chain: where.
    """
    for address in (line.token, line.spender):
        if not _ADDRESS.fullmatch(address):
            return Declined(why=f"{address[:50]!r} is no address: 0x and 40 small digits")
    if line.by == "contract":
        data, to = revoke_calldata(line.token, line.spender), desk.terms.route.contract
    else:
        data, to = disallow_calldata(line.spender), line.token
    key = data + bytes.fromhex(to[2:])
    before = desk.protecting.get(key)
    what = Protection(REVOKING, to, data)
    desk.protections.append(what)
    wake.set()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SIGN_S):
            while True:
                ref = desk.protecting.get(key)
                life = None if ref in {None, before} else desk.table.life_of(str(ref))
                if life is not None and life.attempts:
                    return WorkDone(
                        text=f"{chain}: revoking by {life.hashes[-1]}; /allowances shows it"
                    )
                stepped.clear()
                await stepped.wait()
    with contextlib.suppress(ValueError):
        desk.protections.remove(what)
    return Declined(why=f"the revoke on {chain} is not signed yet: /tx, then ask again")


def _line(given: Given, *, wallet: str, contract: str) -> AllowanceLine:
    return AllowanceLine(
        token=given.token,
        symbol=given.symbol,
        by="contract" if given.owner == contract else "wallet" if given.owner == wallet else "?",
        spender=given.spender,
        amount=Decimal(given.raw).scaleb(-given.decimals),
        is_unlimited=given.is_unlimited,
    )
