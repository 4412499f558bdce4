"""`python -m engine keys`: nothing secret is an argument, and nothing secret is printed."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from eth_keyfile.keyfile import create_keyfile_json

from engine.__main__ import _parser
from engine.domain.errors import SettingsError
from engine.settings.schema import Settings, SignerSettings
from engine.signing.keystore import SCRYPT_N_MIN, open_keystore, parse_keystore
from engine.tools.keys import run_keys
from engine.wiring.paths import Paths, prepare
from engine.wiring.signer_keys import keystore_path
from tests.signing.quick_keys import quick_keys

__all__ = ["quick_keys"]

ROOT = Path(__file__).resolve().parents[2]
SECRET = "4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d"
ADDRESS = "0x90f8bf6a479f320ead074411a4b0e7944ea8c9c1"
PASSWORD = "correct horse battery"


def asked(*words: str) -> argparse.Namespace:
    return _parser().parse_args(["keys", *words])


async def run(paths: Paths, *words: str, typed: tuple[str, ...] = ()) -> None:
    answers = iter(typed)
    await run_keys(Settings(), paths, asked(*words), prompt=lambda _words: next(answers))


def secret_file(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def key_in(path: Path) -> bytes:
    return open_keystore(
        parse_keystore(path.read_bytes(), where="it"), PASSWORD.encode(), where="it"
    )


async def test_a_new_key_is_in_a_file_of_mode_600_and_its_address_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = prepare(str(tmp_path / "var"))
    await run(paths, "make", typed=(PASSWORD, PASSWORD))
    path = paths.signer / "key.json"
    secret = key_in(path)
    sealed = path.read_bytes()
    said = capsys.readouterr()
    assert json.loads(path.read_bytes())["crypto"]["kdfparams"]["n"] >= SCRYPT_N_MIN == 2**18
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_bytes())["address"] in said.out
    for text in (said.out, said.err):
        assert secret.hex() not in text
        assert PASSWORD not in text
    await run(paths, "address")
    assert capsys.readouterr().out.strip() in said.out
    with pytest.raises(SettingsError, match="is there already"):
        await run(paths, "make", typed=(PASSWORD, PASSWORD))
    assert path.read_bytes() == sealed


async def test_two_passwords_that_differ_write_nothing(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "var"))
    with pytest.raises(SettingsError, match="the two passwords differ"):
        await run(paths, "make", typed=(PASSWORD, PASSWORD + "x"))
    assert not (paths.signer / "key.json").exists()


@pytest.mark.usefixtures("quick_keys")
async def test_a_key_is_imported_from_digits_that_are_typed_or_in_a_file(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "var"))
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    await run(paths, "import", "--to", str(one), typed=(f"0x{SECRET}", PASSWORD, PASSWORD))
    digits = secret_file(tmp_path / "digits", f"{SECRET}\n")
    password = secret_file(tmp_path / "password", f"{PASSWORD}\n")
    await run(
        paths, "import", "--from", str(digits), "--to", str(two), "--password-file", str(password)
    )
    assert key_in(one) == key_in(two) == bytes.fromhex(SECRET)


@pytest.mark.usefixtures("quick_keys")
async def test_another_wallets_keystore_is_imported_with_its_old_password(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "var"))
    stored = create_keyfile_json(bytes.fromhex(SECRET), b"old", kdf="pbkdf2", iterations=10)
    source = secret_file(tmp_path / "old.json", json.dumps(stored))
    await run(
        paths, "import", "--from", str(source), "--for", "live", typed=("old", PASSWORD, PASSWORD)
    )
    path = paths.signer / "key.json"
    assert key_in(path) == bytes.fromhex(SECRET)
    assert json.loads(path.read_bytes())["syndicate"] == "live"


@pytest.mark.parametrize("text", ["", "12", "0x" + "00" * 32, "ff" * 32, "zz" * 32, SECRET + "00"])
async def test_what_is_no_key_is_not_imported(tmp_path: Path, text: str) -> None:
    paths = prepare(str(tmp_path / "var"))
    with pytest.raises(SettingsError, match="no key"):
        await run(paths, "import", typed=(text, PASSWORD, PASSWORD))
    assert not (paths.signer / "key.json").exists()


async def test_files_open_to_others_are_not_imported(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "var"))
    digits = secret_file(tmp_path / "digits", SECRET)
    digits.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        await run(paths, "import", "--from", str(digits), typed=(PASSWORD, PASSWORD))


def test_no_argument_takes_a_password_or_a_key() -> None:
    words = {action.dest for action in _keys_parser()._actions}
    assert words == {
        "help", "what", "venue", "to", "source", "password_file", "old_password_file", "use",
    }  # fmt: skip


def _keys_parser() -> argparse.ArgumentParser:
    (commands,) = (one for one in _parser()._actions if isinstance(one, argparse._SubParsersAction))
    found = commands.choices["keys"]
    assert isinstance(found, argparse.ArgumentParser)
    return found


@pytest.mark.slow
def test_without_a_terminal_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "engine", "keys", "make"],
        cwd=ROOT,
        env=os.environ | {"SYNDICATE_DATA_DIR": str(tmp_path / "var")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no terminal to ask at: name a file of mode 600" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_keystore_is_where_the_settings_say(tmp_path: Path) -> None:
    own = Settings(signer=SignerSettings(keystore=str(tmp_path / "k.json")))
    assert keystore_path(own, Paths(tmp_path)) == tmp_path / "k.json"
    assert keystore_path(Settings(), Paths(tmp_path)) == tmp_path / "signer" / "key.json"
