"""A signer elsewhere: a node that holds accounts, and servers that lie or fail."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from eth_account import Account

from engine.domain.errors import SettingsError
from engine.domain.signing import UnsignedTransaction
from engine.sandbox.world.anvil import running_anvil
from engine.sandbox.world.packages import NoWorldError, anvil_path
from engine.sandbox.world.rpc import Rpc
from engine.signing.curve import LocalKey
from engine.signing.remote import RemoteWallet
from engine.signing.wallet import KeyTroubleError, LocalWallet
from tests.signing.others import as_others_write

KEY = LocalKey(b"\x07" * 32)
ONE = UnsignedTransaction(
    chain_id=8_453,
    nonce=0,
    to="0x" + "22" * 20,
    value_wei=0,
    gas_limit=50_000,
    max_fee_per_gas_wei=3_000_000_000,
    max_priority_fee_per_gas_wei=1_000_000_000,
    data=b"\x01\x02\x03\x04",
)


def has_node() -> bool:
    try:
        return anvil_path().is_file()
    except NoWorldError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not has_node(), reason="there is no local chain's node here")
async def test_a_node_signs_what_it_then_takes_into_a_block() -> None:
    with running_anvil(chain_id=8_453) as node, Rpc(node.url) as rpc:
        address = rpc.ask("eth_accounts")[0].lower()
        wallet = RemoteWallet(node.url, address)
        try:
            await wallet.check()
            raw = await wallet.sign(ONE)
            found = rpc.ask("eth_sendRawTransaction", "0x" + raw.hex())
            rpc.ask("evm_mine")
            receipt = rpc.ask("eth_getTransactionReceipt", found)
            stranger = RemoteWallet(node.url, KEY.address)
            with pytest.raises(KeyTroubleError, match="holds no key of 0x"):
                await stranger.check()
            with pytest.raises(KeyTroubleError, match="the remote signer refuses"):
                await stranger.sign(ONE)
            await stranger.aclose()
        finally:
            await wallet.aclose()
    assert receipt["status"] == "0x1"
    assert Account.recover_transaction(raw).lower() == receipt["from"] == address


Answer = Callable[[dict[str, Any]], Awaitable[web.Response]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        return await answer(await request.json())

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def _signed(one: UnsignedTransaction, key: LocalKey = KEY) -> str:
    return "0x" + (await LocalWallet(key).sign(one)).hex()


def _other(**changes: Any) -> UnsignedTransaction:
    fields = {name: getattr(ONE, name) for name in ONE.__struct_fields__}
    return UnsignedTransaction(**{**fields, **changes})


@pytest.mark.parametrize("has_form_of_geth", [False, True])
async def test_what_it_signed_is_taken_in_either_form_of_answer(*, has_form_of_geth: bool) -> None:
    asked: list[dict[str, Any]] = []

    async def answer(request: dict[str, Any]) -> web.Response:
        asked.append(request)
        raw = await _signed(ONE)
        return web.json_response(
            {"jsonrpc": "2.0", "id": 1, "result": {"raw": raw} if has_form_of_geth else raw}
        )

    async with answering(answer) as url:
        wallet = RemoteWallet(url, KEY.address)
        raw = await wallet.sign(ONE)
        await wallet.aclose()
    assert raw == bytes(
        Account.sign_transaction(as_others_write(ONE), b"\x07" * 32).raw_transaction
    )
    (params,) = asked[0]["params"]
    assert asked[0]["method"] == "eth_signTransaction"
    assert (params["from"], params["nonce"], params["chainId"]) == (KEY.address, "0x0", "0x2105")


@pytest.mark.parametrize(
    "lie",
    [
        _other(to="0x" + "33" * 20),
        _other(value_wei=1),
        _other(max_fee_per_gas_wei=4_000_000_000),
        _other(chain_id=1),
        _other(data=b""),
        _other(nonce=1),
    ],
)
async def test_another_transaction_than_was_asked_for_is_refused(lie: UnsignedTransaction) -> None:
    async def answer(_: dict[str, Any]) -> web.Response:
        return web.json_response({"result": await _signed(lie)})

    await _is_refused(answer, "it was signed by 0x")


async def test_another_wallets_signature_is_refused() -> None:
    async def answer(_: dict[str, Any]) -> web.Response:
        return web.json_response({"result": await _signed(ONE, LocalKey(b"\x08" * 32))})

    await _is_refused(answer, "it was signed by 0x")


async def test_the_right_signature_under_another_transaction_is_refused() -> None:
    async def answer(_: dict[str, Any]) -> web.Response:
        raw = bytearray(bytes.fromhex((await _signed(ONE))[2:]))
        raw[raw.index(b"\x22" * 20)] = 0x23
        return web.json_response({"result": "0x" + raw.hex()})

    await _is_refused(answer, "signed another transaction")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no json", "answers no JSON"),
        (b"[" * 50_000, "answers no JSON"),
        (b"[]", "refuses"),
        (b'{"error": {"message": "locked"}}', "refuses: locked"),
        (b'{"error": 5}', "refuses: 5"),
        (b'{"result": null}', "no signed transaction"),
        (b'{"result": "0x"}', "no signed transaction"),
        (b'{"result": "0x02c0"}', "no signed transaction"),
        (b'{"result": "0x02zz"}', "no signed transaction"),
        (b'{"result": {"raw": 7}}', "no signed transaction"),
        (b'{"result": "0x02c3c0c0c0"}', "signed by nobody"),
    ],
)
async def test_whatever_else_it_answers_is_a_refusal_in_words(content: bytes, says: str) -> None:
    async def answer(_: dict[str, Any]) -> web.Response:
        return web.Response(body=content)

    await _is_refused(answer, says)


async def _is_refused(answer: Answer, says: str) -> None:
    async with answering(answer) as url:
        wallet = RemoteWallet(url, KEY.address)
        with pytest.raises(KeyTroubleError, match=says):
            await wallet.sign(ONE)
        await wallet.aclose()


async def test_a_signer_that_is_away_is_a_refusal_in_words() -> None:
    async with answering(lambda _: _never()) as url:
        pass
    wallet = RemoteWallet(url, KEY.address)
    with pytest.raises(KeyTroubleError, match="does not answer"):
        await wallet.sign(ONE)
    await wallet.aclose()


async def _never() -> web.Response:
    raise AssertionError


@pytest.mark.parametrize(
    "url", ["http://signer.example.org", "ftp://127.0.0.1/", "127.0.0.1:8545", "https://"]
)
def test_nothing_is_asked_of_another_machine_in_the_clear(url: str) -> None:
    with pytest.raises(SettingsError, match="must be https"):
        RemoteWallet(url, KEY.address)
