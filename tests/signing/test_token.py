"""A token by PKCS#11: SoftHSM, where it is installed; what tokens tell, everywhere."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from engine.bus.signing import SignRequest
from engine.domain.errors import SettingsError
from engine.domain.signing import Purpose
from engine.requests.wallets import UnlockSigner
from engine.signing.curve import CURVE_ORDER, LocalKey, Signature
from engine.signing.secret_files import write_secret_file
from engine.signing.wallet import KeyTroubleError
from tests.signing.intents import make_protective
from tests.signing.test_role import running
from tests.signing.test_transactions import KEYS

pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed: make setup")

from engine.signing.token import Token, WrongPinError, found, point_of

ROOT = Path(__file__).resolve().parents[2]
PIN = "87654321"

GOT = ROOT / ".venv" / "softhsm" / "usr"
"""Where `make setup` puts it."""

USUAL = (
    str(GOT / "lib" / "softhsm" / "libsofthsm2.so"),
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


def _module() -> Path | None:
    named = os.environ.get("SOFTHSM2_MODULE")
    places = [Path(named)] if named else [Path(one) for one in USUAL]
    return next((one for one in places if one.is_file()), None)


MODULE = _module()
TOOL = (
    os.environ.get("SOFTHSM2_UTIL")
    or shutil.which(str(GOT / "bin" / "softhsm2-util"))
    or shutil.which("softhsm2-util")
)

has_softhsm = pytest.mark.skipif(
    MODULE is None or TOOL is None,
    reason="SoftHSM is not here, nor could make setup get it from Debian: no token is tried",
)

MAKE_KEYS = """
import sys
import pkcs11
from pkcs11 import Attribute, KeyType
from pkcs11.util.ec import encode_named_curve_parameters
module, pin = sys.argv[1:]
with pkcs11.lib(module).get_token(token_label="syndicate").open(user_pin=pin, rw=True) as session:
    for label, curve in (("hot", "secp256k1"), ("other", "secp256r1")):
        terms = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
        made = session.create_domain_parameters(KeyType.EC, terms, local=True)
        _, key = made.generate_keypair(store=True, label=label)
        assert key[Attribute.SENSITIVE] and not key[Attribute.EXTRACTABLE]
"""

SIGN = """
import asyncio, sys
from pathlib import Path
from engine.bus.signing import SignRequest
from engine.domain.errors import SettingsError
from engine.domain.signing import Purpose
from engine.requests.wallets import UnlockSigner
from engine.signing.token import Token
from tests.signing.test_remote import ONE
import msgspec
module, pin, label, key, count = sys.argv[1:]
try:
    wallet = Token(Path(module), label, key).open(pin.encode())
except SettingsError as error:
    sys.exit(f"{type(error).__name__}: {error}")
print(wallet.address)
async def sign():
    for nonce in range(int(count)):
        print((await wallet.sign(msgspec.structs.replace(ONE, nonce=nonce))).hex())
    await wallet.aclose()
asyncio.run(sign())
"""


@dataclass
class Soft:
    module: Path
    folder: Path
    environment: dict[str, str]

    def run(self, program: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """Each in a process of its own: the library is set up once in each."""
        return subprocess.run(
            [sys.executable, "-c", program, str(self.module), *words],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def sign(
        self, *, pin: str = PIN, label: str = "syndicate", key: str = "hot", count: int = 1
    ) -> "subprocess.CompletedProcess[str]":
        return self.run(SIGN, pin, label, key, str(count))


@pytest.fixture(scope="module")
def soft(tmp_path_factory: pytest.TempPathFactory) -> Soft:
    assert MODULE is not None
    assert TOOL is not None
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    environment = os.environ | {"SOFTHSM2_CONF": str(conf)}
    subprocess.run(
        [TOOL, "--module", str(MODULE), "--init-token", "--free", "--label", "syndicate",
         "--so-pin", "12345678", "--pin", PIN],
        env=environment, check=True, capture_output=True,
    )  # fmt: skip
    made = Soft(MODULE, folder, environment)
    done = made.run(MAKE_KEYS, PIN)
    assert done.returncode == 0, done.stderr
    return made


@has_softhsm
@pytest.mark.slow
def test_a_token_signs_what_chains_take_and_keeps_the_key(soft: Soft) -> None:
    done = soft.sign(count=200)
    assert done.returncode == 0, done.stderr
    address, *signed = done.stdout.split()
    assert len(signed) == len(set(signed)) == 200
    for raw in signed:
        assert Account.recover_transaction(bytes.fromhex(raw)).lower() == address


@has_softhsm
@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"pin": "11111111"}, "WrongPinError: the token refuses the PIN"),
        ({"label": "nobodys"}, "the token 'nobodys' cannot be used"),
        ({"key": "cold"}, "holds no pair of keys 'cold'"),
        ({"key": "other"}, "is none of secp256k1"),
    ],
)
def test_a_token_that_cannot_be_used_is_refused_in_a_sentence(
    soft: Soft, words: dict[str, str], says: str
) -> None:
    done = soft.sign(**words)  # type: ignore[arg-type]
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_library_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "none.so", Path("/etc/hostname")):
        with pytest.raises(SettingsError, match="cannot be used by"):
            Token(path, "syndicate", "hot")
    assert issubclass(WrongPinError, SettingsError)


@given(secret=KEYS, digest=st.binary(min_size=32, max_size=32), is_high=st.booleans())
def test_of_the_two_points_and_the_two_s_the_one_is_found_that_chains_take(
    secret: bytes, digest: bytes, *, is_high: bool
) -> None:
    key = LocalKey(secret)
    signature = key.sign(digest)
    s = CURVE_ORDER - signature.s if is_high else signature.s
    made = signature.r.to_bytes(32) + s.to_bytes(32)
    assert found(made, digest, key.address) == signature
    assert isinstance(signature, Signature)
    with pytest.raises(KeyTroubleError, match="is not signed by 0x11"):
        found(made, digest, "0x" + "11" * 20)


@pytest.mark.parametrize("made", [b"", bytes(63), bytes(64), b"\xff" * 64, bytes(72)])
def test_what_is_no_signature_is_refused(made: bytes) -> None:
    with pytest.raises(KeyTroubleError):
        found(made, b"\x01" * 32, "0x" + "11" * 20)


def test_a_public_key_is_read_bare_and_wrapped_and_nothing_else_is() -> None:
    point = b"\x04" + bytes(range(64))
    assert point_of(point) == point_of(b"\x04\x41" + point) == bytes(range(64))
    for told in (b"", point[:-1], b"\x02" + bytes(32), b"\x04\x41" + point + b"\0", bytes(65)):
        with pytest.raises(SettingsError, match="no whole point"):
            point_of(told)


@has_softhsm
@pytest.mark.slow
async def test_the_role_signs_with_a_token_and_tries_a_wrong_pin_once(
    soft: Soft, tmp_path: Path
) -> None:
    own = {
        "SYNDICATE_SIGNER_HSM_MODULE": str(soft.module),
        "SYNDICATE_SIGNER_HSM_KEY": "hot",
        "SYNDICATE_SIGNER_HSM_FOLDER": str(soft.folder),
        "SOFTHSM2_CONF": soft.environment["SOFTHSM2_CONF"],
    }
    wrong = tmp_path / "wrong"
    write_secret_file(wrong, b"11111111", what="password file")
    with running(
        tmp_path, b"{}", has_password=False, SYNDICATE_SIGNER_PASSWORD_FILE=str(wrong), **own
    ) as role:
        assert (await role.until_up()).is_locked
        assert "the token refuses the PIN" in role.log.read_text()
        report = await role.ask(UnlockSigner(password=PIN))
        assert (report.is_locked, report.key) == (False, "token")
        first, again = [
            await role.ask(SignRequest(intent=make_protective(Purpose.PAUSE))) for _ in range(2)
        ]
    assert Account.recover_transaction(first.raw).lower() == report.address
    assert (again.raw, again.is_repeat) == (first.raw, True)
