"""The settings in force, as a front-end may show them."""

from pathlib import Path

from engine.settings.load import load_settings
from engine.settings.schema import Settings
from engine.wiring.front_end import in_force

TOKEN = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_no_secret_is_among_the_settings_that_are_shown(tmp_path: Path) -> None:
    environment = {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_OPERATOR_ID": "4242",
        "SYNDICATE_OPERATOR_TOTP_SECRET": SEED,
        "SYNDICATE_BUS_URL": "redis://:hunter2pass@localhost:6379/0",
        "SYNDICATE_LIMITS_POSITION_USD": "250",
    }
    settings = load_settings(environment, directory=tmp_path)

    shown = {f"{one.section}.{one.name}": one for one in in_force(settings, environment)}

    text = repr(shown)
    assert not any(secret in text for secret in (TOKEN, SEED, "hunter2pass", "4242"))
    for name in ("telegram.bot_token", "operator.totp_secret", "bus.url", "telegram.operator_id"):
        assert (shown[name].value, shown[name].is_default) == ("set", False)
    assert (shown["limits.position_usd"].value, shown["limits.position_usd"].is_default) == (
        "250",
        False,
    )
    assert sum(not one.is_default for one in shown.values()) == 5


def test_defaults_are_called_so() -> None:
    assert all(one.is_default for one in in_force(Settings(), {}))
    assert {one.value for one in in_force(Settings(), {}) if one.name == "bot_token"} == {"not set"}
