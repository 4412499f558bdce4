"""Say whether the audit is whole, for a person on the host."""

from engine.bus.reports import AuditReport
from engine.domain.errors import TransientError
from engine.requests.audit import GetAudit
from engine.settings.schema import Settings
from engine.storage.audit_check import check_closed
from engine.wiring.front_end import open_facade
from engine.wiring.ledger_role import ledger_settings
from engine.wiring.paths import Paths


async def check_audit(settings: Settings, paths: Paths, *, looked_for: str) -> AuditReport:
    """Have the ledger check it; where none runs, look at the database itself."""
    async with open_facade(paths) as facade:
        try:
            return await facade.ask(GetAudit(limit=0, looked_for=looked_for))
        except TransientError:
            pass
    return await check_closed(ledger_settings(settings, paths), looked_for=looked_for or None)


def told(report: AuditReport) -> list[str]:
    """Return what to say of it."""
    lines = [f"noted in the audit: {gap}" for gap in report.gaps]
    if report.broken:
        return [*lines, f"BROKEN: {report.broken}"]
    return [*lines, f"whole: {report.links} links, the newest {report.newest}"]
