"""What a person asks of the signer: how wallets stand, to open a key, to take another one."""

from engine.bus.request import SignerRequest
from engine.bus.signing import Signer, WalletsReport
from engine.domain.venue_orders import KeyRights


class GetWallets(SignerRequest[WalletsReport], frozen=True, kw_only=True):
    """Wallets, chains, what is used of the day's caps, and whether the key is open."""

    async def answer(self, signer: Signer, /) -> WalletsReport:
        """See `Request.answer`."""
        return signer.wallets()


class UnlockSigner(SignerRequest[WalletsReport], frozen=True, kw_only=True):
    """Open the key with the password that a person typed on this machine."""

    timeout_s = 30.0

    password: str

    def __repr__(self) -> str:
        return "UnlockSigner()"

    async def answer(self, signer: Signer, /) -> WalletsReport:
        """See `Request.answer`."""
        return await signer.unlock(self.password)


class RotateVenueKey(SignerRequest[WalletsReport], frozen=True, kw_only=True):
    """Sign for a venue with another key from now on, in the place of the one that does.

    Attributes:
        sealed: content of the new key's file.
        password: that opens it, and the file of the key whose place it takes.
        rights: what the venue said that the new key may do.
    """

    timeout_s = 30.0

    venue: str
    sealed: str
    password: str
    rights: KeyRights

    def __repr__(self) -> str:
        return f"RotateVenueKey(venue={self.venue!r})"

    async def answer(self, signer: Signer, /) -> WalletsReport:
        """See `Request.answer`."""
        return await signer.rotate(self.venue, self.sealed, self.password, self.rights)
