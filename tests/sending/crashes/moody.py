"""A node that is away, forgets, lags, or lies about receipts: the chain behind it is as it is."""

from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import Any, Final

from engine.chains.ports import Json, NodeError, Refusal
from tests.sending.crashes.node import ModelNode


class Mood(StrEnum):
    """What is wrong with it."""

    HONEST = "honest"
    AWAY = "away"
    FLAKY = "flaky"
    """Of what it is asked it answers a part."""
    SILENT = "silent"
    """It takes transactions in and never says so."""
    FORGETFUL = "forgetful"
    """It says that it takes transactions in, and does not."""
    STALE = "stale"
    """It shows receipts of blocks that are gone."""
    BLIND = "blind"
    """It shows no receipts at all."""
    LATE = "late"
    """Its newest block is an older one."""


FLAKY: Final = 0.3
LATE_BLOCKS: Final = 2


class MoodyNode:
    """See the module; `mood` may change between any two questions."""

    def __init__(self, node: ModelNode, luck: Random) -> None:
        self.node = node
        self.mood = Mood.HONEST
        self._luck = luck

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        """See `chains.ports.Node`."""
        is_away = self.mood is Mood.AWAY
        if is_away or (self.mood is Mood.FLAKY and self._luck.random() < FLAKY):
            raise NodeError(Refusal.AWAY, "it gave no answer")
        answers = [self._answer(method, params) for method, params in asked]
        if self.mood is Mood.SILENT and asked[0][0] == "eth_sendRawTransaction":
            raise NodeError(Refusal.AWAY, "the connection broke")
        return answers

    def _answer(self, method: str, params: Sequence[Any]) -> Json | NodeError:
        node = self.node
        if method == "eth_sendRawTransaction" and self.mood is Mood.FORGETFUL:
            told = node.answer(method, params)
            if isinstance(told, str):
                node.queue.pop(told, None)
            return told
        if method == "eth_getTransactionReceipt":
            if self.mood is Mood.BLIND:
                return None
            if self.mood is Mood.STALE:
                return node.undone.get(params[0]) or node.answer(method, params)
        if method == "eth_getBlockByNumber" and self.mood is Mood.LATE and params[0] == "latest":
            number = max(node.head.number - LATE_BLOCKS, node.final)
            return node.answer(method, (hex(number), False))
        return node.answer(method, params)
