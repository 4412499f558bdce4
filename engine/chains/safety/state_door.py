"""The door through which a probe sees a chain: the state of one block, by its hash, no more.

The EVM asks over HTTP on loopback, one account or word at a time, and knows only a path that nobody
can guess. What it is told comes from the chain's nodes with all that `rpc` does about them: the EVM
meets no provider and no key. Whatever is odd is no answer, and then the probe has failed.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from engine.chains.ports import BlockRef, Json, Node, NodeError
from engine.chains.rpc.parsing import parse_bytes, parse_quantity
from engine.chains.safety.probed import UNTOUCHED
from engine.domain.errors import BadValueError

READS_MAX: Final = 3_000
"""Accounts and words that one probe may read; an honest token takes some hundred."""

CODE_BYTES_MAX: Final = 65_536
_ASKED_BYTES_MAX: Final = 262_144
_HEAD_BYTES_MAX: Final = 8_192
_ZERO_WORD: Final = "0x" + "0" * 64
_LOOPBACK: Final = "127.0.0.1"
_ACCOUNT: Final = ("eth_getTransactionCount", "eth_getBalance", "eth_getCode")


class StateDoor:
    """One block's state, for one probe.

    Attributes:
        why_failed: what could not be answered first, nothing if all could.
        reads_count: what was asked of nodes.
    """

    def __init__(self, node: Node, at: BlockRef) -> None:
        self.why_failed = ""
        self.reads_count = 0
        self.path: Final = "/" + secrets.token_hex(16)
        self._node = node
        self._at = at
        self._known: dict[tuple[str, ...], str] = {}

    async def read_ahead(self, account: str, slots: tuple[int, ...]) -> None:
        """Read words that will be wanted in one request.

        Raises:
            NodeError: nothing could be read.
        """
        await self._read([("eth_getStorageAt", account, hex(slot)) for slot in slots])

    async def answer(self, asked: Mapping[str, Json]) -> Json:
        """Answer one request of the EVM.

        Raises:
            BadValueError: it may not be asked, or what a node says cannot be true.
            NodeError: there is no answer.
        """
        method, params = asked.get("method"), asked.get("params") or []
        if method == "eth_blockNumber":
            return hex(self._at.number)
        if not isinstance(params, list) or not all(isinstance(one, str) for one in params):
            raise BadValueError("a probe asked with other than texts")
        texts = [str(one) for one in params]
        if method == UNTOUCHED and texts:
            for slot in texts[1:]:
                key = ("eth_getStorageAt", texts[0].lower(), hex(int(slot, 16)))
                self._known.setdefault(key, _ZERO_WORD)
            return True
        if method in _ACCOUNT and texts:
            account = texts[0].lower()
            await self._read([(one, account) for one in _ACCOUNT])
            return self._known[str(method), account]
        if method == "eth_getStorageAt" and len(texts) > 1:
            key = ("eth_getStorageAt", texts[0].lower(), hex(int(texts[1], 16)))
            await self._read([key])
            return self._known[key]
        raise BadValueError(f"a probe may not ask {str(method)[:40]!r}")

    async def _read(self, keys: list[tuple[str, ...]]) -> None:
        missing = [key for key in keys if key not in self._known]
        if not missing:
            return
        self.reads_count += len(missing)
        if self.reads_count > READS_MAX:
            raise BadValueError(f"a probe reads more than {READS_MAX} values")
        at: Json = {"blockHash": self._at.hash}
        answers = await self._node.batch([(key[0], [*key[1:], at]) for key in missing])
        for key, answer in zip(missing, answers, strict=True):
            if isinstance(answer, NodeError):
                raise answer
            self._known[key] = _checked(key[0], answer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the EVM."""
        try:
            while asked := await _request(reader, self.path):
                try:
                    words: dict[str, Json] = {"result": await self.answer(asked)}
                except (BadValueError, NodeError, ValueError) as error:
                    self.why_failed = self.why_failed or str(error)[:200]
                    words = {"error": {"code": -32_000, "message": "no answer"}}
                words |= {"jsonrpc": "2.0", "id": asked.get("id")}
                body = json.dumps(words).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
                )
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def open_door(node: Node, at: BlockRef) -> AsyncIterator[tuple[StateDoor, str]]:
    """Open a door for the block; give it and the address at which it is."""
    door = StateDoor(node, at)
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await door.serve(reader, writer)
        finally:
            serving.discard(task)

    server = await asyncio.start_server(serve, _LOOPBACK, 0, limit=_HEAD_BYTES_MAX)
    port = server.sockets[0].getsockname()[1]
    try:
        yield door, f"http://{_LOOPBACK}:{port}{door.path}"
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _request(reader: asyncio.StreamReader, path: str) -> dict[str, Json] | None:
    """Read one request, None where there is none or it is not the probe's."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    lengths = [line.partition(":")[2] for line in head if line.startswith("content-length:")]
    if head[0].split() != ["post", path, "http/1.1"] or len(lengths) != 1:
        return None
    size = int(lengths[0])
    if not 0 < size <= _ASKED_BYTES_MAX:
        return None
    asked = json.loads(await reader.readexactly(size))
    return asked if isinstance(asked, dict) else None


def _checked(method: str, answer: Json) -> str:
    """Return an answer if it can be one, as nodes write it."""
    if method == "eth_getCode":
        code = parse_bytes(answer, "a contract's code")
        if len(code) > CODE_BYTES_MAX:
            raise BadValueError(f"a contract's code of {len(code)} bytes cannot be")
        return "0x" + code.hex()
    if method == "eth_getStorageAt":
        return f"0x{parse_quantity(answer, 'a word of storage'):064x}"
    return hex(parse_quantity(answer, method))
