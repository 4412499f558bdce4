"""Encrypted keys: what wallets write is read, what is weak, damaged or another's is refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import SettingsError
from engine.signing.keystore import SCRYPT_N_MIN, open_keystore, parse_keystore, seal_key
from engine.signing.secret_files import password_of, read_secret_file, write_secret_file

SECRET = bytes.fromhex("4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d")
ADDRESS = "0x90f8bf6a479f320ead074411a4b0e7944ea8c9c1"
PASSWORD = b"correct horse battery"
QUICK = 2


def opened(content: bytes, password: bytes = PASSWORD, *, is_imported: bool = False) -> bytes:
    store = parse_keystore(content, where="it")
    return open_keystore(store, password, where="it", is_imported=is_imported)


@pytest.fixture(scope="module")
def strong() -> bytes:
    return seal_key(SECRET, PASSWORD, use="sandbox")


def test_a_key_that_was_sealed_opens_with_its_password_and_with_no_other(strong: bytes) -> None:
    assert opened(strong) == SECRET
    with pytest.raises(SettingsError, match="the password is wrong"):
        opened(strong, b"incorrect horse battery")


def test_what_is_sealed_holds_neither_key_nor_password(strong: bytes) -> None:
    assert SECRET.hex().encode() not in strong
    assert PASSWORD not in strong
    assert json.loads(strong)["crypto"]["kdfparams"]["n"] >= SCRYPT_N_MIN == 2**18


@given(secret=st.binary(min_size=32, max_size=32), password=st.text(min_size=12))
def test_the_library_that_wallets_use_opens_what_is_sealed_here(
    secret: bytes, password: str
) -> None:
    secret = (int.from_bytes(secret) % (2**255) + 1).to_bytes(32)
    content = json.loads(seal_key(secret, password.encode("utf-8", "replace"), use="live", n=QUICK))
    assert decode_keyfile_json(content, password.encode("utf-8", "replace")) == secret
    assert "0x" + content["address"] == Account.from_key(secret).address.lower()


@pytest.mark.parametrize("kind", ["scrypt", "pbkdf2"])
def test_what_that_library_seals_is_imported_and_is_too_weak_to_be_used(kind: Any) -> None:
    stored = create_keyfile_json(SECRET, PASSWORD, kdf=kind, iterations=QUICK)
    content = json.dumps(stored).encode()
    assert opened(content, is_imported=True) == SECRET
    with pytest.raises(SettingsError, match="keys import protects it well"):
        opened(content)


def damaged() -> list[tuple[dict[str, Any], str]]:
    return [
        ({"version": 4}, "version 4, not 3"),
        ({"address": "11" * 20}, "of another address than its key"),
        ({"crypto": {"cipher": "aes-256-gcm"}}, "encrypted with 'aes-256-gcm'"),
        ({"crypto": {"ciphertext": "00" * 32}}, "the password is wrong, or it is damaged"),
        ({"crypto": {"ciphertext": "zz"}}, "what should be hexadecimal is not"),
        ({"crypto": {"kdf": "argon2"}}, "protected by 'argon2'"),
        ({"crypto": {"kdfparams": {"n": 2**17}}}, "weakly protected"),
        ({"crypto": {"kdfparams": {"n": 2**18 + 1}}}, "no such scrypt"),
        ({"crypto": {"kdfparams": {"n": 2**40}}}, "would take more than 1024 MB"),
        ({"crypto": {"kdfparams": {"r": 0}}}, "no such scrypt"),
        ({"crypto": {"kdfparams": {"p": 10**9}}}, "no such scrypt"),
        ({"crypto": {"kdfparams": {"dklen": 64}}}, "a key of 64 bytes"),
        ({"crypto": {"kdfparams": {"salt": 5}}}, "it is damaged|is damaged"),
    ]


@pytest.mark.parametrize(("change", "says"), damaged())
def test_a_damaged_keystore_is_refused_in_a_sentence(
    strong: bytes, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        opened(json.dumps(_merged(json.loads(strong), change)).encode())


def _merged(whole: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    return {
        **whole,
        **{k: _merged(whole[k], v) if isinstance(v, dict) else v for k, v in change.items()},
    }


@given(cut=st.integers(0, 600), put=st.binary(max_size=8))
def test_no_bytes_at_all_make_it_fail_otherwise(strong: bytes, cut: int, put: bytes) -> None:
    content = strong[:cut] + put + strong[cut + len(put) :]
    store: object = None
    try:
        store = parse_keystore(content, where="it")
    except SettingsError as error:
        assert "no keystore of version 3" in str(error)  # noqa: PT017 - either outcome is right
    assert store is None or hasattr(store, "crypto")


def test_a_short_password_and_a_key_that_is_none_are_not_sealed() -> None:
    with pytest.raises(SettingsError, match="12 characters or more"):
        seal_key(SECRET, b"elevenchars", use="sandbox", n=QUICK)
    for secret in (bytes(32), b"\xff" * 32, SECRET[:31]):
        with pytest.raises(SettingsError, match="no key"):
            seal_key(secret, PASSWORD, use="sandbox", n=QUICK)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o620, 0o602])
def test_a_file_that_others_can_read_or_write_is_refused_with_what_mends_it(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(b"{}")
    path.chmod(mode)
    with pytest.raises(SettingsError, match=f"mode 0{mode:o}.*chmod 600"):
        read_secret_file(path, what="keystore")
    path.chmod(0o600)
    assert read_secret_file(path, what="keystore") == b"{}"


def test_links_folders_pipes_and_large_files_are_refused(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"x")
    target.chmod(0o600)
    link, pipe, large = tmp_path / "link", tmp_path / "pipe", tmp_path / "large"
    link.symlink_to(target)
    os.mkfifo(pipe, 0o600)
    large.write_bytes(bytes(70_000))
    large.chmod(0o600)
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    for path, says in (
        (link, "cannot be read"),
        (pipe, "no plain file"),
        (folder, "no plain file"),
        (large, "70000 bytes"),
        (tmp_path / "none", "cannot be read"),
    ):
        with pytest.raises(SettingsError, match=says):
            read_secret_file(path, what="keystore")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's file")
def test_another_users_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(b"{}")
    path.chmod(0o600)
    os.chown(path, 12_345, 12_345)
    with pytest.raises(SettingsError, match="another user's"):
        read_secret_file(path, what="keystore")


def test_a_key_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "signer" / "key.json"
    write_secret_file(path, b"one", what="keystore")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(SettingsError, match="is there already"):
        write_secret_file(path, b"two", what="keystore")
    assert path.read_bytes() == b"one"


def test_a_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    write_secret_file(path, b"one two \r\nthree\n", what="password file")
    assert password_of(path) == b"one two "
    empty = tmp_path / "empty"
    write_secret_file(empty, b"\nsecond", what="password file")
    with pytest.raises(SettingsError, match="is empty"):
        password_of(empty)


def test_every_key_has_its_own_salt() -> None:
    two = [json.loads(seal_key(SECRET, PASSWORD, use="sandbox", n=QUICK)) for _ in range(2)]
    salts = {one["crypto"]["kdfparams"]["salt"] for one in two}
    assert len(salts) == len({one["crypto"]["cipherparams"]["iv"] for one in two}) == 2
