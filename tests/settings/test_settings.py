from decimal import Decimal
from pathlib import Path

import pytest

from engine.settings.load import SettingsError, load_settings
from engine.settings.reference import (
    all_settings,
    behind,
    render_configuration,
    render_env_example,
    write_all,
)

TOKEN = "123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi"
PHONE = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_OPERATOR_ID": "7"}
ROOT = Path(__file__).resolve().parents[2]


def write_dotenv(directory: Path, text: str) -> Path:
    path = directory / ".env"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_defaults_are_safe(tmp_path: Path) -> None:
    settings = load_settings({}, directory=tmp_path)

    assert settings.markets.source == "sandbox"
    assert settings.paper.mode_at_first_start == "observe"
    assert settings.limits.position_usd == Decimal(1000)
    assert settings.limits.daily_loss_usd == Decimal(500)
    assert settings.limits.net_edge_bps_min == Decimal(10)
    assert settings.markets.age_ms_max == 10_000


def test_environment_wins_over_dotenv_which_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "syndicate.toml").write_text("[limits]\nposition_usd = 1.5\ndaily_loss_usd = 3\n")
    write_dotenv(tmp_path, "SYNDICATE_LIMITS_POSITION_USD=2.5\nSYNDICATE_PAPER_SEED=9\n")

    settings = load_settings({"SYNDICATE_LIMITS_POSITION_USD": "3.5"}, directory=tmp_path)

    assert settings.limits.position_usd == Decimal("3.5")
    assert settings.limits.daily_loss_usd == Decimal(3)
    assert settings.paper.seed == 9


def test_a_toml_float_reaches_a_decimal_exactly(tmp_path: Path) -> None:
    (tmp_path / "syndicate.toml").write_text("[costs]\nfee_bps_taker = { binance = 7.1 }\n")

    settings = load_settings({}, directory=tmp_path)

    assert settings.costs.fee_bps_taker == {"binance": Decimal("7.1")}


@pytest.mark.parametrize(
    ("toml", "environment", "parts"),
    [
        ("[limits]\nposition_usdt = 1", {}, ["limits.position_usdt", "toml", "position_usd"]),
        ("[limit]\nposition_usd = 1", {}, ["[limit]", "limits"]),
        ("limits = 3", {}, ["limits", "[limits]"]),
        ("[limits]\nposition_usd = -1", {}, ["-1", "> 0"]),
        ("[limits]\nposition_usd = nan", {}, ["finite"]),
        ("[limits", {}, ["not valid TOML"]),
        ("", {"SYNDICATE_LIMIT_POSITION": "1"}, ["SYNDICATE_LIMITS_POSITION_USD"]),
        ("", {"TELEGRAM_TOKEN": "1"}, ["TELEGRAM_TOKEN", "TELEGRAM_BOT_TOKEN"]),
        ("", {"MARKETS": "real"}, ["MARKETS", "sandbox, live"]),
        ("", {"SYNDICATE_MARKETS_AGE_MS_MAX": "10s"}, ["AGE_MS_MAX", "int"]),
        ("", {"SYNDICATE_MARKETS_AGE_MS_MAX": "1"}, ["AGE_MS_MAX", ">= 100"]),
        ("", {"SYNDICATE_COSTS_FEE_BPS_TAKER": "binance=x"}, ["FEE_BPS_TAKER", "decimal"]),
        ("", {"SYNDICATE_COSTS_FEE_BPS_TAKER": "binance=-5"}, ["FEE_BPS_TAKER", "-5"]),
        (
            "",
            {"SYNDICATE_ROUTES_GAS_PRICE_GWEI": "arbitum=0.1"},
            ["GAS_PRICE_GWEI", "arbitum", "arbitrum"],
        ),
        ("", {"SYNDICATE_ROUTES_GAS_PRICE_GWEI": "base=-1"}, ["GAS_PRICE_GWEI", "-1", ">= 0"]),
        ("", {"SYNDICATE_ROUTES_GAS_PRICE_GWEI": "10"}, ["GAS_PRICE_GWEI"]),
        ("", {"TELEGRAM_OPERATOR_ID": "7"}, ["TELEGRAM_BOT_TOKEN is missing"]),
        ("", {"SYNDICATE_TELEGRAM_PEOPLE": "7=viewer"}, ["PEOPLE is set", "TELEGRAM_BOT_TOKEN"]),
        ("", {**PHONE, "SYNDICATE_TELEGRAM_PEOPLE": "8"}, ["PEOPLE", "not shown", "numeric"]),
        ("", {**PHONE, "SYNDICATE_TELEGRAM_PEOPLE": "8=boss"}, ["PEOPLE", "viewer, operator"]),
        ("", {**PHONE, "SYNDICATE_TELEGRAM_PEOPLE": "eve=viewer"}, ["PEOPLE", "numeric"]),
        ("", {**PHONE, "SYNDICATE_TELEGRAM_PEOPLE": "07=viewer"}, ["PEOPLE", "numeric"]),
        ("", {**PHONE, "SYNDICATE_TELEGRAM_PEOPLE": "7=viewer"}, ["PEOPLE", "again"]),
        (
            "",
            {
                **PHONE,
                "SYNDICATE_TELEGRAM_PEOPLE": "8=viewer",
                "SYNDICATE_APPROVALS_TWO_OPERATORS_USD": "5",
            },
            ["TWO_OPERATORS_USD", "12345678=operator"],
        ),
        ("", {"SYNDICATE_CONFIG": "nowhere.toml"}, ["nowhere.toml", "does not exist"]),
    ],
)
def test_a_bad_setting_refuses_the_start_and_names_the_key(
    tmp_path: Path, toml: str, environment: dict[str, str], parts: list[str]
) -> None:
    (tmp_path / "syndicate.toml").write_text(toml)

    with pytest.raises(SettingsError) as refused:
        load_settings(environment, directory=tmp_path)

    for part in parts:
        assert part in str(refused.value)


def test_an_unknown_key_in_dotenv_is_refused_but_a_foreign_variable_is_not(tmp_path: Path) -> None:
    load_settings({"LC_ALL": "C", "LIMITS": "x"}, directory=tmp_path)
    (tmp_path / ".env").write_text("LIMITS=3\n")

    with pytest.raises(SettingsError, match="LIMITS"):
        load_settings({}, directory=tmp_path)


def test_a_bad_secret_is_never_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"TELEGRAM_BOT_TOKEN": "hunter2hunter2"}, directory=tmp_path)

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["https://api.telegram.org", "https://api.telegram.org/", "https://api.telegram.org/bot/",
     "api.telegram.org/bot", "https://api.telegram.org/file/bot1:x", "https:///bot"],
)  # fmt: skip
def test_a_wrong_form_of_the_base_url_is_told_as_such(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"SYNDICATE_TELEGRAM_BASE_URL": url}, directory=tmp_path)

    assert "SYNDICATE_TELEGRAM_BASE_URL" in str(refused.value)
    assert "as https://api.telegram.org/bot" in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["http://bot.example.net/telegram", "http://192.168.1.7:8644/", "bot.example.net",
     "https://bot.example.net:8080/telegram", "https://bot.example.net:99999/",
     "https://me:hunter2@bot.example.net/", f"https://bot.example.net/{TOKEN}"],
)  # fmt: skip
def test_a_webhook_to_which_telegram_cannot_post_safely_is_refused_and_not_repeated(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"SYNDICATE_TELEGRAM_WEBHOOK_URL": url}, directory=tmp_path)

    assert "https://bot.example.org/telegram, with TLS" in str(refused.value)
    assert url not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["https://bot.example.org/telegram", "https://example.org:8443", "http://127.0.0.1:8644/x"],
)
def test_a_webhook_with_tls_or_on_this_machine_is_taken(tmp_path: Path, url: str) -> None:
    settings = load_settings({"SYNDICATE_TELEGRAM_WEBHOOK_URL": url}, directory=tmp_path)

    assert settings.telegram.webhook_url == url


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({}, "TELEGRAM_BOT_TOKEN"),
        ({"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_OPERATOR_ID": "7"}, "same bot"),
    ],
)
def test_a_pager_that_is_no_second_bot_is_refused(
    tmp_path: Path, environment: dict[str, str], why: str
) -> None:
    environment |= {"SYNDICATE_TELEGRAM_PAGER_TOKEN": TOKEN}
    with pytest.raises(SettingsError, match=why) as refused:
        load_settings(environment, directory=tmp_path)

    assert "SYNDICATE_TELEGRAM_PAGER_TOKEN" in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_two_doors_on_one_port_are_refused(tmp_path: Path) -> None:
    environment = {
        "SYNDICATE_TELEGRAM_WEBHOOK_URL": "https://bot.example.org/telegram",
        "SYNDICATE_TELEGRAM_WEBHOOK_PORT": "8643",
        "SYNDICATE_DOOR_KILL_SECRET": "s" * 40,
    }
    with pytest.raises(SettingsError, match="WEBHOOK_PORT"):
        load_settings(environment, directory=tmp_path)


def test_the_phone_needs_token_and_operator(tmp_path: Path) -> None:
    settings = load_settings(
        {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_OPERATOR_ID": "7"}, directory=tmp_path
    )

    assert settings.telegram.operator_id == 7


def test_every_setting_has_a_reason_and_is_in_the_generated_files() -> None:
    env_example = (ROOT / ".env.example").read_text()
    configuration = (ROOT / "docs" / "configuration.md").read_text()

    assert env_example == render_env_example(), "run `make docs`"
    assert configuration == render_configuration(), "run `make docs`"
    for line in all_settings():
        assert line.why


def test_every_number_has_a_unit_or_counts_something() -> None:
    counts = {"orders_per_minute_max", "backups_kept", "seed", "operator_id", "sandbox_port",
              "sandbox_speed", "latency_factor", "late_fill_ratio", "kill_port",
              "webhook_port", "port"}  # fmt: skip
    for line in all_settings():
        is_number = line.default.replace(".", "").isdigit()
        assert line.unit or not is_number or line.name in counts, line.name


def test_the_example_file_uncommented_is_valid(tmp_path: Path) -> None:
    lines = render_env_example().splitlines()
    values = [line[1:] for line in lines if line.startswith("#") and "=" in line and line[1] != " "]
    write_dotenv(tmp_path, "\n".join(values))

    assert load_settings({}, directory=tmp_path) == load_settings({}, directory=tmp_path / "none")


@pytest.mark.parametrize(
    ("proxy", "part"),
    [
        ("ftp://h:1", "none of http, socks5"),
        ("proxy.example:3128", "none of http, socks5"),
        ("http://proxy.example", "lacks a host or a port"),
        ("socks5://u:hidden-word@:1080", "lacks a host or a port"),
        ("http://h:99999", "cannot be read"),
        ("http://h:3128/path", "something follows"),
    ],
)
def test_a_proxy_that_is_none_is_refused_in_a_sentence_without_its_text(
    tmp_path: Path, proxy: str, part: str
) -> None:
    with pytest.raises(SettingsError, match=part) as refused:
        load_settings({"SYNDICATE_NETWORK_PROXY": proxy}, directory=tmp_path)

    assert "SYNDICATE_NETWORK_PROXY" in str(refused.value)
    assert "hidden-word" not in str(refused.value)


@pytest.mark.parametrize("proxy", ["http://h:3128", "socks5://user:word@[::1]:1080/"])
def test_a_proxy_may_ask_for_a_password(tmp_path: Path, proxy: str) -> None:
    settings = load_settings({"SYNDICATE_NETWORK_PROXY": proxy}, directory=tmp_path)

    assert settings.network.proxy == proxy


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there_are_a_sentence(tmp_path: Path, name: str) -> None:
    environment = {name: str(tmp_path / "gone"), "MARKETS": "live"}

    with pytest.raises(SettingsError, match=rf"{name}.*gone.*does not exist"):
        load_settings(environment, directory=tmp_path)
    load_settings(environment | {"MARKETS": "sandbox"}, directory=tmp_path)


def test_a_certificate_file_without_certificates_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing")

    with pytest.raises(SettingsError, match=r"SSL_CERT_FILE.*nothing can be connected"):
        load_settings({"SSL_CERT_FILE": str(path), "MARKETS": "live"}, directory=tmp_path)


def test_an_unknown_time_zone_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Europe/Berlin"):
        load_settings({"SYNDICATE_OPERATOR_TIME_ZONE": "Europe/Berln"}, directory=tmp_path)

    settings = load_settings({"SYNDICATE_OPERATOR_TIME_ZONE": "Asia/Tokyo"}, directory=tmp_path)
    assert settings.operator.time_zone == "Asia/Tokyo"


def test_a_generated_file_behind_the_settings_is_named(tmp_path: Path) -> None:
    write_all(tmp_path)
    was_behind = behind(tmp_path)
    (tmp_path / ".env.example").write_text("", encoding="utf-8")

    assert (was_behind, behind(tmp_path)) == ([], [".env.example"])
