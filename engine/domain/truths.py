"""The truth of a trade: what was predicted, simulated and realised, and why these differ.

All of it in raw units of the asset that the route starts and ends in, net of the builder's share
and of gas. Differences are named and add up to the last unit, whatever became of the trade.
"""

from collections.abc import Sequence
from decimal import Context, Decimal
from enum import StrEnum
from typing import Final

import msgspec

from engine.domain.exact import DIGITS_MAX, exact_product
from engine.domain.told import Fate

WIDE: Final = Context(prec=DIGITS_MAX)


class TruthCause(StrEnum):
    """Why one figure of a trade differs from the one before.

    Of what was predicted: `FEE`, another lender or fee than planned; `STATE`, the pools moved after
    the decision; `TOKEN`, they did not, and yet gave something else: a token or pool that does not
    do what its formula says; `ENCODING`, no call of ours does it; `BUILDER`, the share of whoever
    makes the block; `GAS`, the bound of the plan and what gas costs.

    Of what was simulated: `STATE`, blocks between; `ORDER`, what stood in front in the block;
    `OUTBID`, another bundle paid more; `LATE`, its time was over; `REFUSED` by the signer or by a
    route that rests; `FOREIGN`, its nonce was used by what we never signed; `REORGANISED`, the
    block is gone; `UNKNOWN`, no node says.
    """

    STATE = "state moved"
    ORDER = "order in block"
    OUTBID = "outbid"
    GAS = "gas"
    FEE = "fee"
    BUILDER = "builder's share"
    ENCODING = "encoding"
    TOKEN = "token"  # noqa: S105 # no secret
    LATE = "too late"
    REFUSED = "refused"
    FOREIGN = "foreign nonce"
    REORGANISED = "reorganised"
    UNKNOWN = "unknown"


class Step(StrEnum):
    """Between which two figures a difference lies."""

    SIMULATED = "simulated"
    REALISED = "realised"


class Net(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a trade, taken apart.

    Attributes:
        gain_raw: what came back beyond what went in and the lender's fee.
        builder_raw: of it, to whoever makes the block.
        gas_wei: for gas and bytes, in the chain's own asset.
        gas_raw: the same in the route's asset, at the rate of the plan.
    """

    gain_raw: int = 0
    builder_raw: int = 0
    gas_wei: int = 0
    gas_raw: int = 0

    @property
    def profit_raw(self) -> int:
        """What is left of it."""
        return self.gain_raw - self.builder_raw - self.gas_raw


class TruthDifference(msgspec.Struct, frozen=True, kw_only=True):
    """What one cause added to a figure, or took from it, if negative."""

    step: Step
    cause: TruthCause
    raw: int


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction before ours in its block that touched a pool of the route.

    Attributes:
        place: its number in the block.
        pools: those of ours that it touched.
    """

    hash: str
    sender: str
    place: int
    pools: tuple[str, ...]


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulation before signing said; kept with what is sent.

    Attributes:
        block: whose state it was.
        gain_raw, builder_raw, gas_used: what it came to.
        gas_price_wei: that a unit of gas was expected to cost, the bid's tip in it; `bytes_wei`
            what a rollup was expected to take beside it.
        expected_raw: what the exact answer says of the very call; None where there is no call.
        cause: why it was not sent, None if it was.
        is_simulated: a simulation was made and did not revert.
    """

    block: int = 0
    gain_raw: int = 0
    builder_raw: int = 0
    gas_used: int = 0
    gas_price_wei: int = 0
    bytes_wei: int = 0
    expected_raw: int | None = None
    cause: TruthCause | None = None
    is_simulated: bool = False


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """A trade as it was predicted, simulated and realised.

    Attributes:
        version: of what was told; of two the later one stands.
        engine: whose plan it is.
        decided_at_ns: of the plan.
        route: venues of its steps, in order.
        asset, decimals: of all raw figures.
        usd_per_unit: worth of a whole one at the decision.
        simulated: None where no simulation came to an end.
        differences: add up from each figure to the next; from predicted to realised where there is
            no simulation.
        ahead: who was in front, the first in the block first; `ahead_count` of all of them, None
            where nobody says or nothing landed.
        block, place: where it landed.
        chance: that nobody would be ahead, as the engine had it when it decided; None without one.
        why: in words, where it did not do what was planned.
    """

    client_order_id: str
    version: int
    plan_id: str
    opportunity_id: str
    engine: str
    chain: str
    decided_at_ns: int
    route: tuple[str, ...]
    asset: str
    decimals: int
    usd_per_unit: Decimal
    fate: Fate
    predicted: Net
    simulated: Net | None
    realised: Net
    differences: tuple[TruthDifference, ...] = ()
    ahead: tuple[Ahead, ...] = ()
    ahead_count: int | None = None
    block: int | None = None
    place: int | None = None
    hash: str = ""
    chance: float | None = None
    why: str = ""

    def usd(self, raw: int) -> Decimal:
        """Return what raw units of its asset were worth at the decision."""
        return exact_product(Decimal(raw).scaleb(-self.decimals, WIDE), self.usd_per_unit)

    @property
    def is_captured(self) -> bool:
        """Whether it did what was planned, in a block that stands."""
        return self.fate is Fate.SUCCEEDED


def sums_of(differences: Sequence[TruthDifference]) -> dict[Step, int]:
    """Return what the differences of each step come to."""
    return {step: sum(one.raw for one in differences if one.step is step) for step in Step}
