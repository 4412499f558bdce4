"""What the signer is asked by those who trade at venues."""

from typing import Protocol

from engine.bus.request import SignerRequest
from engine.bus.signing import Rehearsed
from engine.domain.signing import SignRefusal
from engine.gateways.venue_signing import PlanIntent, PlanSigned, VenueIntent, VenueSigned

VenueReply = VenueSigned | SignRefusal
PlanReply = PlanSigned | SignRefusal


class SignCalls(SignerRequest[VenueReply], frozen=True, kw_only=True):
    """Sign the calls of what is asked of a venue, or say why not."""

    intent: VenueIntent

    async def answer(self, signer: "VenueSigner", /) -> VenueReply:
        """See `Request.answer`."""
        return await signer.sign_calls(self.intent)


class SignTogether(SignerRequest[PlanReply], frozen=True, kw_only=True):
    """Sign all orders of a plan that leave together, or say why none is."""

    intent: PlanIntent

    async def answer(self, signer: "VenueSigner", /) -> PlanReply:
        """See `Request.answer`."""
        return await signer.sign_together(self.intent)


class RehearseTogether(SignerRequest[Rehearsed], frozen=True, kw_only=True):
    """Go through what the signatures of orders like these take; see `signing.Rehearse`."""

    intent: PlanIntent

    async def answer(self, signer: "VenueSigner", /) -> Rehearsed:
        """See `Request.answer`."""
        signer.rehearse_together(self.intent)
        return Rehearsed()


class VenueSigner(Protocol):
    """What the role answers of venues."""

    def rehearse_together(self, intent: PlanIntent) -> None:
        """Be ready to sign orders like these."""
        ...

    async def sign_calls(self, intent: VenueIntent) -> VenueReply:
        """Sign the calls of what is asked of a venue, or say why not."""
        ...

    async def sign_together(self, intent: PlanIntent) -> PlanReply:
        """Sign all orders of a plan that leave together, or say why none is."""
        ...
