"""THE list of settings: name, type, bounds, unit, default and why. Everything else is derived.

Each section is a struct in `sections`. The environment name of a setting is
``SYNDICATE_<SECTION>_<NAME>``, except for the three in `SHORT_NAMES`.
"""

from typing import Final

import msgspec

from engine.settings.sections.budgets import BudgetsSettings
from engine.settings.sections.chains import ChainsSettings
from engine.settings.sections.exchanges import ExchangesSettings
from engine.settings.sections.keeping import DataSettings, LogSettings, RecordingSettings
from engine.settings.sections.market import CostsSettings, MarketsSettings, RoutesSettings
from engine.settings.sections.money import LimitsSettings, PaperSettings
from engine.settings.sections.people import (
    AlertSettings,
    ApprovalsSettings,
    OperatorSettings,
    PingSettings,
    TelegramSettings,
)
from engine.settings.sections.processes import (
    BackgroundSettings,
    BusSettings,
    DoorSettings,
    EngineSettings,
    NetworkSettings,
    WorkersSettings,
)
from engine.settings.sections.signer import SignerSettings
from engine.settings.sections.transfers import TransfersSettings
from engine.settings.sections.ways_in import GatewaySettings

__all__ = [
    "SECRETS",
    "SHORT_NAMES",
    "UNSHOWN",
    "AlertSettings",
    "ApprovalsSettings",
    "BackgroundSettings",
    "BudgetsSettings",
    "BusSettings",
    "ChainsSettings",
    "CostsSettings",
    "DataSettings",
    "DoorSettings",
    "EngineSettings",
    "ExchangesSettings",
    "GatewaySettings",
    "LimitsSettings",
    "LogSettings",
    "MarketsSettings",
    "NetworkSettings",
    "OperatorSettings",
    "PaperSettings",
    "PingSettings",
    "RecordingSettings",
    "RoutesSettings",
    "Settings",
    "SignerSettings",
    "TelegramSettings",
    "TransfersSettings",
    "WorkersSettings",
    "environment_name",
]

SHORT_NAMES: Final = {
    ("telegram", "bot_token"): "TELEGRAM_BOT_TOKEN",
    ("telegram", "operator_id"): "TELEGRAM_OPERATOR_ID",
    ("markets", "source"): "MARKETS",
}

SECRETS: Final = frozenset(
    {
        ("telegram", "bot_token"),
        ("telegram", "pager_token"),
        ("operator", "totp_secret"),
        ("data", "database_url"),
        ("bus", "url"),
        ("network", "proxy"),
        ("alert", "urls"),
        ("ping", "url"),
        ("door", "kill_secret"),
        ("chains", "providers"),
        ("signer", "remote_url"),
    }
)

UNSHOWN: Final = SECRETS | {
    ("telegram", "operator_id"),
    ("telegram", "people"),
    ("telegram", "base_url"),
    ("telegram", "webhook_url"),
}
"""Settings whose wrong values are not repeated: a secret may have been put into them."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings, by section."""

    markets: MarketsSettings = MarketsSettings()
    costs: CostsSettings = CostsSettings()
    routes: RoutesSettings = RoutesSettings()
    chains: ChainsSettings = ChainsSettings()
    workers: WorkersSettings = WorkersSettings()
    limits: LimitsSettings = LimitsSettings()
    paper: PaperSettings = PaperSettings()
    data: DataSettings = DataSettings()
    recording: RecordingSettings = RecordingSettings()
    telegram: TelegramSettings = TelegramSettings()
    alert: AlertSettings = AlertSettings()
    ping: PingSettings = PingSettings()
    operator: OperatorSettings = OperatorSettings()
    approvals: ApprovalsSettings = ApprovalsSettings()
    engine: EngineSettings = EngineSettings()
    signer: SignerSettings = SignerSettings()
    exchanges: ExchangesSettings = ExchangesSettings()
    transfers: TransfersSettings = TransfersSettings()
    background: BackgroundSettings = BackgroundSettings()
    network: NetworkSettings = NetworkSettings()
    bus: BusSettings = BusSettings()
    door: DoorSettings = DoorSettings()
    gateway: GatewaySettings = GatewaySettings()
    budgets: BudgetsSettings = BudgetsSettings()
    log: LogSettings = LogSettings()


def environment_name(section: str, name: str) -> str:
    """Return the environment variable of a setting."""
    short = SHORT_NAMES.get((section, name))
    return short if short is not None else f"SYNDICATE_{section}_{name}".upper()
