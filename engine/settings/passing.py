"""Hand a role its settings as an environment, with no secret but those that it needs."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from engine.settings.load import CONFIG_ENVIRONMENT_NAME, ROLE_ENVIRONMENT_NAME
from engine.settings.schema import SECRETS, Settings, environment_name

SECRETS_OF_ROLES: Final[Mapping[str, Collection[tuple[str, str]]]] = {
    "sandbox": (),
    "ccxt": (("network", "proxy"),),
    "ledger": (("data", "database_url"), ("bus", "url")),
    "chains": (("chains", "providers"), ("network", "proxy"), ("bus", "url")),
    "workers": (("bus", "url"),),
    "signer": (("signer", "remote_url"), ("operator", "totp_secret")),
    "sender": (("bus", "url"), ("chains", "providers"), ("network", "proxy")),
    "trader": (("bus", "url"), ("network", "proxy")),
    "gateway": (("bus", "url"),),
    "engine": (("operator", "totp_secret"), ("network", "proxy"), ("bus", "url")),
    "bot": (
        ("telegram", "bot_token"),
        ("telegram", "pager_token"),
        ("network", "proxy"),
        ("bus", "url"),
        ("alert", "urls"),
        ("ping", "url"),
        ("door", "kill_secret"),
    ),
}


SIGNER: Final = "signer"
_TOTP: Final = ("operator", "totp_secret")

PASSED_TO_SIGNER: Final = frozenset(
    {"HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH",
     "PYTHONPROFILEIMPORTTIME", "PYTHONUNBUFFERED", "SOFTHSM2_CONF", "SSL_CERT_DIR",
     "SSL_CERT_FILE", "TZ"}
)  # fmt: skip
"""Of the environment of whoever starts it: what Python itself needs, and nothing that anybody may
have put there."""

WITHHELD_ENVIRONMENT_NAME: Final = "SYNDICATE_INTERNAL_WITHHELD"
"""Names the secrets that are set and that the role was not given."""


ORIGINS_ENVIRONMENT_NAME: Final = "SYNDICATE_INTERNAL_ORIGINS"
"""Says of each setting that is set where it stands, as JSON: for those who show it."""

NO_ORIGINS: Final[Mapping[str, str]] = {}


def origins_of(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return where each setting stands, as the supervisor told this role."""
    text = environment.get(ORIGINS_ENVIRONMENT_NAME)
    return NO_ORIGINS if text is None else msgspec.json.decode(text, type=dict[str, str])


def is_set(settings: Settings, section: str, name: str, environment: Mapping[str, str]) -> bool:
    """Say whether a secret is set, even if it was kept from this role."""
    withheld = environment.get(WITHHELD_ENVIRONMENT_NAME, "").split(",")
    is_here = getattr(getattr(settings, section), name) is not None
    return is_here or environment_name(section, name) in withheld


def role_environment(
    settings: Settings, role: str, environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of a role: the process's own, and all settings that are its business.

    A role with it reads no file, so that it knows what the supervisor knew, and no more.
    """
    kept = set(SECRETS_OF_ROLES[role])
    is_real = settings.signer.signs == "main" or settings.exchanges.trades == "real"
    if not is_real:  # it asks for no code elsewhere
        kept -= {_TOTP} if role == SIGNER else set()
    own: dict[str, str] = {}
    others = {CONFIG_ENVIRONMENT_NAME}
    withheld = []
    for section, annotation in Settings.__annotations__.items():
        for name in annotation.__annotations__:
            variable = environment_name(section, name)
            others.add(variable)
            value = getattr(getattr(settings, section), name)
            if value is not None and (section, name) in SECRETS and (section, name) not in kept:
                withheld.append(variable)
                continue
            # The phone's two settings are valid together only.
            is_alone = variable == "TELEGRAM_OPERATOR_ID" and ("telegram", "bot_token") not in kept
            if value is not None and not is_alone:
                own[variable] = text_of(value)
    passed = {name: text for name, text in environment.items() if name not in others}
    if role == SIGNER:
        passed = {name: text for name, text in passed.items() if name in PASSED_TO_SIGNER}
    marks = {ROLE_ENVIRONMENT_NAME: role, WITHHELD_ENVIRONMENT_NAME: ",".join(withheld)}
    return passed | own | marks


def text_of(value: Any) -> str:
    """Return a setting's value as a variable writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in value.items())
    return str(value)
