"""A life of the sender in a process of its own: what it was handed, to its end or to its kill.

Real files, sockets and system calls: the nodes by HTTP, the signer by its socket, the table with
its syncs. The chain's time is what its newest block says.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from engine.bus.unix_socket import SocketCaller
from engine.chains.gas.rules import LOCAL_RULE
from engine.chains.ports import Json, NodeError
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.pool import ProviderPool, open_pool
from engine.connectors.outbound import open_outbound
from engine.domain.errors import TransientError
from engine.domain.handed import Handed
from engine.domain.plans import AtomicPlan
from engine.domain.told import Fate
from engine.sending.beginnings import DeskTerms
from engine.sending.calls import HeadNow
from engine.sending.desk import ChainDesk
from engine.sending.encoding import calldata
from engine.sending.nonces import NonceTable
from engine.sending.paths import OpenWay
from engine.sending.policies import LOCAL
from engine.sending.routes import gain_expected_raw, route_of
from engine.sending.simulating import Call, Simulated
from engine.sending.view import ChainView
from engine.wiring.sender_answers import SenderAnswers
from engine.wiring.signer_client import signed_by
from tests.sending.crashes.node import ROUTE_GAS
from tests.sending.crashes.world import NS, ROUTE_TERMS
from tests.signing.intents import CHAIN, NOW_NS

STEPS_MAX: Final = 400


class _Timed:
    """A node by whose newest block time goes."""

    def __init__(self, pool: ProviderPool) -> None:
        self._pool = pool
        self._ts = NOW_NS // NS

    def now_ns(self) -> int:
        return self._ts * NS

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        answers = await self._pool.batch(asked)
        for (_, params), answer in zip(asked, answers, strict=True):
            if params[0] == "latest" and isinstance(answer, dict):
                self._ts = int(str(answer["timestamp"]), 16)
        return answers


def live(table: Path, url: str, socket: Path, wallet: str, handed: Sequence[Handed]) -> None:
    """Take everything on and bring it to its end.

    Raises:
        AssertionError: it does not end.
    """
    asyncio.run(_live(table, url, socket, wallet, handed))


async def _live(path: Path, url: str, socket: Path, wallet: str, handed: Sequence[Handed]) -> None:
    table = NonceTable(path)
    answers = SenderAnswers(table)
    signer = SocketCaller(socket, role="signer")
    access = Access(name="model", host="127.0.0.1", http_url=url, socket_url=None)
    gains = {}
    for one in handed:
        assert isinstance(one.plan, AtomicPlan)
        route = route_of(one.plan, one.pools, ROUTE_TERMS)
        gains[calldata(route)] = gain_expected_raw(one.plan, route)

    async def simulate(
        head: HeadNow,
        contract: str,
        data: bytes,
        *,
        is_fresh: bool = False,
        first: Call | None = None,
    ) -> Simulated:
        del head, contract, is_fresh, first
        return Simulated(gain_raw=gains[data], tip_raw=0, gas_used=ROUTE_GAS)

    async with open_outbound(None) as way, open_pool([access], way) as pool:
        node = _Timed(pool)
        view = ChainView(node, wallet=wallet)
        desk = ChainDesk(
            terms=DeskTerms(
                chain=CHAIN, wallet=wallet, route=ROUTE_TERMS, policy=LOCAL, rule=LOCAL_RULE
            ),
            table=table,
            view=view,
            way=OpenWay(view),
            ask=partial(signed_by, signer),
            simulate=simulate,
            warn=lambda _sentence: None,
            now_ns=node.now_ns,
        )
        waiting = deque(handed)
        for _ in range(STEPS_MAX):
            if waiting:
                answers.take_on(waiting.popleft())
            elif _is_done(table, handed):
                await signer.aclose()
                return
            try:
                # All but the first are begun as of the block that the step before looked at.
                await desk.begin_at_once()
                desk.hear((await desk.step()).hash)
            except TransientError:
                continue
    raise AssertionError("it does not end")


def _is_done(table: NonceTable, handed: Sequence[Handed]) -> bool:
    if table.open_lives():
        return False
    told = [table.told.of(one.client_order_id) for one in handed]
    return all(one is not None and one.news.fate is not Fate.UNDONE for one in told)
