"""The private way: bundles to a relay of the makers of blocks, with a signature of our name there.

The key of that name holds no money and signs nothing else: a relay keeps a reputation by it. Each
bundle is for one block and carries a name of its own (`replacementUuid`), by which a later one
takes its place and by which it is taken back; a route is safe by itself wherever it leaks to.
Facts: https://docs.flashbots.net/flashbots-auction/advanced/rpc-endpoint
"""

import json
import uuid
from collections.abc import Sequence
from typing import Any, Final

import aiohttp
import msgspec
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

from engine.domain.errors import TransientError
from engine.sending.facts import Answer
from engine.sending.outbid import METHOD, why_not_there

MEV_SHARE_VERSION: Final = "v0.1"
HEADER: Final = "X-Flashbots-Signature"
ANSWER_S: Final = 2.0
ANSWER_BYTES_MAX: Final = 1 << 20
BUNDLE_BYTES_MAX: Final = 300_000
_NAMES: Final = uuid.UUID("6f1f64ec-3a0c-4d5a-9a53-2a4a5d1ad5f6")


class BundleTried(msgspec.Struct, frozen=True, kw_only=True):
    """What a relay's simulation says of a bundle.

    Attributes:
        paid_wei: to whoever makes the block, tips and transfers together.
        gas_used: of all its transactions.
        why: the first one that fails, and how; empty if none does.
    """

    paid_wei: int
    gas_used: int
    why: str = ""


class Relay:
    """One relay; nothing is tried twice here.

    Args:
        url: where it is asked.
        key: 32 bytes, of the name that it knows us by.
        session: that asks.
    """

    def __init__(self, url: str, key: bytes, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._key = PrivateKey(key)
        self._session = session
        self._number = 0

    async def send(
        self, raws: Sequence[bytes], *, block: int, ts_max: int, name: str
    ) -> tuple[Answer, str]:
        """Bid with a bundle for one block; the same name again takes the place of what it bid.

        Args:
            raws: signed transactions, in their order.
            block: that may hold them.
            ts_max: last second (Unix time) of a block that may.
            name: of the bundle, see `bundle_name`.
        """
        if sum(map(len, raws)) > BUNDLE_BYTES_MAX:
            return Answer.REFUSED, f"a bundle of more than {BUNDLE_BYTES_MAX} bytes"
        bundle = {
            "txs": ["0x" + raw.hex() for raw in raws],
            "blockNumber": hex(block),
            "maxTimestamp": ts_max,
            "replacementUuid": name,
        }
        try:
            answer = await self._ask("eth_sendBundle", bundle)
        except TransientError as error:
            return Answer.UNCLEAR, str(error)
        if "error" in answer:
            return Answer.REFUSED, _text(answer["error"])
        return Answer.TAKEN_IN, ""

    async def send_behind(
        self, hint_hash: str, raw: bytes, *, block: int, last_block: int
    ) -> tuple[Answer, str]:
        """Bid for the place right behind a transaction that only its hint is known of (MEV-Share).

        A bundle may have one transaction of ours there. What it pays goes for the most part to
        whoever sent the other one; that is the relay's default.

        Args:
            hint_hash: by which the hint named it.
            raw: ours, signed.
            block: the first that may hold both.
            last_block: the last one.
        """
        if len(raw) > BUNDLE_BYTES_MAX:
            return Answer.REFUSED, f"a transaction of more than {BUNDLE_BYTES_MAX} bytes"
        bundle = {
            "version": MEV_SHARE_VERSION,
            "inclusion": {"block": hex(block), "maxBlock": hex(last_block)},
            "body": [{"hash": hint_hash}, {"tx": "0x" + raw.hex(), "canRevert": False}],
        }
        try:
            answer = await self._ask("mev_sendBundle", bundle)
        except TransientError as error:
            return Answer.UNCLEAR, str(error)
        if "error" in answer:
            return Answer.REFUSED, _text(answer["error"])
        return Answer.TAKEN_IN, ""

    async def try_out(self, raws: Sequence[bytes], *, block: int) -> BundleTried:
        """Let the relay simulate a bundle on its newest state.

        Raises:
            TransientError: it does not say.
        """
        bundle = {
            "txs": ["0x" + raw.hex() for raw in raws],
            "blockNumber": hex(block),
            "stateBlockNumber": "latest",
        }
        answer = await self._ask("eth_callBundle", bundle)
        if "error" in answer:
            return BundleTried(paid_wei=0, gas_used=0, why=_text(answer["error"]))
        try:
            result = answer["result"]
            failed = [
                str(one.get("error") or one.get("revert"))
                for one in result["results"]
                if one.get("error") or one.get("revert")
            ]
            return BundleTried(
                paid_wei=int(result["coinbaseDiff"]),
                gas_used=int(result["totalGasUsed"]),
                why=failed[0][:200] if failed else "",
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TransientError(f"the relay says of a bundle what none is: {error}") from error

    async def cancel(self, name: str) -> bool:
        """Take a bundle back; returns whether the relay says that it did.

        A bundle that is taken back may be in a block all the same.
        """
        try:
            answer = await self._ask("eth_cancelBundle", {"replacementUuid": name})
        except TransientError:
            return False
        return "error" not in answer

    async def why_not(self, block: int, hash_: str) -> str:
        """Return why what we bid with a transaction is not in a block; empty if it does not say."""
        try:
            answer = await self._ask(METHOD, hex(block))
        except TransientError:
            return ""
        return why_not_there(block, answer.get("result"), hash_)

    async def _ask(self, method: str, *params: Any) -> dict[str, Any]:
        self._number += 1
        body = json.dumps(
            {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        ).encode()
        headers = {"Content-Type": "application/json", HEADER: self.signature_of(body)}
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, timeout=timeout
            ) as response:
                content = b""
                async for chunk in response.content.iter_any():  # an answer comes in any pieces
                    content += chunk
                    if len(content) > ANSWER_BYTES_MAX:
                        raise TransientError(f"the relay says more than {ANSWER_BYTES_MAX} bytes")
                answer = json.loads(content)
        except (aiohttp.ClientError, TimeoutError, ValueError, RecursionError) as error:
            raise TransientError(f"the relay does not answer: {type(error).__name__}") from error
        if not isinstance(answer, dict):
            raise TransientError("the relay answers with no object")
        return answer

    def signature_of(self, body: bytes) -> str:
        """Return the header's value: our address and its signature (EIP-191) of the body's hash."""
        digest = personal_digest("0x" + keccak(body).hex())
        signature = self._key.sign_msg_hash(digest)
        v = bytes([signature.v + 27])
        raw = signature.r.to_bytes(32) + signature.s.to_bytes(32) + v
        return f"{self._key.public_key.to_checksum_address()}:0x{raw.hex()}"


def personal_digest(text: str) -> bytes:
    """Return what is signed of a text (EIP-191, version 0x45)."""
    content = text.encode()
    return keccak(b"\x19Ethereum Signed Message:\n%d" % len(content) + content)


def bundle_name(client_order_id: str) -> str:
    """Return the name of a plan's bundle, the same whenever it is asked."""
    return str(uuid.uuid5(_NAMES, client_order_id))


def _text(error: Any) -> str:
    said = error.get("message", error) if isinstance(error, dict) else error
    return str(said)[:200]
