"""What the signer is asked by those who trade at venues."""

from typing import Protocol

from engine.bus.request import SignerRequest
from engine.bus.signing import Rehearsed
from engine.domain.signing import SignRefusal
from engine.gateways.venue_signing import VenueIntent, VenueSigned

VenueReply = VenueSigned | SignRefusal


class SignCalls(SignerRequest[VenueReply], frozen=True, kw_only=True):
    """Sign the calls of what is asked of a venue, or say why not."""

    intent: VenueIntent

    async def answer(self, signer: "VenueSigner", /) -> VenueReply:
        """See `Request.answer`."""
        return await signer.sign_calls(self.intent)


class RehearseCalls(SignerRequest[Rehearsed], frozen=True, kw_only=True):
    """Go through what the signature of an order like this one takes; see `signing.Rehearse`."""

    intent: VenueIntent

    async def answer(self, signer: "VenueSigner", /) -> Rehearsed:
        """See `Request.answer`."""
        signer.rehearse_calls(self.intent)
        return Rehearsed()


class VenueSigner(Protocol):
    """What the role answers of venues."""

    def rehearse_calls(self, intent: VenueIntent) -> None:
        """Be ready to sign an order like this one."""
        ...

    async def sign_calls(self, intent: VenueIntent) -> VenueReply:
        """Sign the calls of what is asked of a venue, or say why not."""
        ...
