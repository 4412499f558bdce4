"""The chain of the crash campaigns answers what a sender asks as a real node does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.chains.ports import Json, NodeError
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.pool import open_pool
from engine.connectors.outbound import open_outbound
from engine.domain.signing import UnsignedTransaction
from engine.sending.calls import parse_answer
from engine.sending.facts import Attempt, Life
from engine.sending.fees import Bid
from engine.sending.view import Batches, ChainView
from engine.signing.curve import LocalKey
from engine.signing.transactions import hash_of
from engine.signing.wallet import LocalWallet
from tests.sending.crashes.world import CrashWorld
from tests.sending.sending_world import SendingWorld

pytestmark = pytest.mark.slow

GWEI = 10**9
TOO_FEW_WEI = 1


@dataclass
class Side:
    """A chain, and how it is moved on."""

    node: Batches
    key: LocalKey
    chain_id: int
    mine: Callable[[], None]
    reorganise: Callable[[int], None]
    forget: Callable[[], None]
    funds_wei: int

    async def seen(self) -> list[object]:
        """Go through the same turns; return what a sender learns at each."""
        view = ChainView(self.node, wallet=self.key.address)
        start = (await view.head()).number
        self.found: list[object] = []
        self.view, self.start = view, start
        first = await self.send(0, 20)
        await self.send(0, 20)
        await self.send(0, 15)
        second = await self.send(0, 40)
        await self.look("replaced", 0, first, second)
        third = await self.send(2, 20)
        self.mine()
        await self.look("mined", 0, first, second)
        await self.look("waits for the nonce before it", 2, third)
        await self.send(0, 80)
        await self.send(1, TOO_FEW_WEI / GWEI)
        await self.send(1, self.funds_wei / 21_000 / GWEI * 2)
        fourth = await self.send(1, 20)
        self.mine()
        await self.look("both", 1, fourth)
        await self.look("both", 2, third)
        self.reorganise(1)
        self.forget()
        await self.look("gone", 1, fourth)
        await self.look("stays", 0, second)
        await self.send(1, 20)
        self.forget()
        await self.look("forgotten", 1, fourth)
        await self.send(1, 20)
        self.mine()
        await self.look("again", 1, fourth)
        self.found.append(await self.balance_is_what_gas_left())
        self.found.append(await self.shapes(second))
        return self.found

    async def send(self, nonce: int, gwei: float) -> Attempt:
        fee_wei = int(gwei * GWEI)
        one = UnsignedTransaction(
            chain_id=self.chain_id,
            nonce=nonce,
            to=self.key.address,
            value_wei=0,
            gas_limit=21_000,
            max_fee_per_gas_wei=fee_wei,
            max_priority_fee_per_gas_wei=min(fee_wei, GWEI * int(gwei) // 10),
            data=b"",
        )
        raw = await LocalWallet(self.key).sign(one)
        [said] = await self.node.batch([("eth_sendRawTransaction", ("0x" + raw.hex(),))])
        answer, _ = parse_answer(said if isinstance(said, NodeError) else None)
        self.found.append(("sent", nonce, gwei > 100, answer))
        bid = Bid(gas_limit=21_000, fee_wei=max(fee_wei, 1), tip_wei=0)
        return Attempt(bid=bid, is_cancel=True, at_block=0, hash=hash_of(raw), raw=raw)

    async def look(self, what: str, nonce: int, *attempts: Attempt) -> None:
        head = await self.view.head()
        life = Life(
            client_order_id="one",
            chain_id=self.chain_id,
            wallet=self.key.address,
            nonce=nonce,
            deadline_ts=0,
            attempts=attempts,
        )
        look = await self.view.look(life, head)
        landed = look.landed
        self.found.append(
            (
                what,
                head.number - self.start,
                look.count,
                sorted(life.hashes.index(one) for one in look.waiting),
                landed
                and (
                    life.hashes.index(landed.hash),
                    landed.block - self.start,
                    landed.is_success,
                    landed.gas_used,
                ),
            )
        )

    async def ask(self, method: str, *params: Json) -> Json:
        [answer] = await self.node.batch([(method, params)])
        assert not isinstance(answer, NodeError)
        return answer

    async def balance_is_what_gas_left(self) -> bool:
        spent_wei = 0
        head = await self.view.head()
        for number in range(self.start + 1, head.number + 1):
            block: Any = await self.ask("eth_getBlockByNumber", hex(number), False)
            for one in block["transactions"]:
                receipt: Any = await self.ask("eth_getTransactionReceipt", one)
                spent_wei += int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        return await self.view.balance_wei() == self.funds_wei - spent_wei

    async def shapes(self, one: Attempt) -> list[object]:
        asked: Sequence[tuple[str, Sequence[Json]]] = [
            ("eth_getTransactionReceipt", (one.hash,)),
            ("eth_getTransactionReceipt", ("0x" + "77" * 32,)),
            ("eth_getTransactionByHash", (one.hash,)),
            ("eth_getTransactionByHash", ("0x" + "77" * 32,)),
            ("eth_getBlockByNumber", (hex(10**6), False)),
            ("eth_getBlockByNumber", (hex(self.start + 1), True)),
        ]
        receipt, no_receipt, body, no_body, no_block, block = await self.node.batch(asked)
        assert isinstance(receipt, dict)
        assert isinstance(body, dict)
        assert isinstance(block, dict)
        whole: Any = block["transactions"]
        return [
            [receipt[name] for name in ("transactionHash", "from", "to", "status", "logs")],
            [body[name] for name in ("hash", "nonce", "from", "to")],
            body["blockHash"] == receipt["blockHash"] == block["hash"],
            [(each["hash"], each["from"], each["nonce"]) for each in whole],
            (no_receipt, no_body, no_block),
        ]


async def test_the_model_tells_a_sender_what_anvil_tells_it(
    sending: SendingWorld, tmp_path: Path
) -> None:
    world = sending.world
    world.automine(False)
    key = sending.key
    real_funds = int(world.rpc.ask("eth_getBalance", sending.wallet, "latest"), 16)
    access = Access(name="local", host="127.0.0.1", http_url=world.node.url, socket_url=None)
    async with open_outbound(None) as way, open_pool([access], way) as pool:
        real = await Side(
            node=pool,
            key=key,
            chain_id=world.world.chain_id,
            mine=world.mine,
            reorganise=world.reorg,
            forget=lambda: world.rpc.ask("anvil_dropAllTransactions"),
            funds_wei=real_funds,
        ).seen()

    (tmp_path / "model").mkdir()
    made = CrashWorld(tmp_path / "model", seed=1)
    made.chain.wallet = key.address
    model = await Side(
        node=made.chain,
        key=key,
        chain_id=world.world.chain_id,
        mine=lambda: made.chain.mine(most=9),
        reorganise=lambda depth: made.chain.reorganise(depth, keeps=False),
        forget=made.chain.queue.clear,
        funds_wei=made.chain.funds_wei,
    ).seen()
    made.close()

    for one, other in zip(model, real, strict=True):
        assert one == other
