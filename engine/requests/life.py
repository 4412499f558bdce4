"""What is open now, and the whole life of one trade."""

from typing import TYPE_CHECKING

from engine.bus.life import ExposureReport, LifeReport, PositionLine
from engine.bus.reports import Unknown
from engine.bus.request import EngineRequest, LedgerRequest
from engine.domain.exact import exact_product
from engine.domain.modes import Money

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers
    from engine.storage.ledger import Ledger


class GetExposure(EngineRequest[ExposureReport], frozen=True, kw_only=True):
    """What is open, and what it could cost."""

    async def answer(self, engine: "EngineAnswers", /) -> ExposureReport:
        """See `Request.answer`."""
        core, at_ns = engine.core, engine.clock()
        left_over = [
            (money, one)
            for money, positions in (
                (Money.PAPER, core.positions),
                (Money.LIVE, core.live.positions),
            )
            for one in positions.residuals
        ]
        usd_per = {
            asset: core.valuation.usd_per(asset, at_ns)
            for _, one in left_over
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
                    money=money,
                )
                for money, one in left_over
                if one.held.value
            ],
            positions_usd=exposure.usd,
            unrealised_usd=core.positions.marked(usd_per.get, at_ns).usd,
            unpriced=sorted(exposure.unpriced),
            today_usd=core.positions.realised_usd(at_ns),
            waiting=status.records_waiting,
            live_plans=len(core.live.under_way),
            live_gas_usd=core.live.under_way.gas_usd,
            live_positions_usd=core.live.positions.exposure(usd_per.get, at_ns).usd,
            live_today_usd=core.live.positions.realised_usd(at_ns),
        )


class GetLife(LedgerRequest[LifeReport | Unknown], frozen=True, kw_only=True):
    """One trade by its id or that of its opportunity; the newest one for an empty id."""

    ref: str = ""

    async def answer(self, ledger: "Ledger", /) -> LifeReport | Unknown:
        """See `Request.answer`."""
        return await ledger.life(self.ref)
