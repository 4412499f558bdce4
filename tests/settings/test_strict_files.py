"""What is not plainly a setting refuses the start: no limit stays at its default in silence."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.settings.load import SettingsError, load_settings
from engine.settings.passing import role_environment

TOKEN = "123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi"
PAGER_TOKEN = "987654321:AAppAAggEErrAAppAAggEErrAAppAAggEEr"
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def write(directory: Path, text: str, *, name: str = ".env", mode: int = 0o600) -> Path:
    path = directory / name
    path.write_text(text)
    path.chmod(mode)
    return path


def refusal(directory: Path, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings(environment or {}, directory=directory)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n# mine\nSYNDICATE_LIMITS_POSITION_USD: 50\n", 3),
        ("SYNDICATE_PAPER_SEED=1\nSYNDICATE_LIMITS_POSITION_USD 50\n", 2),
        ("SYNDICATE_LIMITS_POSITION_USD\n", 1),
        ("SYNDICATE_LIMITS_POSITION_USD='50\nSYNDICATE_PAPER_SEED=1\n", 1),
        ('\n\nSYNDICATE_LIMITS_POSITION_USD="50\nSYNDICATE_PAPER_SEED="1"\n', 3),
        ("SYNDICATE_LIMITS_POSITION_USD='5'0\n", 1),
        ("SYNDICATE_LIMITS_POSITON_USD=50\n", 1),
        ("SYNDICATE_LIMITS_POSITION_USD=50\r\nSYNDICATE_LIMITS_POSITION_USD=5000\r\n", 2),
    ],
)
def test_a_line_that_assigns_nothing_refuses_the_start(
    tmp_path: Path, text: str, line: int
) -> None:
    path = write(tmp_path, text)

    said = refusal(tmp_path)

    assert f"{path}, line {line}" in said
    assert "SYNDICATE_LIMITS_POSITION_USD" in said


def test_comments_quotes_export_and_empty_lines_are_fine(tmp_path: Path) -> None:
    write(
        tmp_path,
        "# all of it\n\nexport SYNDICATE_PAPER_SEED=3 # three\n"
        "SYNDICATE_LIMITS_POSITION_USD='50'\r\n SYNDICATE_LIMITS_DAILY_LOSS_USD = \"7\"\n"
        "TELEGRAM_BOT_TOKEN=\n",
    )

    settings = load_settings({}, directory=tmp_path)

    assert (settings.paper.seed, settings.limits.position_usd) == (3, Decimal(50))
    assert settings.limits.daily_loss_usd == 7


@pytest.mark.parametrize(
    "variable",
    [
        "syndicate_limits_position_usd",
        "Syndicate_Limits_Position_USD",
        "SYNDICATE-LIMITS-POSITION-USD",
        "telegram_bot_token",
        "Markets",
    ],
)
def test_a_variable_in_other_letters_is_no_default_in_silence(
    tmp_path: Path, variable: str
) -> None:
    said = refusal(tmp_path, {variable: "50"})

    assert variable.upper().replace("-", "_") in said


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"SYNDICATE_PAPER_SEED=\xe9\n"])
def test_a_file_that_is_no_text_refuses_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)

    assert "UTF-8" in refusal(tmp_path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_dotenv_that_others_may_use_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, mode: int
) -> None:
    path = write(tmp_path, "MARKETS=live\n", mode=mode)

    assert f"chmod 600 {path}" in refusal(tmp_path)


def test_a_toml_file_that_others_may_read_may_hold_limits_and_no_secret(tmp_path: Path) -> None:
    path = write(tmp_path, "[limits]\nposition_usd = 5\n", name="syndicate.toml", mode=0o644)
    load_settings({}, directory=tmp_path)
    path.write_text(f'[operator]\ntotp_secret = "{TOTP}"\n')

    assert f"chmod 600 {path}" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("variable", "text", "parts"),
    [
        ("SYNDICATE_COSTS_FEE_BPS_TAKER", "coinbse=60", ["coinbse", "coinbase"]),
        ("SYNDICATE_COSTS_FEE_BPS_TAKER", "binance=1,binance=9", ["binance", "twice"]),
        ("SYNDICATE_MARKETS_FEEDS", "gemini=v2", ["'v2'", "l2", "depth"]),
        ("SYNDICATE_MARKETS_FEEDS", "germini=l2", ["germini", "gemini"]),
        ("SYNDICATE_MARKETS_FEEDS", "ccxt-okx=depth", ["'depth'", "stream", "poll"]),
        ("SYNDICATE_COSTS_FEE_BPS_TAKER", "ccxt-ocks=6", ["ccxt-ocks", "no venue"]),
        ("SYNDICATE_EXCHANGES_CCXT", "okx,kuckoin", ["kuckoin", "kucoin", "kucoineu"]),
        ("SYNDICATE_EXCHANGES_CCXT", "okx,okx", ["okx", "twice"]),
        ("SYNDICATE_EXCHANGES_VENUES", "ccxt-okx", ["ccxt-okx", "no orders", "docs/ccxt.md"]),
        ("SYNDICATE_MARKETS_VENUES", "ccxt-okx", ["SYNDICATE_EXCHANGES_CCXT=okx"]),
        ("SYNDICATE_MARKETS_VENUES", "binance,Gemini", ["Gemini", "gemini"]),
        ("SYNDICATE_MARKETS_VENUES", "binance,binance", ["binance", "twice"]),
        ("SYNDICATE_MARKETS_PAIRS", "btc-usd,ETH-USD", ["btc-usd", "BTC-USD"]),
        ("SYNDICATE_MARKETS_PAIRS", "BTC/USD", ["BTC/USD", "BTC-USD"]),
        ("SYNDICATE_MARKETS_PAIRS", "BTCUSD", ["BTCUSD", "BTC-USD"]),
        ("SYNDICATE_MARKETS_PAIRS", "BTC-USD,BTC-USD", ["BTC-USD", "twice"]),
        ("SYNDICATE_ROUTES_BRIDGES", "BTC=5", ["BTC"]),
        ("SYNDICATE_DATA_DIR", "~nobody-of-this-name/x", ["home"]),
        ("SYNDICATE_DATA_DIR", "$HOME/x", ["$, for which", "write it out"]),
        ("SYNDICATE_DATA_DATABASE_URL", "mysql://root@host/x", ["postgresql+asyncpg://"]),
    ],
)
def test_an_unknown_name_in_a_list_refuses_the_start_with_the_nearest_known_one(
    tmp_path: Path, variable: str, text: str, parts: list[str]
) -> None:
    write(tmp_path, f"SYNDICATE_PAPER_SEED=1\n{variable}={text}\n")

    said = refusal(tmp_path)

    for part in parts:
        assert part in said
    assert variable in said
    assert "line 2" in said or variable == "SYNDICATE_DATA_DIR"


def test_an_exchange_is_followed_one_way_unless_it_is_the_sandboxs(tmp_path: Path) -> None:
    two_ways = {"SYNDICATE_EXCHANGES_CCXT": "okx,bitstamp"}

    assert "bitstamp, which has a feed of its own" in refusal(
        tmp_path, two_ways | {"MARKETS": "live"}
    )
    assert load_settings(two_ways, directory=tmp_path).exchanges.ccxt == ["okx", "bitstamp"]


def test_a_venue_through_ccxt_has_its_fee_and_its_feed_set_by_its_name(tmp_path: Path) -> None:
    own = {
        "SYNDICATE_COSTS_FEE_BPS_TAKER": "ccxt-okx=8",
        "SYNDICATE_MARKETS_FEEDS": "ccxt-okx=poll",
    }

    settings = load_settings(own, directory=tmp_path)

    assert settings.costs.fee_bps_taker == {"ccxt-okx": 8}
    assert settings.markets.feeds == {"ccxt-okx": "poll"}


def test_a_toml_key_is_named_with_its_line(tmp_path: Path) -> None:
    text = '[limits]\nposition_usd = 5\n\n[markets]\nvenues = ["binanc"]\n'
    path = write(tmp_path, text, name="syndicate.toml")

    assert f"{path}, line 5" in refusal(tmp_path)


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    settings = load_settings({"SYNDICATE_DATA_DIR": "~/x"}, directory=tmp_path)

    assert settings.data.dir == str(tmp_path / "x")


@pytest.mark.parametrize(
    "text",
    [
        f"TELEGRAM_OPERATOR_ID={TOKEN}\nTELEGRAM_BOT_TOKEN=123456789\n",
        f"TELEGRAM_BOT_TOKEN={TOKEN} \nTELEGRAM_OPERATOR_ID=x{TOKEN}\n",
        f"SYNDICATE_TELEGRAM_BASE_URL=https://api.telegram.org/bot{TOKEN}\n",
        f"SYNDICATE_TELEGRAM_BASE_URL=api.telegram.org/bot{TOKEN}\n",
        f"SYNDICATE_PAPER_SEED={TOTP}\n",
        f"SYNDICATE_PAPER_SEED={TOTP[:16]}\n",
        f"SYNDICATE_LIMITS_POSITION_USD={TOTP[:16].lower()}\n",
        f"SYNDICATE_MARKETS_VENUES={TOTP}\n",
        f"SYNDICATE_MARKETS_PAIRS={TOKEN}\n",
        f"SYNDICATE_COSTS_FEE_BPS_TAKER={TOTP}=4\n",
        f"SYNDICATE_COSTS_FEE_BPS_TAKER=binance={TOTP}\n",
        f"SYNDICATE_COSTS_FEE_BPS_TAKER={TOTP}=4,{TOTP}=5\n",
        f"SYNDICATE_OPERATOR_TOTP_SECRET={TOTP.lower()}\n",
        f"SYNDICATE_LOG_LEVEL={TOTP}\n",
        f"{TOKEN}\n",
        f"{TOTP}\n",
        f"{TOTP}=\n",
        f"SYNDICATE_{TOTP}=1\n",
        f"TELEGRAM_BOT_TOKEN: {TOKEN}\n",
        f"TELEGRAM_BOT_TOKEN='{TOKEN}\n",
        f"SYNDICATE_DATA_DATABASE_URL=postgres://me:{TOTP}@host/name\n",
        f"SYNDICATE_DATA_DATABASE_URL=mysql://host/name?password=pw@{TOTP}\n",
        f"SYNDICATE_LIMITS_POSITION_USD=postgresql://me:p@{TOTP[:10]}@host/name\n",
    ],
)
@pytest.mark.parametrize("is_in_file", [True, False])
def test_no_secret_in_a_wrong_place_is_repeated(
    tmp_path: Path, text: str, *, is_in_file: bool
) -> None:
    environment = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if is_in_file:
        write(tmp_path, text)
    elif not environment or not all(k.startswith(("SYND", "TELE")) for k in environment):
        return

    said = refusal(tmp_path, {} if is_in_file else environment).casefold()

    for secret in (TOKEN.partition(":")[2], TOTP, TOTP[:16], TOTP[:10]):
        assert secret[:10].casefold() not in said


def test_a_role_knows_all_settings_and_only_its_own_secrets(tmp_path: Path) -> None:
    write(
        tmp_path,
        f"TELEGRAM_BOT_TOKEN={TOKEN}\nTELEGRAM_OPERATOR_ID=77\n"
        f"SYNDICATE_TELEGRAM_PAGER_TOKEN={PAGER_TOKEN}\n"
        f"SYNDICATE_OPERATOR_TOTP_SECRET={TOTP}\n"
        "SYNDICATE_DATA_DATABASE_URL=postgresql://me:wordofpass@host/name\n"
        "SYNDICATE_COSTS_FEE_BPS_TAKER=binance=7.1,gemini=3\nSYNDICATE_MARKETS_FEEDS=gemini=l2\n"
        "SYNDICATE_MARKETS_VENUES=gemini,binance\nSYNDICATE_PAPER_LATENCY_FACTOR=0.5\n",
    )
    whole = load_settings({"HOME": "/"}, directory=tmp_path)
    holders = {"ledger": "wordofpass", "engine": TOTP, "bot": TOKEN, "sandbox": None}

    for role, own_secret in holders.items():
        passed = role_environment(whole, role, {"HOME": "/", "TELEGRAM_BOT_TOKEN": TOKEN})
        known = load_settings(passed, directory=tmp_path)

        text = " ".join(passed.values())
        for secret in ("wordofpass", TOTP, TOKEN):
            assert (secret in text) == (secret == own_secret), role
        assert (PAGER_TOKEN in text) == (role == "bot")
        assert passed["HOME"] == "/"
        for section in ("markets", "costs", "limits", "paper", "routes", "recording", "log"):
            assert getattr(known, section) == getattr(whole, section)
        assert known.data.dir == whole.data.dir


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("coinbse=60", "coinbase"),
        ("coinbase:usd=60", "coinbase:USD"),
        ("coinbase/USD=60", "coinbase"),
        ("coinbase:USD=-1", ">= 0"),
        ("coinbase:USD=lots", "invalid decimal"),
    ],
)
def test_capital_at_an_unclear_place_refuses_the_start(
    tmp_path: Path, text: str, said: str
) -> None:
    assert said in refusal(tmp_path, {"SYNDICATE_PAPER_CAPITAL_USD_AT": text})


def test_capital_may_differ_by_venue_and_by_asset(tmp_path: Path) -> None:
    text = "coinbase=20000,binance:USDT=0.5"

    settings = load_settings({"SYNDICATE_PAPER_CAPITAL_USD_AT": text}, directory=tmp_path)

    expected = {"coinbase": Decimal(20_000), "binance:USDT": Decimal("0.5")}
    assert settings.paper.capital_usd_at == expected
