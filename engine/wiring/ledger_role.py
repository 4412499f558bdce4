"""The ledger role: the database behind its socket."""

from decimal import Decimal

from engine.domain.assets import AssetCode
from engine.domain.destinations import parse_destinations
from engine.domain.rebalancing import TransferTerms
from engine.gateways.gateway_list import GATEWAYS
from engine.operate.clock import make_clock
from engine.operate.running_role import running_role
from engine.settings.schema import Settings
from engine.storage.durable_file import LOG_BYTES
from engine.storage.ledger import open_ledger
from engine.storage.ledger_settings import LedgerSettings
from engine.wiring.bus import served
from engine.wiring.health import watched
from engine.wiring.markets import basis_of, market_note
from engine.wiring.paths import Paths


def ledger_settings(settings: Settings, paths: Paths, *, note: str = "") -> LedgerSettings:
    """Translate the installation's settings for the ledger; `note` goes with its reports."""
    return LedgerSettings(
        data_dir=paths.data_dir,
        url=settings.data.database_url or "",
        basis=basis_of(settings),
        market_note=note,
        retention_days=settings.data.retention_days,
        daily_at_s=seconds_of_day(settings.operator.daily_report_at),
        backup_s=settings.data.backup_s,
        backups_kept=settings.data.backups_kept,
        log_bytes=LOG_BYTES,
        transfers=TransferTerms(
            usd=settings.exchanges.transfer_usd,
            minutes=settings.exchanges.transfer_minutes,
            usd_by_asset=by_asset(settings.exchanges.transfer_usd_of),
            minutes_by_asset=by_asset(settings.exchanges.transfer_minutes_of),
        ),
        destinations=parse_destinations(settings.exchanges.destinations, exchanges=GATEWAYS),
    )


def by_asset(values: dict[str, Decimal]) -> dict[AssetCode, Decimal]:
    """Name what stands by asset in the settings by that."""
    return {AssetCode(code): value for code, value in values.items()}


def seconds_of_day(text: str) -> int | None:
    """Read a time of day, as 00:05; None for none."""
    hours, _, minutes = text.partition(":")
    return 3_600 * int(hours) + 60 * int(minutes) if minutes else None


async def run_ledger(settings: Settings, paths: Paths) -> None:
    """Serve the ledger until told to stop.

    Raises:
        FatalError: the database cannot be used, or refused a money record.
    """
    async with running_role() as role:
        own = ledger_settings(settings, paths, note=market_note(settings, paths))
        async with (
            open_ledger(own, clock=make_clock()) as ledger,
            watched(settings, paths, ledger, clock=make_clock()),
            served(paths, "ledger", ledger, on_fatal=role.on_fatal),
        ):
            await role.until_stopped()
