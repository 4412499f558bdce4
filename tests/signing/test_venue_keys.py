"""Keys of venues: sealed as the wallet's is, asked for without an echo, and never repeated."""

import argparse
import base64
import json
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from engine.__main__ import _parser
from engine.domain.errors import SettingsError
from engine.settings.schema import ExchangesSettings, Settings
from engine.signing.keystore import SCRYPT_N_MIN
from engine.signing.secret_files import write_secret_file
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_keys import (
    VenueKeyFile,
    checked_key,
    open_venue_key,
    parse_venue_key,
    seal_venue_key,
)
from engine.tools.keys import run_keys
from engine.wiring.paths import Paths, prepare
from engine.wiring.signer_venues import venue_key_path
from tests.signing.quick_keys import N, quick_keys

__all__ = ["quick_keys"]

PASSWORD = "correct horse battery"
SECRET = base64.b64encode(b"a secret that nobody has").decode()
KEY = VenueKey(name="a-key", secret=SECRET)


def asked(*words: str) -> argparse.Namespace:
    return _parser().parse_args(["keys", *words])


async def run(paths: Paths, *words: str, typed: tuple[str, ...] = ()) -> None:
    answers = iter(typed)
    await run_keys(Settings(), paths, asked(*words), prompt=lambda _words: next(answers))


def opened(path: Path, venue: str) -> VenueKey:
    found = parse_venue_key(path.read_bytes(), venue, where="it")
    assert isinstance(found, VenueKeyFile)
    return open_venue_key(found, PASSWORD.encode(), where="it")


async def test_a_key_is_typed_sealed_in_a_file_of_mode_600_and_its_secret_told_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = prepare(str(tmp_path / "var"))
    typed = ("a-key", SECRET, PASSWORD, PASSWORD)
    await run(paths, "venue", "kraken", typed=typed)
    path = paths.signer / "venues" / "kraken.json"

    found = opened(path, "kraken")
    assert found == KEY
    assert json.loads(path.read_bytes())["crypto"]["kdfparams"]["n"] >= SCRYPT_N_MIN == 2**18
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    said = capsys.readouterr()
    assert "the key a-key of kraken is in" in said.out
    for text in (said.out, said.err, path.read_text(), repr(found)):
        assert SECRET not in text
        assert PASSWORD not in text
    with pytest.raises(SettingsError, match="is there already"):
        await run(paths, "venue", "kraken", typed=typed)


def pem() -> str:
    private = generate_private_key(SECP256R1())
    return private.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()


@pytest.mark.usefixtures("quick_keys")
async def test_a_key_of_several_lines_comes_from_a_file_as_the_venue_gives_it(
    tmp_path: Path,
) -> None:
    paths = prepare(str(tmp_path / "var"))
    name, secret = "organizations/o/apiKeys/k", pem()
    for number, content in enumerate(
        (json.dumps({"name": name, "privateKey": secret}), f"{name}\n{secret}")
    ):
        source = tmp_path / f"source-{number}"
        write_secret_file(source, content.encode(), what="key")
        to = tmp_path / f"to-{number}"
        words = ("venue", "coinbase", "--from", str(source), "--to", str(to))
        await run(paths, *words, typed=(PASSWORD, PASSWORD))
        found = opened(to, "coinbase")
        assert found.name == name
        assert found.secret.strip() == secret.strip()
    source.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        await run(paths, *words)


@pytest.mark.parametrize(
    ("words", "typed", "says"),
    [
        (("venue",), (), "whose key"),
        (("venue", "ftx"), (), "whose key"),
        (("venue", "kraken"), ("a-key", "planted secret"), "is no base64"),
        (("venue", "kraken"), ("", SECRET), "has no name of a key"),
        (("venue", "kraken"), ("a-key", ""), "has no secret"),
        (("venue", "coinbase"), ("a-key", "planted secret"), "neither a PEM of P-256"),
        (("venue", "kraken"), ("a-key", SECRET, "short", "short"), "12 characters"),
        (("venue", "kraken"), ("a-key", SECRET, PASSWORD, "other"), "the two passwords differ"),
    ],
)
async def test_what_is_no_key_is_refused_in_a_sentence_and_nothing_is_written(
    tmp_path: Path, words: tuple[str, ...], typed: tuple[str, ...], says: str
) -> None:
    paths = prepare(str(tmp_path / "var"))

    with pytest.raises(SettingsError, match=says):
        await run(paths, *words, typed=typed)

    assert not (paths.signer / "venues" / "kraken.json").exists()


@pytest.mark.usefixtures("quick_keys")
def test_a_file_that_was_changed_or_is_another_venues_does_not_open() -> None:
    content = seal_venue_key("kraken", KEY, PASSWORD.encode(), n=N)
    with pytest.raises(SettingsError, match="is a key of kraken, not of gemini"):
        parse_venue_key(content, "gemini", where="it")
    changes: list[tuple[tuple[str, ...], object, str]] = [
        (("venue",), "gemini", "another key than it holds"),
        (("name",), "b-key", "another key than it holds"),
        (("crypto", "mac"), "00" * 32, "does not open"),
        (("crypto", "kdfparams", "n"), N // 2, "weakly protected"),
        (("crypto", "ciphertext"), "zz", "hexadecimal"),
    ]
    for place, value, says in changes:
        store = json.loads(content)
        part = store
        for name in place[:-1]:
            part = part[name]
        part[place[-1]] = value
        found = parse_venue_key(json.dumps(store).encode(), store["venue"], where="it")
        assert isinstance(found, VenueKeyFile)
        with pytest.raises(SettingsError, match=says):
            open_venue_key(found, PASSWORD.encode(), where="it")
    with pytest.raises(SettingsError, match="of version 2"):
        parse_venue_key(content.replace(b'"version": 1', b'"version": 2'), "kraken", where="it")


@pytest.mark.parametrize("venue", ["binance", "coinbase", "gemini", "bitstamp", "kraken"])
@pytest.mark.parametrize(
    "secret", ["plänted", "planted\n", "planted-----BEGIN", "-----BEGIN PRIVATE KEY-----\nplanted"]
)
def test_no_traceback_leads_to_a_secret_that_is_refused(venue: str, secret: str) -> None:
    told = ""
    try:
        checked_key(venue, "a-key", secret, where="it")
    except SettingsError:
        told = traceback.format_exc()  # all that leads to it, too
    assert "planted" not in told
    assert "plänted" not in told


def test_the_file_is_where_the_settings_say(tmp_path: Path) -> None:
    own = Settings(exchanges=ExchangesSettings(key_files={"kraken": str(tmp_path / "k")}))
    assert venue_key_path(own, Paths(tmp_path), "kraken") == tmp_path / "k"
    usual = venue_key_path(own, Paths(tmp_path), "gemini")
    assert usual == tmp_path / "signer" / "venues" / "gemini.json"
