"""Set up the operator's authenticator: make a secret, show it once, verify a code, keep it.

The secret goes to the person's screen and into `.env`, and nowhere else.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyotp
import segno

from engine.domain.errors import FatalError
from engine.domain.replaced_file import replace_file
from engine.domain.units import NS_PER_S
from engine.operate.clock import Clock
from engine.settings.schema import environment_name

TRIES_MAX: Final = 3
_GROUP: Final = 4
_NAME: Final = environment_name("operator", "totp_secret")


def enroll(
    env_file: Path, *, show: Callable[[str], None], ask: Callable[[str], str], clock: Clock
) -> bool:
    """Carry a person through the set-up; says whether a secret was kept.

    Raises:
        FatalError: the file cannot be written.
    """
    secret = pyotp.random_base32()
    code_of = pyotp.TOTP(secret)
    show(_qr(code_of.provisioning_uri(name="operator", issuer_name="Syndicate")))
    show("Scan this with an authenticator app (Aegis, Google Authenticator, 1Password, ...),")
    show(f"or type it there: {_grouped(secret)}")
    for _ in range(TRIES_MAX):
        code = ask("Then type the six digits that it shows: ").replace(" ", "")
        if code_of.verify(code, for_time=clock() // NS_PER_S, valid_window=1):
            write_setting(env_file, _NAME, secret)
            show(f"Kept in {env_file}, readable by you only. Start again for it to count:")
            show("then /unkill and the six digits clear the kill latch from the phone.")
            return True
        show("These are not the digits of now; is the clock of the phone right?")
    show("Nothing was kept. Remove the entry from the authenticator and try again.")
    return False


def write_setting(env_file: Path, name: str, value: str) -> None:
    """Put a setting into a file of them in one step; only its owner may read the file then.

    Raises:
        FatalError: the file cannot be written.
    """
    try:
        old = env_file.read_text(encoding="utf-8") if env_file.exists() else ""
        kept = [line for line in old.splitlines() if not line.startswith(f"{name}=")]
        replace_file(env_file, "\n".join([*kept, f"{name}={value}", ""]).encode())
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise FatalError(f"{env_file} cannot be written: {why}") from error


def _qr(uri: str) -> str:
    drawn = io.StringIO()
    segno.make(uri, error="l").terminal(out=drawn, compact=True)
    return drawn.getvalue()


def _grouped(secret: str) -> str:
    return " ".join(secret[at : at + _GROUP] for at in range(0, len(secret), _GROUP))
