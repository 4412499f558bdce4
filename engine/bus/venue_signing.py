"""What the signer is asked by those who trade at venues."""

from typing import Protocol

from engine.bus.request import SignerRequest
from engine.domain.signing import SignRefusal
from engine.gateways.venue_signing import VenueIntent, VenueSigned

VenueReply = VenueSigned | SignRefusal


class SignCalls(SignerRequest[VenueReply], frozen=True, kw_only=True):
    """Sign the calls of what is asked of a venue, or say why not."""

    intent: VenueIntent

    async def answer(self, signer: "VenueSigner", /) -> VenueReply:
        """See `Request.answer`."""
        return await signer.sign_calls(self.intent)


class VenueSigner(Protocol):
    """What the role answers of venues."""

    async def sign_calls(self, intent: VenueIntent) -> VenueReply:
        """Sign the calls of what is asked of a venue, or say why not."""
        ...
