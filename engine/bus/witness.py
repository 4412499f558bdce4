"""What a chat tells the signer of what persons say, before the engine hears of it."""

from typing import Any, Final, Protocol

from engine.domain.mandates import Mandate
from engine.domain.transfer_life import TransferOrder


class Witness(Protocol):
    """Vouches for persons; each answer says why that failed, and is empty if it did not.

    An envelope is a `bus.command.Envelope`, which knows requests, as those know who is told.
    """

    def showed(self, nonce: str, digest: str, *, is_sent: bool) -> None:
        """Learn what stands on a prompt that the chat shows.

        Args:
            nonce: of its buttons.
            digest: of the terms, reckoned from what is shown.
            is_sent: what is approved is signed and sent.
        """
        ...

    async def approved(self, envelope: Any, nonce: str) -> str:
        """Tell that a person approved what was shown with a nonce."""
        ...

    async def mandated(self, envelope: Any, mandate: Mandate) -> str:
        """Tell that a person granted a mandate."""
        ...

    async def went_live(self, envelope: Any, code: str | None) -> str:
        """Tell that a person let plans be carried out without a word on each."""
        ...

    async def let_run(self, envelope: Any, chain: str, code: str | None) -> str:
        """Tell that a person let our contract on a chain run again."""
        ...

    async def allowed_transfer(self, envelope: Any, order: TransferOrder, code: str | None) -> str:
        """Tell that a person allowed a transfer whose terms were shown."""
        ...

    async def took_back(
        self,
        engine: str,
        *,
        mandate_id: str = "",
        chain: str = "",
        transfer_id: str = "",
        is_all: bool = False,
    ) -> None:
        """Tell that something was taken back; where the signer is away it knows of nothing."""
        ...


class NoWitness:
    """Where nothing is signed there is nobody to be told."""

    def showed(self, nonce: str, digest: str, *, is_sent: bool) -> None:
        """See `Witness.showed`."""

    async def approved(self, envelope: Any, nonce: str) -> str:
        """See `Witness.approved`."""
        del envelope, nonce
        return ""

    async def mandated(self, envelope: Any, mandate: Mandate) -> str:
        """See `Witness.mandated`."""
        del envelope, mandate
        return ""

    async def went_live(self, envelope: Any, code: str | None) -> str:
        """See `Witness.went_live`."""
        del envelope, code
        return ""

    async def let_run(self, envelope: Any, chain: str, code: str | None) -> str:
        """See `Witness.let_run`."""
        del envelope, chain, code
        return ""

    async def allowed_transfer(self, envelope: Any, order: TransferOrder, code: str | None) -> str:
        """See `Witness.allowed_transfer`."""
        del envelope, order, code
        return ""

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


NO_WITNESS: Final = NoWitness()
