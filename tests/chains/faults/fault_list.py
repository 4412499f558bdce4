"""Everything that a node or the way to it may do wrong, and what has to be counted then."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.chains.fault_proxy import (
    ALL,
    Answered,
    Delayed,
    Dropped,
    Failed,
    Fault,
    FaultProxy,
    Hung,
    Lost,
    Said,
    Status,
    Twice,
    WrongId,
    absurd,
    nothing,
    other_chain,
    other_hash,
    other_logs,
)
from tests.chains.faults.place import Place

Spoil = Callable[[Place, list[FaultProxy]], Awaitable[None]]


@dataclass(frozen=True)
class Trial:
    """One kind of fault.

    Attributes:
        name: what is wrong.
        spoil: does it, to some of the proxies.
        counted: what has to be counted, any of it; nothing if nothing is lost by it.
        is_of_one: one provider of three does it: what decides money is agreed on by two.
        is_lie: who does it is caught, so that it gets another key afterwards.
    """

    name: str
    spoil: Spoil
    counted: frozenset[str] = frozenset()
    is_of_one: bool = False
    is_lie: bool = False


def by(*rules: tuple[str, Fault], chance: float = 1.0) -> Spoil:
    """Spoil these methods and topics."""

    async def spoil(_: Place, proxies: list[FaultProxy]) -> None:
        for proxy in proxies:
            for method, fault in rules:
                proxy.on(method, fault, chance=chance)

    return spoil


def one_more(logs: Any) -> Any:
    """Add one to the last number of each event: it fits every filter of the block."""
    return [{**log, "data": _plus(log["data"], 1)} for log in logs]


_turns = itertools.count(1)


def never_the_same(answer: Any) -> Any:
    """Answer otherwise each time, with as many bytes."""
    return _plus(answer, next(_turns)) if isinstance(answer, str) else answer


def other_parent(block: Any) -> Any:
    """Say that a block stands on another one."""
    return {**block, "parentHash": "0x" + "be" * 32} if isinstance(block, dict) else block


def later(block: Any) -> Any:
    """Say that a block is one of a day later."""
    if not isinstance(block, dict):
        return block
    return {**block, "timestamp": hex(int(block["timestamp"], 16) + 86_400)}


def number_before(block: Any) -> Any:
    """Say that a block has the number of the one before it."""
    if not isinstance(block, dict):
        return block
    return {**block, "number": hex(int(block["number"], 16) - 1)}


def _plus(said: str, more: int) -> str:
    length = len(said) // 2 - 1
    changed = (int(said, 16) + more) % 256**length if length else 0
    return "0x" + (changed.to_bytes(length).hex() if length else "")


async def cut(place: Place, proxies: list[FaultProxy]) -> None:
    """Close each socket, once there is one that tells of blocks: one that comes later is none."""
    await place.until(lambda: any(one.tells_heads for one in proxies))
    for proxy in proxies:
        proxy.cut()


async def freeze(place: Place, proxies: list[FaultProxy]) -> None:
    """Leave each socket open and dead, once there is one that tells of blocks."""
    await place.until(lambda: any(one.tells_heads for one in proxies))
    for proxy in proxies:
        proxy.freeze()


async def lag(place: Place, proxies: list[FaultProxy]) -> None:
    """Stay where the chain is now."""
    head = int(place.world.head()["number"], 16)
    for proxy in proxies:
        proxy.hold_head(head)


async def fork_off(place: Place, proxies: list[FaultProxy]) -> None:
    """Be on another branch, which is longer than ours."""
    url = await place.other_branch(blocks=20)
    for proxy in proxies:
        proxy.go_to(url)


async def call_itself_another(place: Place, proxies: list[FaultProxy]) -> None:
    """Give out a node of another chain with a new key."""
    accesses = [one.provider.access for one in place.standings]
    place.keys += 1
    for proxy in proxies:
        proxy.on("eth_chainId", Answered(other_chain))
        accesses[place.proxies.index(proxy)] = place.access(proxy)
    await place.one.use(accesses)


HEADS = ("newHeads", "eth_getBlockByNumber")
AWAY = frozenset(
    {"disconnected", "timeout", "silent", "http_status", "failures", "behind", "limited"}
)
LIED = frozenset({"disagreed", "lies", "bad_shape", "given_up", "failures", "wrong_chain"})


def heads(change: Callable[[Any], Any]) -> Spoil:
    return by(*((one, Answered(change)) for one in HEADS))


OF_ONE = (
    Trial("wrong events", by(("eth_getLogs", Answered(one_more))), LIED, is_lie=True),
    Trial("events left out", by(("eth_getLogs", Answered(other_logs))), LIED, is_lie=True),
    Trial("absurd events", by(("eth_getLogs", Answered(absurd))), LIED, is_lie=True),
    Trial("null to everything", by((ALL, Answered(nothing))), LIED, is_lie=True),
    Trial("another chain's number", call_itself_another, LIED, is_lie=True),
    Trial("absurd numbers", by((ALL, Answered(absurd))), LIED, is_lie=True),
    Trial("hashes that no block has", heads(other_hash), LIED, is_lie=True),
    Trial("blocks on other parents", heads(other_parent), LIED, is_lie=True),
    Trial("blocks of a day later", heads(later), LIED, is_lie=True),
    Trial("other numbers of blocks", heads(number_before), LIED, is_lie=True),
    Trial("calls revert", by(("eth_call", Failed(3, "execution reverted"))), LIED, is_lie=True),
    Trial("never the same answer", by(("eth_call", Answered(never_the_same))), LIED, is_lie=True),
    Trial("forked off", fork_off, LIED | AWAY, is_lie=True),
    Trial("lags behind", lag, AWAY),
)
OF_ALL = (
    Trial("malformed JSON", by((ALL, Said("{"))), frozenset({"bad_json"})),
    Trial("some malformed JSON", by((ALL, Said("[1")), chance=0.3), frozenset({"bad_json"})),
    Trial("429", by((ALL, Status(429, retry_after="1"))), frozenset({"limited"})),
    Trial("503", by((ALL, Status(503)), chance=0.5), AWAY),
    Trial("no answer", by((ALL, Hung())), AWAY),
    Trial("some answers never come", by((ALL, Hung()), chance=0.2), AWAY),
    Trial("dropped", by((ALL, Dropped()), chance=0.4), AWAY),
    Trial("sockets cut", cut, AWAY),
    Trial("half-open sockets", freeze, AWAY),
    Trial("subscriptions forgotten", by(("newHeads", Lost())), AWAY),
    Trial("some heads lost", by(("newHeads", Lost()), chance=0.5)),
    Trial("heads told twice", by(("newHeads", Twice()))),
    Trial("late heads", by(("newHeads", Delayed(0.3)), chance=0.5)),
    Trial("late events", by(("eth_getLogs", Delayed(0.5)))),
    Trial("other ids", by((ALL, WrongId())), frozenset({"wrong_id"})),
    Trial("headers not found", by((ALL, Failed(-32000, "header not found")), chance=0.4), LIED),
    Trial("null blocks", by(("eth_getBlockByHash", Answered(nothing)))),
    Trial("all calls revert", by(("eth_call", Failed(3, "execution reverted")))),
    Trial("all answer otherwise", by(("eth_call", Answered(never_the_same))), LIED, is_lie=True),
    Trial("all heads of no block", by(("newHeads", Answered(other_hash))), LIED),
    Trial("all heads absurd", by(("newHeads", Answered(absurd))), LIED),
    Trial("all heads of other parents", by(("newHeads", Answered(other_parent))), LIED),
    Trial("all lag behind", lag),
)
