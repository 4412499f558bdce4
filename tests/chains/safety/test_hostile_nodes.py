"""Nodes that lie, are slow or refuse, and tokens that read without end: unknown, and never safe."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

import psutil
import pytest

from engine.chains.ports import Json, Node, NodeError, Refusal, Topic
from engine.chains.rpc.parsing import parse_block
from engine.chains.safety import prober as prober_module
from engine.chains.safety.prober import Market, Prober
from engine.chains.safety.state_door import CODE_BYTES_MAX, StateDoor, open_door
from engine.domain.token_safety import Standing, Verdict
from tests.chains.local_world import LocalWorld
from tests.chains.safety.listed import Listed, list_token
from tests.patience import PATIENCE_S

Spoil = Callable[[str, Json], Json]


class SpoiledNode:
    """A node whose answers are spoiled on their way."""

    def __init__(self, node: Node, spoil: Spoil) -> None:
        self._node = node
        self._spoil = spoil
        self.asked: list[tuple[str, Sequence[Json]]] = []

    async def request(self, method: str, *params: Json) -> Json:
        return self._spoil(method, await self._node.request(method, *params))

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        self.asked += asked
        answers = await self._node.batch(asked)
        return [
            one if isinstance(one, NodeError) else self._spoil(method, one)
            for (method, _), one in zip(asked, answers, strict=True)
        ]

    def subscribe(
        self, topic: Topic, params: Mapping[str, Json] | None = None
    ) -> AsyncGenerator[Json, None]:
        return self._node.subscribe(topic, params)


class SilentNode(SpoiledNode):
    """A node that answers heads and then nothing."""

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        self.asked += asked
        await asyncio.Event().wait()
        return []


@pytest.fixture(scope="module")
def listed(world: LocalWorld) -> Listed:
    return list_token(world, "Renounced")


async def verdict_by(
    node: Node, listed: Listed, deadline_s: float = PATIENCE_S, *, is_curated: bool = True
) -> Verdict:
    prober = Prober(node=node, chain="ethereum", chain_id=1, deadline_s=deadline_s)
    return await prober.verdict(
        listed.token,
        Market(listed.pool, listed.counter),
        now_s=int(time.time()),
        is_curated=is_curated,
    )


def workers() -> list[int]:
    return [one.pid for one in psutil.Process().children(recursive=True) if "worker" in _line(one)]


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def instead(method: str, answer: Json) -> Spoil:
    return lambda asked, told: answer if asked == method else told


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("eth_getCode", "0x" + "60" * (CODE_BYTES_MAX + 1)),
        ("eth_getCode", "0x6"),
        ("eth_getCode", 7),
        ("eth_getCode", None),
        ("eth_getCode", "0xzz"),
        ("eth_getStorageAt", "0x" + "f" * 65),
        ("eth_getStorageAt", "0x"),
        ("eth_getStorageAt", ["0x1"]),
        ("eth_getStorageAt", "-0x1"),
        ("eth_getBalance", "0x" + "f" * 65),
        ("eth_getBalance", True),
        ("eth_getTransactionCount", {}),
        ("eth_getBlockByNumber", None),
        ("eth_getBlockByNumber", {}),
        ("eth_getBlockByNumber", []),
    ],
)
async def test_an_answer_that_cannot_be_leaves_the_token_unknown(
    node: Node, listed: Listed, method: str, answer: Json
) -> None:
    verdict = await verdict_by(SpoiledNode(node, instead(method, answer)), listed)
    assert verdict.standing is Standing.UNKNOWN, verdict
    assert verdict.reasons[0].text
    assert workers() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("miner", "0x1"),
        ("gasLimit", "0x" + "f" * 40),
        ("gasLimit", None),
        ("baseFeePerGas", "0x" + "f" * 64),
        ("baseFeePerGas", -1),
        ("mixHash", "0x00"),
        ("timestamp", "0x" + "f" * 30),
        ("number", "0x" + "f" * 30),
        ("l1BlockNumber", "soon"),
        ("l1BlockNumber", -1),
    ],
)
async def test_a_head_that_cannot_be_leaves_the_token_unknown(
    node: Node, listed: Listed, field: str, value: Json
) -> None:
    def spoil(method: str, told: Json) -> Json:
        if method == "eth_getBlockByNumber":
            assert isinstance(told, dict)
            return told | {field: value}
        return told

    verdict = await verdict_by(SpoiledNode(node, spoil), listed)
    assert verdict.standing is Standing.UNKNOWN, verdict


@pytest.mark.parametrize("value", ["0x0", "0x1", "0x" + "f" * 64])
async def test_a_node_that_says_one_and_the_same_of_all_words_lets_nothing_in(
    node: Node, listed: Listed, value: Json
) -> None:
    verdict = await verdict_by(SpoiledNode(node, instead("eth_getStorageAt", value)), listed)
    assert verdict.standing is not Standing.SAFE


async def test_a_silent_provider_costs_the_deadline_and_leaves_no_process(
    node: Node, listed: Listed
) -> None:
    silent = SilentNode(node, lambda _, told: told)
    began_s = time.monotonic()
    verdict = await verdict_by(silent, listed, deadline_s=0.3)
    assert verdict.standing is Standing.UNKNOWN
    assert "0.3 s" in verdict.reasons[0].text
    assert time.monotonic() - began_s < PATIENCE_S
    assert workers() == []


async def test_a_provider_that_falls_silent_under_way_leaves_no_process(
    node: Node, listed: Listed
) -> None:
    class FallsSilent(SpoiledNode):
        async def batch(
            self, asked: Sequence[tuple[str, Sequence[Json]]]
        ) -> list[Json | NodeError]:
            if len(self.asked) > 60:
                await asyncio.Event().wait()
            return await super().batch(asked)

    falls = FallsSilent(node, lambda _, told: told)
    verdict = await verdict_by(falls, listed, deadline_s=2.0)
    assert verdict.standing is Standing.UNKNOWN
    assert workers() == []


async def test_a_refusing_provider_is_named_and_leaves_the_token_unknown(
    node: Node, listed: Listed
) -> None:
    class Refusing(SpoiledNode):
        async def batch(
            self, asked: Sequence[tuple[str, Sequence[Json]]]
        ) -> list[Json | NodeError]:
            return [NodeError(Refusal.LIMITED, "all used up") for _ in asked]

    verdict = await verdict_by(Refusing(node, lambda _, told: told), listed)
    assert verdict.standing is Standing.UNKNOWN
    assert "used up" in verdict.reasons[0].text


async def test_all_state_is_asked_at_one_block_by_its_hash(node: Node, listed: Listed) -> None:
    spoiled = SpoiledNode(node, lambda _, told: told)
    verdict = await verdict_by(spoiled, listed)
    assert verdict.standing is Standing.SAFE
    assert {str(params[-1]) for _, params in spoiled.asked} == {
        str({"blockHash": verdict.block_hash})
    }
    assert len(spoiled.asked) < 200


async def test_a_token_that_reads_without_end_is_unknown(
    node: Node, listed: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.chains.safety.state_door.READS_MAX", 60)
    verdict = await verdict_by(node, listed)
    assert verdict.standing is Standing.UNKNOWN
    assert "60" in verdict.reasons[0].text


@pytest.mark.parametrize("is_curated", [True, False])
async def test_without_an_evm_only_tokens_of_the_table_are_taken_and_it_is_said(
    node: Node, listed: Listed, monkeypatch: pytest.MonkeyPatch, *, is_curated: bool
) -> None:
    monkeypatch.setattr(prober_module, "has_evm", lambda: False)
    verdict = await verdict_by(node, listed, is_curated=is_curated)
    assert verdict.standing is (Standing.SAFE if is_curated else Standing.UNKNOWN)
    assert "no EVM" in (verdict.warnings or verdict.reasons)[0].text


ASKED = b'{"id": 1, "method": "eth_blockNumber"}'


async def test_the_door_answers_who_knows_its_path(world: LocalWorld, node: Node) -> None:
    sent = b"POST PATH HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(ASKED), ASKED)
    async with open_door(node, parse_block(world.head())) as (_, url):
        assert b'"result": "0x' in await door_says(url, sent)


async def door_says(door_url: str, sent: bytes) -> bytes:
    host, _, rest = door_url.removeprefix("http://").partition("/")
    name, port = host.split(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    writer.write(sent.replace(b"PATH", b"/" + rest.encode()))
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    return answer


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /guessed HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(ASKED), ASKED),
        b"POST PATH HTTP/1.1\r\n\r\n{}",
        b"POST PATH HTTP/1.1\r\nContent-Length: -1\r\n\r\n{}",
        b"POST PATH HTTP/1.1\r\nContent-Length: x\r\n\r\n{}",
        b"POST PATH HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n{}",
        b"POST PATH HTTP/1.1\r\nContent-Length: 5\r\n\r\n{}",
        b"POST PATH HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]",
        b"POST PATH HTTP/1.1\r\nContent-Length: 2\r\n\r\n{x",
        b"POST PATH HTTP/1.1\r\n" + b"A: b\r\n" * 9_999 + b"\r\n",
        b"\xff" * 100_000,
    ],
)
async def test_whoever_else_knocks_at_the_door_is_told_nothing(
    world: LocalWorld, node: Node, sent: bytes
) -> None:
    async with open_door(node, parse_block(world.head())) as (door, url):
        assert await door_says(url, sent) == b""
        assert door.reads_count == 0


@pytest.mark.parametrize(
    "method", ["eth_sendTransaction", "eth_call", "anvil_setBalance", "eth_getLogs", None, 7]
)
async def test_nothing_but_state_may_be_asked(world: LocalWorld, node: Node, method: Json) -> None:
    door = StateDoor(node, parse_block(world.head()))
    with pytest.raises(Exception, match="may not ask"):
        await door.answer({"method": method, "params": ["0x" + "1" * 40]})
    assert door.reads_count == 0
