"""What transactions cost on each chain."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from engine.bus.gas_report import GasLine, GasReport
from engine.bus.request import EngineRequest
from engine.domain.chains import NATIVE_ASSETS
from engine.domain.exact import exact_product
from engine.domain.units import GWEI_DECIMALS, NATIVE_DECIMALS

if TYPE_CHECKING:
    from engine.operate.core_parts import Core
    from engine.operate.engine_answers import EngineAnswers

LEGS: Final = 2
"""Swaps of the route that is shown."""


class GetGas(EngineRequest[GasReport], frozen=True, kw_only=True):
    """What gas and bytes cost on each chain, and a route of two swaps in all."""

    async def answer(self, engine: "EngineAnswers", /) -> GasReport:
        """See `Request.answer`."""
        return make_gas_report(engine.core, engine.clock())


def make_gas_report(core: "Core", at_ns: int) -> GasReport:
    """Return what a transaction costs on each chain that has pools or a price."""
    units: dict[str, list[int]] = {}
    for pool in core.moving_pools.terms.values():
        units.setdefault(pool.chain, []).append(pool.gas_units)
    chains = sorted({*units, *core.gas.chains} & NATIVE_ASSETS.keys())
    return GasReport(
        basis=core.basis,
        market_note=core.header.market_note,
        chains=[_line(core, chain, units.get(chain, []), at_ns) for chain in chains],
    )


def _line(core: "Core", chain: str, units: list[int], at_ns: int) -> GasLine:
    native, price = NATIVE_ASSETS[chain], core.gas.price(chain)
    usd = core.valuation.usd_per(native, at_ns)
    data_usd = route_usd = None
    if price is not None and usd is not None:
        data_usd = exact_product(Decimal(price.data_raw(LEGS)).scaleb(-NATIVE_DECIMALS), usd)
        if units:
            middle = sorted(units)[len(units) // 2]
            gas = exact_product(price.gwei, Decimal(LEGS * middle)).scaleb(-GWEI_DECIMALS)
            route_usd = exact_product(gas, usd) + data_usd
    return GasLine(
        chain=chain,
        native=native,
        gwei=None if price is None else price.gwei,
        now_gwei=None if price is None else price.now_gwei,
        native_usd=usd,
        data_usd=data_usd,
        route_usd=route_usd,
        age_ms=core.gas.age_ms(chain, at_ns),
        too_old=core.gas.staleness(chain, at_ns),
    )
