"""Encrypted keys: version 3 of the Web3 secret storage, with scrypt, as wallets write it.

The library that others use for it (eth-keyfile) loads pairing curves that no role may load: they
take memory and raise the recursion limit. Tests hold this file to that library, both ways.
"""

import hashlib
import hmac
import secrets
import uuid
from typing import Any, Final, Literal

import msgspec
from Crypto.Cipher import AES
from eth_hash.auto import keccak

from engine.domain.errors import SettingsError
from engine.signing.curve import CURVE_ORDER, address_of_secret

KeyUse = Literal["sandbox", "test", "live"]
"""What a key may sign for: the sandbox, test networks, main networks; for none of the others."""

SCRYPT_N_MIN: Final = 2**18
"""A password is tried 4 times a second and 256 MB with this; wallets write no less."""

SCRYPT_MB_MAX: Final = 1_024
SCRYPT_R: Final = 8
SCRYPT_P_MAX: Final = 16
PBKDF2_ROUNDS_MAX: Final = 10_000_000
SECRET_BYTES: Final = 32
_MEND: Final = "python -m engine keys import protects it well"
PASSWORD_CHARACTERS_MIN: Final = 12


class ScryptTerms(msgspec.Struct, kw_only=True):
    """How a password is turned into a key."""

    n: int
    r: int
    p: int
    dklen: int
    salt: str


class Pbkdf2Terms(msgspec.Struct, kw_only=True):
    """The same with PBKDF2, which takes no memory: only to be imported."""

    c: int
    prf: str
    dklen: int
    salt: str


class CipherTerms(msgspec.Struct, kw_only=True):
    """Where the cipher begins."""

    iv: str


class Sealed(msgspec.Struct, kw_only=True):
    """What is encrypted and how."""

    cipher: str
    cipherparams: CipherTerms
    ciphertext: str
    kdf: str
    kdfparams: dict[str, Any]
    mac: str


class Keystore(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A keystore as its file has it; other fields of other wallets are left out.

    Attributes:
        address: 40 hex digits; some wallets leave it out.
        syndicate: what the key may be used for: with one of the sandbox nothing else is signed.
    """

    version: int
    crypto: Sealed
    id: str = ""
    address: str = ""
    syndicate: KeyUse | Literal[""] = ""


def parse_keystore(content: bytes, *, where: str) -> Keystore:
    """Parse a keystore.

    Raises:
        SettingsError: it is none of version 3.
    """
    try:
        return msgspec.json.decode(content, type=Keystore)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{where} is no keystore of version 3 ({error}); make one with python -m engine keys"
        ) from None


def open_keystore(
    store: Keystore, password: bytes, *, where: str, is_imported: bool = False
) -> bytes:
    """Decrypt a key of 32 bytes; takes about a second and 256 MB for that time.

    Args:
        store: as parsed.
        password: as it was typed.
        where: it stands, for people.
        is_imported: it is opened once, to be protected better: a weak one will do.

    Raises:
        SettingsError: the password is wrong, the file is damaged or another key's, or its password
            could be guessed too quickly.
    """
    if store.version != 3:  # noqa: PLR2004 - of the format
        raise SettingsError(f"{where} is a keystore of version {store.version}, not 3")
    secret = opened(store.crypto, password, where=where, is_imported=is_imported)
    if len(secret) != SECRET_BYTES or not 0 < int.from_bytes(secret) < CURVE_ORDER:
        raise SettingsError(f"{where} holds no key of a wallet")
    address = address_of_secret(secret)
    if store.address and store.address.lower().removeprefix("0x") != address[2:]:
        raise SettingsError(f"{where} says that it is of another address than its key")
    return secret


def seal_key(
    secret: bytes,
    password: bytes,
    *,
    use: KeyUse,
    n: int = SCRYPT_N_MIN,
) -> bytes:
    """Encrypt a key of 32 bytes; returns a keystore's file.

    Raises:
        SettingsError: the key is none of secp256k1, or the password is too short.
    """
    if len(secret) != SECRET_BYTES or not 0 < int.from_bytes(secret) < CURVE_ORDER:
        raise SettingsError("that is no key: a key is 32 bytes, as 64 hexadecimal digits")
    store = Keystore(
        version=3,
        id=str(uuid.uuid4()),
        address=address_of_secret(secret)[2:],
        syndicate=use,
        crypto=sealed(secret, password, n=n),
    )
    return msgspec.json.format(msgspec.json.encode(store)) + b"\n"


def opened(crypto: Sealed, password: bytes, *, where: str, is_imported: bool = False) -> bytes:
    """Decrypt a secret of any length.

    Raises:
        SettingsError: see `open_keystore`.
    """
    terms = _terms_of(crypto, where=where, is_imported=is_imported)
    if crypto.cipher != "aes-128-ctr":
        raise SettingsError(f"{where} is encrypted with {crypto.cipher[:20]!r}")
    try:
        salt = bytes.fromhex(terms.salt)
        content = bytes.fromhex(crypto.ciphertext)
        iv = bytes.fromhex(crypto.cipherparams.iv)
        mac = bytes.fromhex(crypto.mac)
    except ValueError:
        raise SettingsError(f"{where} is damaged: what should be hexadecimal is not") from None
    derived = _derive(password, salt, terms)
    if not hmac.compare_digest(keccak(derived[16:32] + content), mac):
        raise SettingsError(f"{where} does not open: the password is wrong, or it is damaged")
    secret: bytes = _aes(derived, iv).decrypt(content)
    return secret


def sealed(secret: bytes, password: bytes, *, n: int = SCRYPT_N_MIN) -> Sealed:
    """Encrypt a secret of any length.

    Raises:
        SettingsError: the password is too short.
    """
    if len(password.decode(errors="replace")) < PASSWORD_CHARACTERS_MIN:
        raise SettingsError(
            f"the password is too short: take {PASSWORD_CHARACTERS_MIN} characters or more"
        )
    salt, iv = secrets.token_bytes(32), secrets.token_bytes(16)
    terms = ScryptTerms(n=n, r=SCRYPT_R, p=1, dklen=32, salt=salt.hex())
    derived = _derive(password, salt, terms)
    content = _aes(derived, iv).encrypt(secret)
    return Sealed(
        cipher="aes-128-ctr",
        cipherparams=CipherTerms(iv=iv.hex()),
        ciphertext=content.hex(),
        kdf="scrypt",
        kdfparams=msgspec.to_builtins(terms),
        mac=keccak(derived[16:32] + content).hex(),
    )


def _terms_of(sealed: Sealed, *, where: str, is_imported: bool) -> ScryptTerms | Pbkdf2Terms:
    kinds: dict[str, type[ScryptTerms | Pbkdf2Terms]] = {"scrypt": ScryptTerms}
    if is_imported:
        kinds["pbkdf2"] = Pbkdf2Terms
    kind = kinds.get(sealed.kdf)
    if kind is None:
        raise SettingsError(
            f"{where} is protected by {sealed.kdf[:20]!r}, which is guessed quickly; {_MEND}"
        )
    try:
        terms = msgspec.convert(sealed.kdfparams, kind)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where} is damaged: {error}") from None
    if terms.dklen != 32:  # noqa: PLR2004 - of the format
        raise SettingsError(f"{where} is damaged: a key of {terms.dklen} bytes")
    if isinstance(terms, Pbkdf2Terms):
        if not 0 < terms.c <= PBKDF2_ROUNDS_MAX or terms.prf != "hmac-sha256":
            raise SettingsError(f"{where} is damaged: no such pbkdf2")
        return terms
    is_power = terms.n > 1 and terms.n & (terms.n - 1) == 0
    if not (is_power and terms.r > 0 and 0 < terms.p <= SCRYPT_P_MAX):
        raise SettingsError(f"{where} is damaged: no such scrypt (n {terms.n}, r {terms.r})")
    if terms.n * terms.r * 128 > SCRYPT_MB_MAX * 2**20:
        raise SettingsError(f"{where} would take more than {SCRYPT_MB_MAX} MB to open")
    if not is_imported and terms.n * terms.r < SCRYPT_N_MIN * SCRYPT_R:
        raise SettingsError(
            f"{where} is weakly protected (scrypt n {terms.n}, at least {SCRYPT_N_MIN}); {_MEND}"
        )
    return terms


def _derive(password: bytes, salt: bytes, terms: ScryptTerms | Pbkdf2Terms) -> bytes:
    if isinstance(terms, Pbkdf2Terms):
        return hashlib.pbkdf2_hmac("sha256", password, salt, terms.c, dklen=32)
    memory = 128 * terms.r * (terms.n + terms.p + 2)
    return hashlib.scrypt(
        password, salt=salt, n=terms.n, r=terms.r, p=terms.p, maxmem=memory, dklen=32
    )


def _aes(derived: bytes, iv: bytes) -> Any:
    return AES.new(derived[:16], AES.MODE_CTR, nonce=b"", initial_value=iv)
