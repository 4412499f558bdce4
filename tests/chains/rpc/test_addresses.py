"""Addresses of providers hold keys: they are read strictly, and never shown."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.rpc.addresses import parse_providers
from engine.chains.rpc.key_file import KeyFile
from engine.chains.rpc.links import LinkLimits
from engine.chains.rpc.opening import open_providers
from engine.chains.rpc.pool_limits import PoolLimits
from engine.connectors.outbound import open_outbound
from engine.domain.chains import CHAINS
from engine.domain.errors import BadValueError
from engine.domain.redaction import redact
from engine.settings.load import SettingsError, load_settings
from engine.settings.passing import role_environment
from tests.chains.rpc.pretend_node import pretend_node
from tests.patience import PATIENCE_S

KEY = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3"
OTHER = "0therK3y0therK3y0therK3y0therK3y"
KNOWN = tuple(CHAINS)


def test_http_and_websocket_of_one_key_are_one_provider() -> None:
    text = (
        f"ethereum=https://eth.one.example/v2/{KEY}|wss://eth.one.example/v2/{KEY}"
        f"|https://eth.one.example/v2/{OTHER} | https://main.two.example/v3/{KEY}"
        f"|wss://main.two.example/ws/v3/{KEY};\n base = http://127.0.0.1:8545|ws://127.0.0.1:8545\n"
    )

    found = parse_providers(text, KNOWN)

    assert {chain: [one.name for one in accesses] for chain, accesses in found.items()} == {
        "ethereum": ["one.example 1", "one.example 2", "two.example"],
        "base": ["127.0.0.1:8545"],
    }
    first, second, third = found["ethereum"]
    assert first.http_url == f"https://eth.one.example/v2/{KEY}"
    assert first.socket_url == f"wss://eth.one.example/v2/{KEY}"
    assert (second.socket_url, second.host) == (None, "eth.one.example")
    assert third.socket_url == f"wss://main.two.example/ws/v3/{KEY}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"https://eth.one.example/v2/{KEY}", "entry 1 is not of the form"),
        (f"https://eth.one.example/v2/{KEY}?x=1", "entry 1 is not of the form"),
        (f"etherium=https://eth.one.example/v2/{KEY}", "entry 1 \\(etherium\\) is of a chain"),
        (f"base=;ethereum=https://one.example/{KEY}", "entry 1 \\(base\\), address 1 does not"),
        (f"base=http://one.example/{KEY}", "would show its key to all on the way; use https://"),
        (f"base=ws://one.example/{KEY}", "address 1 \\(one.example\\) would show its key"),
        (f"base=ftp://one.example/{KEY}", "does not begin with https:// or wss://"),
        (f"base=one.example/{KEY}", "does not begin with https:// or wss://"),
        (f"base=https:///{KEY}", "has no host"),
        (f"base=https://one.example:0/{KEY}", "a port that cannot be"),
        (f"base=https://one.example:99999/{KEY}", "cannot be read"),
        (f"base=https://[::1/{KEY}", "cannot be read"),
        (f"base=https://one.example/{KEY}#{OTHER}", "has a # or a blank"),
        (f"base=https://one.example/{KEY} {OTHER}", "has a # or a blank"),
        (f"base=https://one.example/{KEY}|https://one.example/a/{KEY}", "address 2"),
        (f"base=https://a.example/{KEY};base=https://b.example/{KEY}", "entry 2 \\(base\\) is"),
        ("base=" + "|".join(f"https://a{n}.example/{KEY}" for n in range(17)), "more than 16"),
        ("base=https://a.example/" + "x" * 70_000, "longer than"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_named_by_its_place_and_not_by_its_key(text: str, said: str) -> None:
    with pytest.raises(BadValueError, match=said) as refused:
        parse_providers(text, KNOWN)

    assert KEY not in str(refused.value)
    assert OTHER not in str(refused.value)


@given(st.text(max_size=60), st.integers(0, 40), st.text(max_size=5))
def test_whatever_is_said_is_read_or_refused_without_its_key(
    text: str, at: int, put_in: str
) -> None:
    whole = f"base=https://a.example/{KEY}"
    for said in (text + KEY, whole[:at] + put_in + whole[at:]):
        refusals = []
        try:
            parse_providers(said, KNOWN)
        except BadValueError as error:
            refusals.append(str(error))
        assert KEY not in "".join(refusals)


def test_keys_are_hidden_from_then_on_and_words_are_not() -> None:
    parse_providers(f"base=https://user:pass-w0rd@a.example/mainnet/{KEY}?apikey={OTHER}", KNOWN)

    assert redact(f"GET /mainnet/{KEY} {OTHER} pass-w0rd") == (
        "GET /mainnet/<secret> <secret> <secret>"
    )


def test_a_bad_provider_refuses_the_start_without_being_shown(tmp_path: Path) -> None:
    environment = {"SYNDICATE_CHAINS_PROVIDERS": f"base=http://one.example/{KEY}"}

    with pytest.raises(SettingsError, match="SYNDICATE_CHAINS_PROVIDERS") as refused:
        load_settings(environment, directory=tmp_path)

    assert "entry 1 (base), address 1 (one.example)" in str(refused.value)
    assert KEY not in str(refused.value)


def test_only_the_role_that_reads_chains_is_given_the_keys(tmp_path: Path) -> None:
    environment = {
        "SYNDICATE_CHAINS_PROVIDERS": f"base=https://one.example/{KEY}",
        "SYNDICATE_CHAINS_UNITS_PER_S": "one.example=660",
    }
    settings = load_settings(environment, directory=tmp_path)

    given = {
        role: KEY in str(role_environment(settings, role, environment))
        for role in ("engine", "ledger", "bot", "sandbox", "chains")
    }

    assert given == {
        "engine": False, "ledger": False, "bot": False, "sandbox": False, "chains": True,
    }  # fmt: skip


@pytest.mark.parametrize("hosts", ["https://one.example=5", "One.example=5", "a.example=0"])
def test_units_are_of_hosts(tmp_path: Path, hosts: str) -> None:
    with pytest.raises(SettingsError, match="SYNDICATE_CHAINS_UNITS_PER_S"):
        load_settings({"SYNDICATE_CHAINS_UNITS_PER_S": hosts}, directory=tmp_path)


def write(path: Path, text: str) -> None:
    """Put another file in the place of the one that is there, as editors do."""
    other = path.with_suffix(".new")
    other.write_text(text)
    other.chmod(0o600)
    other.replace(path)


def test_a_file_of_keys_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "providers"
    write(path, f"# mine\nbase=https://one.example/{KEY}\nethereum=https://one.example/{KEY}\n")
    file = KeyFile(f"file:{path}", KNOWN)
    before = {chain: len(one) for chain, one in file.providers.items()}

    unchanged = file.changed()
    write(path, f"base=https://one.example/{OTHER}\n")

    assert before == {"base": 1, "ethereum": 1}
    assert not unchanged
    assert file.changed()
    assert not file.changed()
    assert file.providers["base"][0].http_url == f"https://one.example/{OTHER}"
    assert redact(OTHER) == "<secret>"


@pytest.mark.parametrize("spoilt", ["base=http://one.example/" + OTHER, "\x00", None])
def test_a_file_that_cannot_be_used_leaves_the_keys_as_they_were(
    tmp_path: Path, spoilt: str | None
) -> None:
    path = tmp_path / "providers"
    write(path, f"base=https://one.example/{KEY}\n")
    file = KeyFile(f"file:{path}", KNOWN)
    before = file.providers

    if spoilt is None:
        path.unlink()
    else:
        write(path, spoilt)

    assert not file.changed()
    assert file.trouble
    assert OTHER not in file.trouble
    assert file.providers == before
    write(path, f"base=https://one.example/{KEY}|https://two.example/{KEY}\n")
    assert file.changed()
    assert not file.trouble


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "providers"
    write(path, f"base=https://one.example/{KEY}\n")
    path.chmod(0o644)

    with pytest.raises(BadValueError, match="chmod 600"):
        KeyFile(f"file:{path}", KNOWN)
    with pytest.raises(BadValueError, match="cannot be read"):
        KeyFile(f"file:{tmp_path / 'none'}", KNOWN)


async def test_keys_are_replaced_while_the_pool_answers(tmp_path: Path) -> None:
    async with pretend_node(chain_id=8_453) as old, pretend_node(chain_id=8_453) as new:
        path = tmp_path / "providers"
        write(path, f"base={old.url}/{KEY}")
        file = KeyFile(f"file:{path}", KNOWN)
        limits = PoolLimits(pulse_s=10 * PATIENCE_S)
        async with (
            open_outbound(None) as way,
            open_providers(
                *(file.providers["base"], way), chain_id=8_453, block_ms=2_000, limits=limits
            ) as pool,
        ):
            before = await pool.request("eth_blockNumber")
            new.mine()
            write(path, f"base={new.url}/{OTHER}")
            assert file.changed()
            await pool.use(file.providers["base"])
            async with asyncio.timeout(PATIENCE_S):
                while not pool.standings[0].is_trusted:
                    await asyncio.sleep(0.01)
            asked = len(old.asked)
            after = await pool.request("eth_blockNumber")

        assert (before, after) == ("0x0", "0x1")
        assert len(old.asked) == asked


async def test_no_key_is_in_health_errors_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    text = f"base=http://127.0.0.1:9/{KEY}|ws://127.0.0.1:9/{KEY}|ws://127.0.0.1:11/{OTHER}"
    accesses = parse_providers(text, KNOWN)["base"]
    limits = PoolLimits(links=LinkLimits(open_s=2.0))
    async with (
        open_outbound(None) as way,
        open_providers(accesses, way, chain_id=8_453, block_ms=2_000, limits=limits) as pool,
    ):
        with pytest.raises(Exception, match="no provider is trusted") as refused:
            await pool.request("eth_blockNumber")
        shown = [str(refused.value), repr(refused.value), str(pool.health()), repr(accesses)]

    assert KEY not in "".join(shown)
    assert OTHER not in "".join(shown)
    assert KEY not in redact(caplog.text)
    assert OTHER not in redact(caplog.text)
