"""Confirmation of a route through pools of one chain: what one transaction would do, exactly.

Every amount is in whole raw units, as the contracts round. The transaction may give up a bounded
part of each swap, and never so much that it would gain nothing before gas: once it is in a block
its gas is paid either way.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

import msgspec

from engine.detect.graph.moved_pair import KnownPool
from engine.detect.sizing.exact import confirm_exact
from engine.domain.assets import AssetCode
from engine.domain.chains import NATIVE_ASSETS
from engine.domain.errors import BadValueError
from engine.domain.figures import four_digits
from engine.domain.opportunities import Hop, Opportunity, Reason
from engine.domain.plans import GasBound, Step
from engine.domain.units import BPS_PER_UNIT
from engine.market.gas_book import GasBook
from engine.market.valuation import Valuation
from engine.portfolio.costs import EXACT, ceil_share, ceil_to_quote_step, gas_amounts
from engine.portfolio.taken_pools import TakenPools
from engine.quote.exact_legs import ExactLegs
from engine.quote.gap import EDGE_STEP_BPS, LimitRules, Unconfirmed
from engine.quote.live_gas import BLOCKS_MAX, LiveGas, live_bound
from engine.quote.route import PIPS_PER_BPS, to_raw

FEE_DIGITS: Final = 8
"""Of a fee in whole tokens; of one that has fewer decimals its own."""


class AtomicRules(msgspec.Struct, frozen=True, kw_only=True):
    """How transactions are priced.

    Attributes:
        limits: how much less than expected each swap may give, while it runs too.
        gas: prices by chain; on one without, or with one that is too old, nothing is confirmed.
        live: how what is really sent is bound, by chain; others as if nobody knew their blocks.
    """

    limits: LimitRules
    flash_fee_bps: Decimal
    gas: GasBook
    live: Mapping[str, LiveGas] = {}


class ConfirmedAtomic(msgspec.Struct, frozen=True, kw_only=True):
    """A route at the exact amounts of one transaction.

    Attributes:
        size_base: what the first swap gives.
        gain_quote: what is got less what is paid, before gas and flash fee.
        flash_fee: if the input is borrowed.
        block: the newest block of the chain whose state it rests on, None if they have no numbers.
    """

    chain: str
    size_base: Decimal
    steps: tuple[Step, ...]
    gain_quote: Decimal
    flash_fee: Decimal
    gas: GasBound
    block: int | None

    @property
    def paid_quote(self) -> Decimal:
        """What the first swap takes."""
        return self.steps[0].amount_in

    def profit_quote(self, *, has_flash_loan: bool) -> Decimal:
        """Return what is left of the gain once gas, and the loan if there is one, are paid."""
        profit = EXACT.subtract(self.gain_quote, self.gas.usual_quote)
        return EXACT.subtract(profit, self.flash_fee) if has_flash_loan else profit

    def why_too_dear(self, *, has_flash_loan: bool) -> str:
        """Say why it is not sent if its gas may cost more than it gains; empty if it may not."""
        return too_dear(self.gas, self.profit_quote(has_flash_loan=has_flash_loan))

    def edge_bps(self, *, has_flash_loan: bool) -> Decimal:
        """Return the profit relative to what the first swap takes, rounded down."""
        profit = self.profit_quote(has_flash_loan=has_flash_loan)
        edge = EXACT.divide(profit * BPS_PER_UNIT, self.paid_quote)
        return edge.quantize(EDGE_STEP_BPS, ROUND_FLOOR, EXACT)


def too_dear(gas: GasBound, profit_quote: Decimal) -> str:
    """Say why what is sent costs more gas in its last block than it gains; empty if it does not.

    The profit is what is left with gas as it is expected; on paper both are one.
    """
    gained = EXACT.add(profit_quote, gas.usual_quote)
    if not gas.is_apart or gained > gas.quote:
        return ""
    return (
        f"its gas may cost {four_digits(float(gas.quote))} in its last block, and"
        f" {four_digits(float(gained))} is gained ({gas.limit_units:,} gas at most)"
    )


class AtomicConfirmer:
    """Confirms routes through the pools of one run."""

    def __init__(
        self,
        legs: ExactLegs,
        pools: Mapping[int, KnownPool],
        taken: TakenPools,
        valuation: Valuation,
        rules: AtomicRules,
        *,
        head_of: Callable[[str], int | None] = lambda _chain: None,
    ) -> None:
        self._legs = legs
        self._pools = pools
        self._taken = taken
        self._valuation = valuation
        self._rules = rules
        self._head_of = head_of

    def confirm(
        self, route: Opportunity, at_ns: int, *, is_live: bool = False
    ) -> ConfirmedAtomic | Unconfirmed:
        """Return what a transaction along a route of pools of one chain would do now.

        Args:
            route: of pools of one chain.
            at_ns: now.
            is_live: it is signed and sent; then its gas is bound for its last block, not for now.
        """
        gas = self.gas(route.hops, route.quote, at_ns)
        if isinstance(gas, Unconfirmed):
            return gas
        try:
            decimals = self._legs.decimals(route.hops)
            legs = [self._legs.leg(hop, decimals) for hop in route.hops]
        except BadValueError as error:
            return Unconfirmed(reason=Reason.NOT_CONFIRMED, detail=str(error))
        found = confirm_exact(
            legs,
            to_raw(route.hops[0].amount_in, decimals[route.quote]),
            flash_fee_pips=int(self._rules.flash_fee_bps * PIPS_PER_BPS),
        )
        if found is None:
            return Unconfirmed(
                reason=Reason.NOT_CONFIRMED,
                detail=f"nothing is gained with {four_digits(route.hops[0].amount_in)} "
                f"{route.quote} in whole units",
            )
        steps = self._steps(route, found.amounts_raw, decimals)
        gain_quote = EXACT.subtract(steps[-1].amount_out, steps[0].amount_in)
        flash_fee = ceil_share(steps[0].amount_in, self._rules.flash_fee_bps)
        if is_live:
            # A lender takes whole units, the next one up at the most.
            unit = Decimal(1).scaleb(-min(steps[0].decimals_in, FEE_DIGITS))
            flash_fee = flash_fee.quantize(unit, ROUND_CEILING, EXACT)
            gain = EXACT.subtract(gain_quote, flash_fee)
            gas = self.live_gas(gas, route.hops, route.quote, at_ns, gain=gain)
            if isinstance(gas, Unconfirmed):
                return gas
        return ConfirmedAtomic(
            chain=route.hops[0].chain,
            size_base=steps[0].amount_out,
            steps=steps,
            gain_quote=gain_quote,
            flash_fee=flash_fee,
            gas=gas,
            block=self.block(route.hops),
        )

    def block(self, hops: Sequence[Hop]) -> int | None:
        """Return the block as of which pools of one chain are known.

        A pool that no block changed for a while is as it was: the newest block is what counts.
        """
        head = self._head_of(hops[0].chain)
        if head is not None:
            return head
        blocks = [self._pools[hop.row].block for hop in hops]
        return min((block for block in blocks if block is not None), default=None)

    def gas(
        self, hops: Sequence[Hop], quote_asset: AssetCode, at_ns: int
    ) -> GasBound | Unconfirmed:
        """Return what a transaction through pools of one chain may pay, if they can be traded now.

        Args:
            hops: the pools.
            quote_asset: in which it is counted beside the chain's own asset.
            at_ns: now.
        """
        taken = self._taken.find_taken(hop.row for hop in hops)
        if taken is not None:
            return Unconfirmed(
                reason=Reason.LIQUIDITY_TAKEN,
                detail=f"{self._pools[taken].pool} was traded on paper and did not move since",
            )
        chain = hops[0].chain
        price, asset = self._rules.gas.price(chain), NATIVE_ASSETS.get(chain)
        if price is None or asset is None:
            return Unconfirmed(
                reason=Reason.NOT_CONFIRMED, detail=f"gas has no price at {chain or 'no chain'}"
            )
        if too_old := self._rules.gas.staleness(chain, at_ns):
            return Unconfirmed(reason=Reason.STALE_GAS, detail=too_old)
        missing = next((hop for hop in hops if hop.row not in self._pools), None)
        if missing is not None:
            return Unconfirmed(
                reason=Reason.NOT_CONFIRMED, detail=f"pool number {missing.row} is gone"
            )
        units = sum(self._pools[hop.row].pool.gas_units for hop in hops)
        amount, data_amount = gas_amounts(price, units, len(hops))
        quote = amount
        if asset != quote_asset and amount:
            rate = self._rate(asset, quote_asset, at_ns)
            if isinstance(rate, Unconfirmed):
                return rate
            quote = ceil_to_quote_step(EXACT.divide(amount * rate[0], rate[1]))
        return GasBound(
            asset=asset,
            units=units,
            price_gwei=price.gwei,
            amount=amount,
            quote=quote,
            data_amount=data_amount,
        )

    def live_gas(
        self,
        paper: GasBound,
        hops: Sequence[Hop],
        quote_asset: AssetCode,
        at_ns: int,
        *,
        gain: Decimal,
        is_swap: bool = False,
    ) -> GasBound | Unconfirmed:
        """Return what a transaction that is sent may pay for gas; see `live_bound`.

        Args:
            paper: the same at prices of now; see `gas`.
            hops: the pools.
            quote_asset: in which `gain` is.
            at_ns: now.
            gain: before gas.
            is_swap: it trades a token of the wallet, which has to be allowed first.
        """
        chain, rate = hops[0].chain, None
        if paper.asset != quote_asset:
            usd = self._rate(paper.asset, quote_asset, at_ns)
            if isinstance(usd, Unconfirmed):
                return usd
            rate = EXACT.divide(*usd)
        price = self._rules.gas.price(chain)
        assert price is not None
        return live_bound(
            paper,
            price,
            [self._pools[hop.row].pool for hop in hops],
            self._rules.live.get(chain, LiveGas(blocks=BLOCKS_MAX)),
            gain=gain,
            rate=rate,
            is_swap=is_swap,
        )

    def _rate(
        self, asset: AssetCode, quote_asset: AssetCode, at_ns: int
    ) -> tuple[Decimal, Decimal] | Unconfirmed:
        """Return what two assets are worth in USD, if books say."""
        native_usd = self._valuation.usd_per(asset, at_ns)
        quote_usd = self._valuation.usd_per(quote_asset, at_ns)
        if native_usd is None or quote_usd is None:
            gone = asset if native_usd is None else quote_asset
            return Unconfirmed(
                reason=Reason.NO_USD_PRICE, detail=f"no live book values {gone}, for its gas"
            )
        return native_usd, quote_usd

    def _steps(
        self, route: Opportunity, amounts_raw: Sequence[int], decimals: Mapping[AssetCode, int]
    ) -> tuple[Step, ...]:
        allow_bps = self._rules.limits.slippage_bps
        steps = self.steps(route.hops, amounts_raw, decimals, allow_bps=allow_bps)
        paid, last = steps[0].amount_in, steps[-1]
        owed = paid + ceil_share(paid, self._rules.flash_fee_bps)
        unit = Decimal(1).scaleb(-last.decimals_out)
        least = max(last.amount_out_min, owed.quantize(unit, ROUND_CEILING, EXACT))
        return (*steps[:-1], msgspec.structs.replace(last, amount_out_min=least))

    def steps(
        self,
        hops: Sequence[Hop],
        amounts_raw: Sequence[int],
        decimals: Mapping[AssetCode, int],
        *,
        allow_bps: Decimal,
    ) -> tuple[Step, ...]:
        """Return the swaps of a transaction.

        Args:
            hops: the pools.
            amounts_raw: what is there before each and after the last, in raw units.
            decimals: of the raw units, by asset.
            allow_bps: how much less than that each may give.
        """
        share = 1 - allow_bps / BPS_PER_UNIT
        steps = []
        for number, hop in enumerate(hops):
            decimals_in, decimals_out = decimals[hop.source], decimals[hop.target]
            amount_out = Decimal(amounts_raw[number + 1]).scaleb(-decimals_out, EXACT)
            unit = Decimal(1).scaleb(-decimals_out)
            steps.append(
                Step(
                    venue=hop.venue,
                    address=self._pools[hop.row].pool.address,
                    row=hop.row,
                    source=hop.source,
                    target=hop.target,
                    amount_in=Decimal(amounts_raw[number]).scaleb(-decimals_in, EXACT),
                    amount_out=amount_out,
                    amount_out_min=EXACT.multiply(amount_out, share).quantize(
                        unit, ROUND_FLOOR, EXACT
                    ),
                    decimals_in=decimals_in,
                    decimals_out=decimals_out,
                    frame_seq=hop.frame_seq,
                )
            )
        return tuple(steps)
