"""What is open now, and the whole life of one trade."""

from typing import TYPE_CHECKING

from engine.bus.life import ExposureReport, LifeReport, PositionLine
from engine.bus.reports import Unknown
from engine.bus.request import EngineRequest, LedgerRequest
from engine.domain.exact import exact_product

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers
    from engine.storage.ledger import Ledger


class GetExposure(EngineRequest[ExposureReport], frozen=True, kw_only=True):
    """What is open, and what it could cost."""

    async def answer(self, engine: "EngineAnswers", /) -> ExposureReport:
        """See `Request.answer`."""
        core, at_ns = engine.core, engine.clock()
        usd_per = {
            asset: core.valuation.usd_per(asset, at_ns)
            for one in core.positions.residuals
            for asset in (one.held.asset, one.carry.asset)
        }
        exposure = core.positions.exposure(usd_per.get, at_ns)
        status = engine.reports.status(at_ns)
        return ExposureReport(
            basis=status.basis,
            mode=status.mode,
            is_killed=status.is_killed,
            is_paused=status.is_paused,
            plans=len(core.under_way),
            plans_usd=core.under_way.total_usd,
            gas_usd=core.under_way.gas_usd,
            positions=[
                PositionLine(
                    venue=one.venue,
                    asset=one.held.asset,
                    held=one.held.value,
                    carry_asset=one.carry.asset,
                    carry=one.carry.value,
                    usd=None
                    if (usd := usd_per[one.held.asset]) is None
                    else exact_product(one.held.value, usd),
                )
                for one in core.positions.residuals
                if one.held.value
            ],
            positions_usd=exposure.usd,
            unrealised_usd=core.positions.marked(usd_per.get, at_ns).usd,
            unpriced=sorted(exposure.unpriced),
            today_usd=core.positions.realised_usd(at_ns),
            waiting=status.records_waiting,
        )


class GetLife(LedgerRequest[LifeReport | Unknown], frozen=True, kw_only=True):
    """One trade by its id or that of its opportunity; the newest one for an empty id."""

    ref: str = ""

    async def answer(self, ledger: "Ledger", /) -> LifeReport | Unknown:
        """See `Request.answer`."""
        return await ledger.life(self.ref)
