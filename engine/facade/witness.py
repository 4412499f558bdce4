"""A chat vouches for persons to the signer, with the key that the two share.

What it vouches for is what it showed itself: the digest is reckoned from the plan on the screen,
and never asked of the engine when a person taps.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from engine.bus.command import Envelope
from engine.bus.request import Caller, Request
from engine.bus.signing import Heard, HearWord, TakeBackWords
from engine.domain.errors import BadValueError, TransientError
from engine.domain.mandates import Mandate
from engine.domain.transfer_life import TransferOrder
from engine.domain.transfers import digest_of_terms
from engine.domain.words import (
    Approved,
    LetRun,
    Mandated,
    TransferAllowed,
    WentLive,
    Word,
    sealed_word,
)

KEPT_MAX: Final = 500
"""Prompts; they wait for a minute."""

KEYLESS: Final = (
    "the signer believes the chat alone that make run started beside it: say it there, or stop and"
    " start again"
)
UNSEEN_TRANSFER: Final = (
    "this chat has not shown these terms since it began: say the same without the code first"
)
UNSEEN: Final = "this chat has not shown it since it began: /approvals shows it, then approve"


class ChatWitness:
    """See `bus.witness.Witness`.

    Args:
        signer: who is told.
        key: that both share; None in a chat that somebody started apart.
        clock: the wall clock.
    """

    def __init__(self, signer: Caller, key: bytes | None, clock: Callable[[], int]) -> None:
        self._signer = signer
        self._key = key
        self._clock = clock
        self._shown: OrderedDict[str, tuple[str, bool]] = OrderedDict()

    def showed(self, nonce: str, digest: str, *, is_sent: bool) -> None:
        """See `Witness.showed`."""
        self._shown[nonce] = (digest, is_sent)
        while len(self._shown) > KEPT_MAX:
            self._shown.popitem(last=False)

    async def approved(self, envelope: Envelope, nonce: str) -> str:
        """See `Witness.approved`."""
        if nonce not in self._shown:
            return UNSEEN
        digest, is_sent = self._shown[nonce]
        if not is_sent:
            return ""
        return await self._told(
            Approved(engine=envelope.target, by=envelope.by, at_ns=self._clock(), digest=digest)
        )

    async def mandated(self, envelope: Envelope, mandate: Mandate) -> str:
        """See `Witness.mandated`; a mandate of paper trades needs no signer."""
        why = await self._told(
            Mandated(engine=envelope.target, by=envelope.by, at_ns=self._clock(), mandate=mandate)
        )
        return why if self._key is not None else ""

    async def went_live(self, envelope: Envelope, code: str | None) -> str:
        """See `Witness.went_live`."""
        return await self._told(
            WentLive(engine=envelope.target, by=envelope.by, at_ns=self._clock(), code=code)
        )

    async def let_run(self, envelope: Envelope, chain: str, code: str | None) -> str:
        """See `Witness.let_run`."""
        return await self._told(
            LetRun(
                engine=envelope.target,
                by=envelope.by,
                at_ns=self._clock(),
                chain=chain,
                command_id=envelope.id,
                code=code,
            )
        )

    async def allowed_transfer(
        self, envelope: Envelope, order: TransferOrder, code: str | None
    ) -> str:
        """See `Witness.allowed_transfer`; what is vouched for is what was shown, but for its id."""
        if self._key is None:
            return KEYLESS
        if digest_of_terms(order) not in self._shown:
            return UNSEEN_TRANSFER
        return await self._told(
            TransferAllowed(
                engine=envelope.target, by=envelope.by, at_ns=self._clock(), order=order, code=code
            )
        )

    async def took_back(
        self,
        engine: str,
        *,
        mandate_id: str = "",
        chain: str = "",
        transfer_id: str = "",
        is_all: bool = False,
    ) -> None:
        """See `Witness.took_back`."""
        await self._asked(
            TakeBackWords(
                engine=engine,
                mandate_id=mandate_id,
                chain=chain,
                transfer_id=transfer_id,
                is_all=is_all,
            )
        )

    async def _told(self, word: Word) -> str:
        if self._key is None:
            return KEYLESS
        return await self._asked(HearWord(word=sealed_word(word, self._key)))

    async def _asked(self, request: Request[Heard]) -> str:
        try:
            await self._signer.call(request, timeout_s=request.timeout_s)
        except (TransientError, BadValueError) as error:
            return f"the signer: {error}"
        return ""
