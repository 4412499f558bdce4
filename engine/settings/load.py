"""Load settings: defaults, then `syndicate.toml`, then `.env`, then the environment.

An unknown key, a wrong type or a value out of bounds refuses the start in one sentence that names
the key, where it stands, and for an unknown key the nearest known one. Secrets are never repeated.

The supervisor reads all layers once and hands each role what it needs as its environment; such a
role reads no file.
"""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

import msgspec

from engine.domain.errors import SettingsError
from engine.domain.redaction import redact, remember_secrets
from engine.settings.checks import check_certificates, check_together, check_words, expanded
from engine.settings.dotenv import Assigned, check_only_owner, read_dotenv
from engine.settings.schema import SECRETS, UNSHOWN, Settings, environment_name
from engine.settings.words import nearest, shown_name, shown_value

__all__ = ["ROLE_ENVIRONMENT_NAME", "Loaded", "SettingsError", "load_settings", "load_with_origins"]

CONFIG_ENVIRONMENT_NAME: Final = "SYNDICATE_CONFIG"
DEFAULT_FILE: Final = "syndicate.toml"

ROLE_ENVIRONMENT_NAME: Final = "SYNDICATE_INTERNAL_ROLE"
"""Says that the environment holds all settings of a role: the supervisor read the files."""

_INTERNAL_PREFIX: Final = "SYNDICATE_INTERNAL_"
"""What the supervisor and the image's build tell their processes; not for the operator."""

_PREFIXES: Final = ("SYNDICATE_", "TELEGRAM_")

Layer = dict[str, dict[str, tuple[Any, str]]]


class Loaded(NamedTuple):
    """Settings, and where each that is set stands: `limits.position_usd` in `.env, line 3`."""

    settings: Settings
    origins: dict[str, str]


def load_settings(
    environment: Mapping[str, str], *, directory: Path, is_pairing: bool = False
) -> Settings:
    """Load and validate all settings; see `load_with_origins`."""
    return load_with_origins(environment, directory=directory, is_pairing=is_pairing).settings


def load_with_origins(
    environment: Mapping[str, str], *, directory: Path, is_pairing: bool = False
) -> Loaded:
    """Load and validate all settings, and say where each comes from.

    Args:
        environment: the process environment; it wins over every file.
        directory: where `syndicate.toml` and `.env` are looked for.
        is_pairing: there may be a bot without an operator.

    Raises:
        SettingsError: anything is unknown, of the wrong type or out of bounds.
    """
    merged: Layer = {}
    if ROLE_ENVIRONMENT_NAME not in environment:
        _read_files(merged, environment, directory)
    assigned = {name: Assigned(text, "the environment") for name, text in environment.items()}
    _merge(merged, _environment_layer(assigned, is_ours=False))
    settings = Settings(
        **{
            section: _section(section, annotation, merged.get(section, {}))
            for section, annotation in Settings.__annotations__.items()
        }
    )
    if not is_pairing:
        check_together(settings)
    check_certificates(settings, environment)
    secrets = (getattr(getattr(settings, section), name) for section, name in SECRETS)
    remember_secrets(secret for secret in secrets if secret is not None)
    origins = {
        f"{section}.{name}": _origin(where)
        for section, values in merged.items()
        for name, (_, where) in values.items()
    }
    return Loaded(settings, origins)


def settings_files(environment: Mapping[str, str], *, directory: Path) -> list[Path]:
    """Return the files that settings are read from, whether or not they are there.

    Raises:
        SettingsError: `.env`, which may name the other one, cannot be read.
    """
    dotenv_path = directory / ".env"
    dotenv = read_dotenv(dotenv_path, known=[*_known_variables(), CONFIG_ENVIRONMENT_NAME])
    return [dotenv_path, _config_path(dotenv, environment, directory)[0]]


def _config_path(
    dotenv: Mapping[str, Assigned], environment: Mapping[str, str], directory: Path
) -> tuple[Path, bool]:
    """Return the TOML file, and whether somebody named it."""
    file_name = environment.get(CONFIG_ENVIRONMENT_NAME)
    if not file_name and CONFIG_ENVIRONMENT_NAME in dotenv:
        file_name = dotenv[CONFIG_ENVIRONMENT_NAME].text
    path = directory / expanded(file_name or DEFAULT_FILE, where=CONFIG_ENVIRONMENT_NAME)
    return path, bool(file_name)


def _origin(where: str) -> str:
    """Return the file and line, or the environment, from what is said of a wrong value."""
    place, _, line = where.partition(" in ")[2].rpartition(", line ")
    return f"{Path(place).name}, line {line}" if place else line


def _read_files(merged: Layer, environment: Mapping[str, str], directory: Path) -> None:
    dotenv_path = directory / ".env"
    dotenv = read_dotenv(dotenv_path, known=[*_known_variables(), CONFIG_ENVIRONMENT_NAME])
    path, is_asked = _config_path(dotenv, environment, directory)
    layer = _file_layer(path, is_asked=is_asked)
    _merge(merged, layer)
    _merge(merged, _environment_layer(dotenv, is_ours=True))
    if dotenv_path.exists():
        check_only_owner(dotenv_path)
    if any(name in layer.get(section, {}) for section, name in SECRETS):
        check_only_owner(path)


def _known_variables() -> dict[str, tuple[str, str]]:
    return {
        environment_name(section, name): (section, name)
        for section, annotation in Settings.__annotations__.items()
        for name in annotation.__annotations__
    }


def _file_layer(path: Path, *, is_asked: bool) -> Layer:
    if not path.is_file():
        if is_asked:
            raise SettingsError(f"{path} does not exist; {CONFIG_ENVIRONMENT_NAME} names it")
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {redact(str(error))}") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    layer: Layer = {}
    for section, values in tables.items():
        if section not in Settings.__annotations__:
            where = f"{path}, line {_line_of(text, section)}"
            raise _unknown(section, where, Settings.__annotations__, is_section=True)
        if not isinstance(values, dict):
            raise SettingsError(f"{section} in {path} must be a section, as in [{section}]")
        known = Settings.__annotations__[section].__annotations__
        for name, value in values.items():
            where = f"{path}, line {_line_of(text, section, name)}"
            if name not in known:
                raise _unknown(name, where, known, section=section)
            layer.setdefault(section, {})[name] = (value, f"{section}.{name} in {where}")
    return layer


def _line_of(text: str, section: str, name: str | None = None) -> int:
    """Return the line of a key, or of its section, in a TOML file that parsed."""
    is_inside = False
    number = 1
    for line, content in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*[\"']?([^\]\"']+?)[\"']?\s*\]", content)
        if header is not None:
            is_inside = header.group(1) == section
            number = line if is_inside else number
        key = re.match(r"\s*([^=]*?)\s*=", content)
        if key is None:
            continue
        inner = key.group(1).replace('"', "").replace("'", "").replace(" ", "")
        if inner == f"{section}.{name}" or (is_inside and inner == name):
            return line
    return number


def _environment_layer(values: Mapping[str, Assigned], *, is_ours: bool) -> Layer:
    """Read settings from variables; in a file of ours, every variable must be a setting."""
    known = _known_variables()
    layer: Layer = {}
    for variable, (text, origin) in values.items():
        if variable == CONFIG_ENVIRONMENT_NAME or variable.startswith(_INTERNAL_PREFIX):
            continue
        if variable not in known:
            if is_ours or _is_meant_for_us(variable, known):
                raise _unknown(variable, origin, known)
            continue
        if text.strip() == "":
            continue  # an empty variable is an unset one, as `.env.example` copied as it is
        section, name = known[variable]
        annotation = Settings.__annotations__[section].__annotations__[name]
        where = f"{variable} in {origin}"
        layer.setdefault(section, {})[name] = (_from_text(annotation, text.strip(), where), where)
    return layer


def _is_meant_for_us(variable: str, known: Mapping[str, Any]) -> bool:
    """Say whether a variable that is no setting was meant as one, in small letters perhaps."""
    name = variable.upper().replace("-", "_")
    return name.startswith(_PREFIXES) or name in known


def _from_text(annotation: Any, text: str, where: str) -> Any:
    """Split lists and tables that a variable writes with commas; the rest stays text."""
    inner = get_args(annotation)[0]
    origin = get_origin(inner)
    if origin is list:
        return [part.strip() for part in text.split(",") if part.strip()]
    if origin is dict:
        table: dict[str, str] = {}
        for part in text.split(","):
            key, _, value = (piece.strip() for piece in part.partition("="))
            if key in table:
                raise SettingsError(f"{where} has {shown_name(key)} twice; keep one of the two")
            if key or value:
                table[key] = value
        return table
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
            converted[name] = check_words(section, name, converted[name])
        except (msgspec.ValidationError, ValueError) as error:
            shown = "not shown" if (section, name) in UNSHOWN else shown_value(value)
            raise SettingsError(
                f"{where} is {shown}: {redact(_plain(error, field_type))}"
            ) from None
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
    bounds = get_args(field_type)[1].extra or {}
    if isinstance(value, dict):
        for item in value.values():
            if isinstance(item, Decimal):
                _check_exact(item, bounds)
    elif isinstance(value, Decimal):
        _check_exact(value, bounds)


def _check_exact(value: Decimal, bounds: Mapping[str, Any]) -> None:
    if not value.is_finite():
        raise ValueError("Expected a finite number")
    if "gt" in bounds and not value > bounds["gt"]:
        raise ValueError(f"Expected a number > {bounds['gt']}")
    if "ge" in bounds and not value >= bounds["ge"]:
        raise ValueError(f"Expected a number >= {bounds['ge']}")
    if "lt" in bounds and not value < bounds["lt"]:
        raise ValueError(f"Expected a number < {bounds['lt']}")
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


def _unknown(
    key: str,
    origin: str,
    known: Mapping[str, Any],
    *,
    section: str | None = None,
    is_section: bool = False,
) -> SettingsError:
    shown = shown_name(key)
    if is_section:
        shown = f"section [{shown}]"
    elif section is not None:
        shown = f"{section}.{shown}"
    return SettingsError(
        f"unknown setting {shown} in {origin}; the nearest known one is {nearest(key, known)}"
    )
