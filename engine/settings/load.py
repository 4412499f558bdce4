"""Load settings: defaults, then `syndicate.toml`, then `.env`, then the environment.

An unknown key, a wrong type or a value out of bounds refuses the start in one sentence that names
the key, where it stands, and for an unknown key the nearest known one. Secrets are never repeated.
"""

import difflib
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import msgspec
from dotenv import dotenv_values

from engine.domain.errors import FatalError
from engine.settings.schema import SECRETS, Settings, environment_name

CONFIG_ENVIRONMENT_NAME: Final = "SYNDICATE_CONFIG"
DEFAULT_FILE: Final = "syndicate.toml"

_FEE_BPS_END: Final = 10_000  # a fee of 100 % leaves nothing

_INTERNAL_PREFIX: Final = "SYNDICATE_INTERNAL_"
"""What the supervisor and the image's build tell their processes; not for the operator."""

_PREFIXES: Final = ("SYNDICATE_", "TELEGRAM_")

Layer = dict[str, dict[str, tuple[Any, str]]]


class SettingsError(FatalError):
    """The settings cannot be used; the text says which, where, and what to do."""


def load_settings(environment: Mapping[str, str], *, directory: Path) -> Settings:
    """Load and validate all settings.

    Args:
        environment: the process environment; it wins over every file.
        directory: where `syndicate.toml` and `.env` are looked for.

    Raises:
        SettingsError: anything is unknown, of the wrong type or out of bounds.
    """
    merged: Layer = {}
    dotenv = _dotenv(directory / ".env")
    file_name = environment.get(CONFIG_ENVIRONMENT_NAME) or dotenv.get(CONFIG_ENVIRONMENT_NAME)
    _merge(merged, _file_layer(directory / (file_name or DEFAULT_FILE), is_asked=bool(file_name)))
    _merge(merged, _environment_layer(dotenv, origin=str(directory / ".env"), is_ours=True))
    _merge(merged, _environment_layer(environment, origin="the environment", is_ours=False))
    settings = Settings(
        **{
            section: _section(section, annotation, merged.get(section, {}))
            for section, annotation in Settings.__annotations__.items()
        }
    )
    _check_together(settings)
    return settings


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    return {key: value or "" for key, value in dotenv_values(path, interpolate=False).items()}


def _file_layer(path: Path, *, is_asked: bool) -> Layer:
    if not path.is_file():
        if is_asked:
            raise SettingsError(f"{path} does not exist; {CONFIG_ENVIRONMENT_NAME} names it")
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    layer: Layer = {}
    for section, values in tables.items():
        if section not in Settings.__annotations__:
            raise _unknown(f"section [{section}]", section, str(path), Settings.__annotations__)
        if not isinstance(values, dict):
            raise SettingsError(f"{section} in {path} must be a section, as in [{section}]")
        known = Settings.__annotations__[section].__annotations__
        for name, value in values.items():
            if name not in known:
                raise _unknown(f"{section}.{name}", name, str(path), known)
            layer.setdefault(section, {})[name] = (value, f"{section}.{name} in {path}")
    return layer


def _environment_layer(values: Mapping[str, str], *, origin: str, is_ours: bool) -> Layer:
    """Read settings from variables; in a file of ours, every variable must be a setting."""
    known = {
        environment_name(section, name): (section, name)
        for section, annotation in Settings.__annotations__.items()
        for name in annotation.__annotations__
    }
    layer: Layer = {}
    for variable, text in values.items():
        if variable == CONFIG_ENVIRONMENT_NAME or variable.startswith(_INTERNAL_PREFIX):
            continue
        if variable not in known:
            if is_ours or variable.startswith(_PREFIXES):
                raise _unknown(variable, variable, origin, known)
            continue
        if text.strip() == "":
            continue  # an empty variable is an unset one, as `.env.example` copied as it is
        section, name = known[variable]
        annotation = Settings.__annotations__[section].__annotations__[name]
        value = _from_text(annotation, text.strip())
        layer.setdefault(section, {})[name] = (value, f"{variable} in {origin}")
    return layer


def _from_text(annotation: Any, text: str) -> Any:
    """Split lists and tables that a variable writes with commas; the rest stays text."""
    inner = get_args(annotation)[0]
    origin = get_origin(inner)
    if origin is list:
        return [part.strip() for part in text.split(",") if part.strip()]
    if origin is dict:
        parts = (part.partition("=") for part in text.split(",") if part.strip())
        return {key.strip(): value.strip() for key, _, value in parts}
    return text


def _merge(merged: Layer, layer: Layer) -> None:
    for section, values in layer.items():
        merged.setdefault(section, {}).update(values)


def _section(section: str, annotation: Any, values: dict[str, tuple[Any, str]]) -> Any:
    converted = {}
    for name, (value, where) in values.items():
        field_type = annotation.__annotations__[name]
        try:
            converted[name] = msgspec.convert(
                _exact(value), field_type, strict=False, builtin_types=(Decimal,)
            )
            _check_bounds(converted[name], field_type)
        except (msgspec.ValidationError, ValueError) as error:
            shown = "a secret" if (section, name) in SECRETS else repr(value)
            raise SettingsError(f"{where} is {shown}: {_plain(error, field_type)}") from error
    return annotation(**converted)


def _exact(value: Any) -> Any:
    """Turn TOML floats into text, so that 0.1 reaches a Decimal as 0.1."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    return value


def _check_bounds(value: Any, field_type: Any) -> None:
    """Check bounds of decimals, which msgspec leaves unchecked."""
    if isinstance(value, dict):
        for item in value.values():
            if isinstance(item, Decimal) and not (item.is_finite() and 0 <= item < _FEE_BPS_END):
                raise ValueError(f"Expected values from 0 to below {_FEE_BPS_END}, found {item}")
        return
    if not isinstance(value, Decimal):
        return
    if not value.is_finite():
        raise ValueError("Expected a finite number")
    bounds = get_args(field_type)[1].extra
    if "gt" in bounds and not value > bounds["gt"]:
        raise ValueError(f"Expected a number > {bounds['gt']}")
    if "ge" in bounds and not value >= bounds["ge"]:
        raise ValueError(f"Expected a number >= {bounds['ge']}")
    if "le" in bounds and not value <= bounds["le"]:
        raise ValueError(f"Expected a number <= {bounds['le']}")


def _plain(error: Exception, field_type: Any) -> str:
    inner = get_args(field_type)[0]
    if get_origin(inner) is Literal:
        return f"it must be one of {', '.join(get_args(inner))}"
    form = (get_args(field_type)[1].extra or {}).get("form")
    if form is not None:
        return str(form)
    text = str(error).split(" - at ")[0]
    return text[0].lower() + text[1:] if text else "not valid"


def _unknown(what: str, key: str, origin: str, known: Mapping[str, Any]) -> SettingsError:
    nearest = difflib.get_close_matches(key, list(known), n=1, cutoff=0.0)
    hint = f"; the nearest known one is {nearest[0]}" if nearest else ""
    return SettingsError(f"unknown setting {what} in {origin}{hint}")


def _check_together(settings: Settings) -> None:
    telegram = settings.telegram
    if (telegram.bot_token is None) != (telegram.operator_id is None):
        missing = (
            ("telegram", "operator_id")
            if telegram.operator_id is None
            else ("telegram", "bot_token")
        )
        raise SettingsError(
            f"{environment_name(*missing)} is missing: the phone needs both "
            "TELEGRAM_BOT_TOKEN and TELEGRAM_OPERATOR_ID (or neither, for the terminal)"
        )
