"""A relay on loopback: it knows who signed, simulates at a node, and puts bundles into blocks."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from eth_hash.auto import keccak
from eth_keys.datatypes import Signature

from engine.sandbox.world.rpc import NodeSaidNoError, Rpc


class RelayServer:
    """Takes bundles by signed requests; `build` puts those of the next block into it."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc = rpc
        self.bundles: dict[str, dict[str, Any]] = {}
        self.names: set[str] = set()
        self.refused = 0

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        name = signer_of(body, request.headers.get("X-Flashbots-Signature", ""))
        asked = json.loads(body)
        if name is None:
            self.refused += 1
            return _answer(asked, error="signature of the header is not of the body")
        self.names.add(name)
        (given,) = asked["params"]
        try:
            return _answer(asked, result=self.act(asked["method"], given))
        except NodeSaidNoError as error:
            return _answer(asked, error=str(error))

    def act(self, method: str, given: dict[str, Any]) -> Any:
        if method == "eth_sendBundle":
            self.bundles[given["replacementUuid"]] = given
            return {"bundleHash": "0x" + keccak(json.dumps(given).encode()).hex()}
        if method == "eth_cancelBundle":
            self.bundles.pop(given["replacementUuid"], None)
            return True
        assert method == "eth_callBundle"
        return self.simulate(given["txs"])

    def simulate(self, raws: list[str]) -> dict[str, Any]:
        """Put them into a block of a snapshot, and go back."""
        kept = self.rpc.ask("evm_snapshot")
        try:
            hashes = [self.rpc.ask("eth_sendRawTransaction", raw) for raw in raws]
            self.rpc.ask("anvil_mine", "0x1")
            receipts = [self.rpc.ask("eth_getTransactionReceipt", one) for one in hashes]
        finally:
            self.rpc.ask("evm_revert", kept)
        gas = [int(one["gasUsed"], 16) for one in receipts]
        return {
            "coinbaseDiff": "0",
            "totalGasUsed": sum(gas),
            "results": [
                {"gasUsed": used, **({} if one["status"] == "0x1" else {"revert": "reverted"})}
                for used, one in zip(gas, receipts, strict=True)
            ],
        }

    def build(self) -> None:
        """Make a block of the bundles that are for it."""
        number = int(self.rpc.ask("eth_blockNumber"), 16) + 1
        for name, bundle in list(self.bundles.items()):
            if int(bundle["blockNumber"], 16) == number:
                for raw in bundle["txs"]:
                    self.rpc.ask("eth_sendRawTransaction", raw)
                del self.bundles[name]
        self.rpc.ask("anvil_mine", "0x1")


@asynccontextmanager
async def serving_relay(relay: RelayServer) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/", relay.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/"))


def signer_of(body: bytes, header: str) -> str | None:
    """Return who signed a body, None if the header's address did not."""
    address, _, signature = header.partition(":0x")
    raw = bytes.fromhex(signature)
    if len(raw) != 65:
        return None
    text = ("0x" + keccak(body).hex()).encode()
    digest = keccak(b"\x19Ethereum Signed Message:\n%d" % len(text) + text)
    made = Signature(vrs=(raw[64] - 27, int.from_bytes(raw[:32]), int.from_bytes(raw[32:64])))
    found = made.recover_public_key_from_msg_hash(digest).to_checksum_address()
    return str(found) if found == address else None


def _answer(asked: dict[str, Any], **more: Any) -> web.Response:
    if "error" in more:
        more["error"] = {"code": -32_000, "message": more["error"]}
    return web.json_response({"jsonrpc": "2.0", "id": asked["id"], **more})
