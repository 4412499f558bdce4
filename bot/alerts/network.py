"""Several venues lost together are one alert: the way to them is gone, not each of them."""

from collections.abc import Iterable, Mapping
from typing import Final

from bot.alerts.alert import Alert
from bot.alerts.table import NETWORK, of_engine
from engine.bus.notices import Notice, VenueLost, VenuesBack, VenuesLost
from engine.domain.units import NS_PER_MS, NS_PER_S

LEAST: Final = 3
WITHIN_NS: Final = 30 * NS_PER_S
"""So many venues of one engine, lost within this time, were lost together."""


def find_changes(alerts: Mapping[str, Alert]) -> list[Notice]:
    """Return which engines lost several venues at once, or have them back."""
    lost: dict[str, list[VenueLost]] = {}
    for alert in alerts.values():
        notice = alert.newest.notice
        if isinstance(notice, VenueLost) and not alert.is_over and not notice.is_chain:
            lost.setdefault(notice.engine_id, []).append(notice)
    return [*_lost_together(lost, alerts), *_back(lost, alerts)]


def _lost_together(
    lost: Mapping[str, list[VenueLost]], alerts: Mapping[str, Alert]
) -> Iterable[Notice]:
    for engine_id, notices in lost.items():
        known = alerts.get(of_engine(engine_id, NETWORK))
        last = max(notices, key=lambda notice: notice.at_ns)
        together = [one for one in notices if last.at_ns - one.at_ns <= WITHIN_NS]
        if (known is None or known.is_over) and len(together) >= LEAST:
            yield VenuesLost(
                at_ns=last.at_ns,
                basis=last.basis,
                engine_id=engine_id,
                venues=tuple(sorted(one.venue for one in together)),
            )


def _back(lost: Mapping[str, list[VenueLost]], alerts: Mapping[str, Alert]) -> Iterable[Notice]:
    for alert in alerts.values():
        notice = alert.newest.notice
        if not isinstance(notice, VenuesLost) or alert.is_over:
            continue
        if len(lost.get(notice.engine_id, [])) <= 1:
            at_ns = max((one.resolved_at_ns for one in alerts.values()), default=notice.at_ns)
            yield VenuesBack(
                at_ns=at_ns,
                basis=notice.basis,
                engine_id=notice.engine_id,
                lost_ms=max(0, at_ns - notice.at_ns) // NS_PER_MS,
            )
