"""The ways by which signed transactions leave: to a node, or as bundles to a relay.

A way may be taken any number of times with the same bytes. What only uses a nonce up goes to a node
always: it hides nothing, and has to land.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from engine.sending.calls import HeadNow
from engine.sending.facts import Answer, Attempt, Life
from engine.sending.outbid import OUTBID
from engine.sending.relay import Relay, bundle_name
from engine.sending.view import ChainView

ASKED_MAX: Final = 3
"""Of the newest bids, after whose fate a relay is asked."""


Ahead = Callable[[], Sequence[bytes]]
"""Says what of ours has lower nonces and is in no block yet, as it is signed, in order."""


def nothing_ahead() -> Sequence[bytes]:
    """Say that nothing is."""
    return ()


class Way(Protocol):
    """A way out."""

    async def send(
        self, attempt: Attempt, life: Life, head: HeadNow, ahead: Ahead = nothing_ahead
    ) -> tuple[Answer, str]:
        """Send a transaction, or bid with it for the block after a head.

        Args:
            attempt: that is sent.
            life: whose it is.
            head: the newest block.
            ahead: says what of ours has to be in a block before it.
        """
        ...

    async def why_lost(self, life: Life) -> str:
        """Return why a plan is in no block that it was meant for; empty if nobody says."""
        ...


class OpenWay:
    """To a node: into the queue that everybody sees, or to the one who orders the chain."""

    def __init__(self, view: ChainView) -> None:
        self._view = view

    async def send(
        self, attempt: Attempt, life: Life, head: HeadNow, ahead: Ahead = nothing_ahead
    ) -> tuple[Answer, str]:
        """See `Way.send`."""
        del life, head, ahead
        return await self._view.send(attempt.raw)

    async def why_lost(self, life: Life) -> str:
        """See `Way.why_lost`."""
        del life
        return ""


class PrivateWay:
    """To a relay, for one block at a time; a cancel takes the bundle back and goes to a node.

    Bundles are looked at one by one on the state before the block, where a later nonce cannot be.
    So each takes along what is ahead of it: whoever makes the block takes the longest that comes
    off, as it pays most, and a shorter one where that does not.
    """

    def __init__(self, relay: Relay, view: ChainView) -> None:
        self._relay = relay
        self._view = view
        self._bid: dict[str, tuple[int, tuple[bytes, ...]]] = {}

    async def send(
        self, attempt: Attempt, life: Life, head: HeadNow, ahead: Ahead = nothing_ahead
    ) -> tuple[Answer, str]:
        """See `Way.send`."""
        name = bundle_name(life.client_order_id)
        if attempt.is_cancel:
            if self._bid.pop(name, None) is not None:
                await self._relay.cancel(name)
            return await self._view.send(attempt.raw)
        block, raws = bid = (head.number + 1, (*ahead(), attempt.raw))
        if self._bid.get(name) == bid:
            return Answer.KNOWN, ""
        answer, why = await self._relay.send(raws, block=block, ts_max=life.deadline_ts, name=name)
        if answer is Answer.TAKEN_IN:
            self._bid[name] = bid
        return answer, why

    async def why_lost(self, life: Life) -> str:
        """See `Way.why_lost`."""
        bids = [one for one in life.attempts if not one.is_cancel]
        told = [
            await self._relay.why_not(attempt.at_block + 1, attempt.hash)
            for attempt in reversed(bids[-ASKED_MAX:])
        ]
        # That others paid more says more than that a later try came too late.
        return min(filter(None, told), key=lambda why: not why.startswith(OUTBID), default="")
