"""Handing over what webhooks told, and telling how they are."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from engine.bus.hooked import HookEvent, HooksTaken, HookWord
from engine.bus.request import ChainsRequest

EVENTS_MAX: Final = 500
"""Of one request: more wait for the next."""


class TakeHooked(ChainsRequest[HooksTaken], frozen=True, kw_only=True):
    """Take events of one chain; those that were taken before change nothing.

    Attributes:
        spans: by stream, the first and last block that each body says it is whole for.
    """

    chain: str
    events: list[HookEvent]
    spans: tuple[tuple[str, int, int], ...] = ()

    async def answer(self, chains: "Hooked", /) -> HooksTaken:
        """See `Request.answer`."""
        return chains.hooked(self)

    def of_chain(self) -> str:
        """See `ChainsRequest.of_chain`."""
        return self.chain


class TellHooks(ChainsRequest[HooksTaken], frozen=True, kw_only=True):
    """Hear how the gateway's webhooks are; every process that follows chains is told."""

    word: HookWord

    async def answer(self, chains: "Hooked", /) -> HooksTaken:
        """See `Request.answer`."""
        return chains.hooks_are(self.word)

    def merged(self, replies: Sequence[HooksTaken], away: Mapping[str, str], /) -> HooksTaken:
        """Return what the first one says: they all say the same."""
        del away
        return replies[0]


class Hooked(Protocol):
    """What takes events of webhooks."""

    def hooked(self, asked: TakeHooked) -> HooksTaken:
        """Take events.

        Raises:
            BadValueError: the chain is not followed.
        """
        ...

    def hooks_are(self, word: HookWord) -> HooksTaken:
        """Hear how webhooks are."""
        ...
