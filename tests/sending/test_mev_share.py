"""Hints of private transactions are read whole or refused, and a bundle stands right behind one."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from eth_account import Account
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import BadValueError, TransientError
from engine.sandbox.relay.auction import Auction
from engine.sandbox.relay.builder import Builder
from engine.sandbox.relay.shared import SharedTransactions, hint_hash
from engine.sandbox.relay.transactions import parse_transaction
from engine.sandbox.world.swaps import Order
from engine.sending.encoding import calldata
from engine.sending.facts import Answer
from engine.sending.mev_share import LINE_BYTES_MAX, Hint, HintCall, hints, parse_hint
from engine.sending.relay import Relay
from engine.sending.routes import route_of
from tests.chains.conftest import start_local
from tests.sandbox.relay.searcher import Searcher, signed_swap
from tests.sending.sending_world import ARTIFACT, CHAIN, SECRET, SendingWorld
from tests.sending.test_sealed_bids import RIVAL, SealedWorld

HASH = "0x" + "c7" * 32
SHOWN = (
    b'{"hash":"0xc7dc06c994400830054ab815732d91275bc1241f9be62b62b687b7882f19b8d4","logs":null,'
    b'"txs":[{"to":"0x0000c335bc9d5d1af0402cad63fa7f258363d71a","functionSelector":"0x696d2073",'
    b'"callData":"0x696d20736861726969696969696e67"}]}'
)
"""As the stream's own documentation shows one."""


def test_a_hint_as_the_stream_documents_it_is_read() -> None:
    hint = parse_hint(SHOWN)

    assert hint.hash.startswith("0xc7dc06c9")
    assert hint.calls == (
        HintCall(
            to="0x0000c335bc9d5d1af0402cad63fa7f258363d71a",
            selector=bytes.fromhex("696d2073"),
            data=bytes.fromhex("696d20736861726969696969696e67"),
        ),
    )
    assert (hint.logs, hint.touches, hint.gas_used) == ((), frozenset(), 0)


def test_events_of_a_hint_say_what_it_touches() -> None:
    log = {"address": "0x" + "AB" * 20, "topics": ["0x" + "01" * 32], "data": "0x"}
    said = {"hash": HASH, "logs": [log], "txs": None, "mevGasPrice": "0x5", "gasUsed": "0x5208"}

    hint = parse_hint(json.dumps(said).encode())

    assert hint.touches == {"0x" + "ab" * 20}
    assert (hint.gas_price_wei, hint.gas_used) == (5, 21_000)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"hash":"0x12"}',
        b'{"hash":5}',
        json.dumps({"hash": HASH, "logs": {}}).encode(),
        json.dumps({"hash": HASH, "logs": [{"address": "0x" + "ab" * 20}] * 257}).encode(),
        json.dumps({"hash": HASH, "logs": [{"address": "0x1", "topics": []}]}).encode(),
        json.dumps({"hash": HASH, "txs": [{"functionSelector": "0x12"}]}).encode(),
        json.dumps({"hash": HASH, "mevGasPrice": "0x" + "f" * 40}).encode(),
        b"[" * 100_000,
    ],
)
def test_what_is_no_hint_is_refused_in_a_sentence(text: bytes) -> None:
    with pytest.raises(BadValueError):
        parse_hint(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_hint_or_refused(text: bytes) -> None:
    with suppress(BadValueError):
        assert isinstance(parse_hint(text), Hint)


@asynccontextmanager
async def streaming(*pieces: bytes, kind: str = "text/event-stream") -> AsyncIterator[str]:
    """A stream that says this and ends."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        return response

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/"))


async def heard(url: str) -> tuple[list[Hint], list[str], str]:
    """Listen until it ends; return what was told, what was no hint, and why it ended."""
    found: list[Hint] = []
    bad: list[str] = []
    async with aiohttp.ClientSession() as session:
        stream = hints(url, session, on_bad=bad.append)
        while True:
            try:
                found.append(await anext(stream))
            except TransientError as error:
                return found, bad, str(error)


async def test_a_stream_in_any_pieces_tells_each_hint_once_and_goes_on_after_what_is_none() -> None:
    event = b"data: " + SHOWN + b"\n\n"
    async with streaming(
        b":ping\n\n", event[:50], event[50:], b"data: {}\n\n", b"event: x\n", event
    ) as url:
        found, bad, why = await heard(url)

    assert found == [parse_hint(SHOWN)] * 2
    assert len(bad) == 1
    assert why == "the stream of hints ended"


async def test_what_is_no_stream_or_has_no_end_of_line_is_left() -> None:
    async with streaming(b"hello", kind="text/html") as url:
        assert "no stream of hints" in (await heard(url))[2]
    async with streaming(b"data: " + b"x" * (LINE_BYTES_MAX + 10)) as url:
        assert "a line of more than" in (await heard(url))[2]
    assert "broke off" in (await heard("http://127.0.0.1:9/"))[2]


# ---- behind a private transaction at the sandbox's relay ----------------------------------------


class SharingWorld(SealedWorld):
    """The same, where somebody sends a large swap in private."""

    def begin(self) -> None:
        super().begin()
        self.builder = Builder(self.world.rpc, self.book, self.door.shared)
        self.auction = Auction(self.world.rpc, self.builder, self.auction.rivals)
        self.door.judged = self.builder.judged

    def large_swap(self) -> str:
        """Sign a swap that makes ETH cheap at the pair."""
        account = self.world.made.accounts[RIVAL]
        order = Order(self.pair, self.weth, self.world.token("USDC").address, 0, 1, account)
        amount_raw = self.world.raw("WETH", 30)
        signed = signed_swap(self.world.rpc, order._replace(amount_raw=amount_raw), tip_gwei=1)
        return "0x" + signed.raw.hex()

    def route_behind(self, raw: str) -> bytes:
        """Sign what takes the gap that a transaction leaves, as if that had landed."""
        rpc = self.world.rpc
        before = rpc.ask("evm_snapshot")
        rpc.ask("eth_sendRawTransaction", raw)
        self.world.mine()
        plan = self.plan(seconds=60)
        rpc.ask("evm_revert", before)
        return self.signed(calldata(route_of(plan, self.handed(plan).pools, self.route_terms())))

    def signed(self, data: bytes) -> bytes:
        made = Account.from_key(SECRET).sign_transaction(
            {
                "to": to_checksum_address(self.contract),
                "data": data,
                "value": 0,
                "gas": 600_000,
                "maxPriorityFeePerGas": 10**9,
                "maxFeePerGas": 200 * 10**9,
                "nonce": 0,
                "chainId": self.world.world.chain_id,
            }
        )
        return bytes(made.raw_transaction)


@pytest.fixture
def sharing(tmp_path: Path) -> Iterator[SharingWorld]:
    if not ARTIFACT.exists():
        pytest.skip("our contract is not compiled here")
    local = start_local(CHAIN, "--slots-in-an-epoch", "2", "--order", "fifo")
    made = SharingWorld(local, tmp_path)
    yield made
    made.close()
    local.close()


def private(sharing: SendingWorld, raw: str, *shares: str) -> dict[str, Any]:
    return {"tx": raw, "preferences": {"privacy": {"hints": ["hash", *shares]}}}


def test_only_what_its_sender_shares_is_told_and_not_its_own_hash() -> None:
    shared = SharedTransactions()
    queue = shared.listen()
    assert queue is not None
    one = parse_transaction(
        bytes.fromhex(Searcher(3).signed("0x" + "12" * 20, data="0x01020304")[2:])
    )
    log = {"address": "0x" + "34" * 20, "topics": [], "data": "0x"}

    for shares in ({"contract_address"}, {"function_selector", "logs"}):
        shared.put(one, last_block=9, shares=frozenset(shares), logs=[log])

    first, second = (parse_hint(queue.get_nowait()) for _ in range(2))
    assert first.hash == second.hash == hint_hash(one.hash) != one.hash
    assert (first.calls, first.logs) == ((HintCall(to=one.to),), ())
    assert second.calls == (HintCall(selector=bytes([1, 2, 3, 4])),)
    assert second.touches == {"0x" + "34" * 20}
    shared.leave(queue)
    shared.put(one, last_block=9, shares=frozenset(), logs=[])
    assert queue.empty()


@pytest.mark.slow
async def test_a_route_stands_right_behind_the_private_swap_that_its_hint_told(
    sharing: SharingWorld,
) -> None:
    raw = sharing.large_swap()
    ours = sharing.route_behind(raw)
    kept_raw = sharing.kept_raw()
    sharing.begin()
    user = Searcher(9, chain_id=sharing.world.world.chain_id)
    async with aiohttp.ClientSession() as session:
        relay = Relay(sharing.door.url, b"\x07" * 32, session)
        stream = hints(sharing.door.url, session, on_bad=lambda _: None)
        hearing = asyncio.ensure_future(anext(stream))
        while not sharing.door.shared._listeners:
            await asyncio.sleep(0)
        sent = await asyncio.to_thread(
            user.ask, sharing.door.url, "eth_sendPrivateTransaction", private(sharing, raw, "logs")
        )
        hint = await hearing
        alone = await relay.try_out([ours], block=sharing.book.head + 1)
        answer = await relay.send_behind(
            hint.hash, ours, block=sharing.book.head + 1, last_block=sharing.book.head + 2
        )
        unknown, why = await relay.send_behind(
            HASH, ours, block=sharing.book.head + 1, last_block=sharing.book.head + 1
        )
        await stream.aclose()
    await asyncio.to_thread(sharing.make)

    assert hint.hash == hint_hash(sent["result"])
    assert sharing.pair.address in hint.touches
    assert hint.calls == (), "nothing else was shared"
    assert "reverted" in alone.why
    assert answer == (Answer.TAKEN_IN, "")
    assert (unknown, "nothing waits" in why) == (Answer.REFUSED, True)
    first, second = sharing.world.head()["transactions"][:2]
    assert first == sent["result"]
    assert sharing.world.rpc.ask("eth_getTransactionReceipt", second)["from"] == sharing.wallet
    assert sharing.kept_raw() > kept_raw


@pytest.mark.slow
def test_a_private_swap_lands_alone_where_nobody_stands_behind_it_and_is_forgotten(
    sharing: SharingWorld,
) -> None:
    raw = sharing.large_swap()
    sharing.begin()
    user = Searcher(9, chain_id=sharing.world.world.chain_id)
    sent = user.ask(sharing.door.url, "eth_sendPrivateTransaction", private(sharing, raw))
    refused = user.ask(
        sharing.door.url, "eth_sendPrivateTransaction", private(sharing, raw, "everything")
    )
    sharing.make()

    assert sharing.world.head()["transactions"] == [sent["result"]]
    assert "hints are of" in refused["error"]["message"]
    assert sharing.door.shared.bundles(sharing.book.head + 1) == []
