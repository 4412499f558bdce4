"""What a person asks of the signer: how wallets stand, and to open the key."""

from engine.bus.request import SignerRequest
from engine.bus.signing import Signer, WalletsReport


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
