"""Generate `.env.example` and `docs/configuration.md` from the list of settings.

``python -m engine.settings.reference`` writes both, with ``--check`` it compares them only; a test
keeps them up to date.
"""

import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from msgspec import Meta

from engine.settings.passing import text_of
from engine.settings.running import TIGHTENS
from engine.settings.schema import SECRETS, Settings, environment_name

_ROOT: Final = Path(__file__).resolve().parents[2]
_WIDTH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingLine:
    """One setting, described."""

    section: str
    name: str
    variable: str
    unit: str
    default: str
    bounds: str
    why: str


def all_settings() -> Iterator[SettingLine]:
    """Describe every setting, in the order of the list."""
    defaults = Settings()
    for section, annotation in Settings.__annotations__.items():
        for name, field_type in annotation.__annotations__.items():
            described = [meta for meta in get_args(field_type)[1:] if isinstance(meta, Meta)]
            meta = described[0]
            yield SettingLine(
                section=section,
                name=name,
                variable=environment_name(section, name),
                unit=(meta.extra or {}).get("unit", ""),
                default=text_of(getattr(getattr(defaults, section), name)),
                bounds=_bounds(get_args(field_type)[0], meta),
                why=(meta.description or "") + _RUNNING[(meta.extra or {}).get(TIGHTENS)],
            )


_RUNNING: Final[Mapping[str | None, str]] = {
    None: "",
    "down": "; changes while it runs, less is tighter",
    "up": "; changes while it runs, more is tighter",
}


def render_env_example() -> str:
    """Render `.env.example`: every variable commented out, with unit, default and why."""
    lines = [
        "# Every setting of Syndicate. Copy to `.env` and take the `#` off what you change.",
        "# The environment wins over `.env`, which wins over `syndicate.toml`.",
        "# Made from engine/settings/schema.py by `make docs`.",
    ]
    section = ""
    for line in all_settings():
        if line.section != section:
            section = line.section
            lines += ["", f"# --- {section}: {Settings.__annotations__[section].__doc__}"]
        unit = f" [{line.unit}]" if line.unit else ""
        bounds = f" ({line.bounds})" if line.bounds else ""
        lines += _wrapped(f"{line.why}{unit}{bounds}", prefix="# ", width=_WIDTH)
        lines.append(f"#{line.variable}={line.default}")
    return "\n".join(lines) + "\n"


def render_configuration() -> str:
    """Render `docs/configuration.md`."""
    lines = [
        "# Configuration",
        "",
        "Settings come in layers: the defaults below, then `syndicate.toml`, then `.env`, then the",
        "environment. A key that is unknown, of the wrong type or out of bounds refuses the start",
        "and names the key, where it stands and the nearest known one. An empty variable is unset.",
        "A file with secrets is refused unless its mode is 0600.",
        "",
        "Files that change are read again within seconds, whole or not at all. What says that it",
        "changes while it runs counts at once where it is tighter, and after `/reload` where it is",
        "looser; all else counts from the next start on. `/config` shows where each value stands.",
        "",
        "This page is made from `engine/settings/schema.py` by `make docs`.",
    ]
    section = ""
    for line in all_settings():
        if line.section != section:
            section = line.section
            lines += [
                "",
                f"## [{section}]",
                "",
                f"{Settings.__annotations__[section].__doc__}",
                "",
                "| key | variable | unit | default | what and why |",
                "|---|---|---|---|---|",
            ]
        why = line.why.replace("|", "\\|") + (f" ({line.bounds})" if line.bounds else "")
        default = f"`{line.default}`" if line.default else "none"
        secret = " **Secret.**" if (line.section, line.name) in SECRETS else ""
        lines.append(
            f"| `{line.name}` | `{line.variable}` | {line.unit} | {default} | {why}{secret} |"
        )
    return "\n".join(lines) + "\n"


def write_all(root: Path) -> None:
    """Write both files below `root`."""
    for name, wanted in _files().items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(wanted, encoding="utf-8")


def behind(root: Path) -> list[str]:
    """Return which of both files below `root` are not what the list of settings says."""
    return [
        name
        for name, wanted in _files().items()
        if not (root / name).exists() or (root / name).read_text(encoding="utf-8") != wanted
    ]


def _files() -> dict[str, str]:
    return {".env.example": render_env_example(), "docs/configuration.md": render_configuration()}


def _bounds(inner: Any, meta: Meta) -> str:
    if get_origin(inner) is Literal:
        return " or ".join(get_args(inner))
    extra = meta.extra or {}
    parts = []
    for sign, bound in (
        (">", meta.gt if meta.gt is not None else extra.get("gt")),
        (">=", meta.ge if meta.ge is not None else extra.get("ge")),
        ("<", meta.lt if meta.lt is not None else extra.get("lt")),
        ("<=", meta.le if meta.le is not None else extra.get("le")),
    ):
        if bound is not None:
            parts.append(f"{sign} {bound}")
    return ", ".join(parts)


def _wrapped(text: str, *, prefix: str, width: int) -> list[str]:
    return textwrap.wrap(text, width=width, initial_indent=prefix, subsequent_indent=prefix)


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        names = behind(_ROOT)
        sys.exit(f"not what the settings say: {', '.join(names)}: make docs" if names else 0)
    write_all(_ROOT)
    sys.stdout.write("wrote .env.example and docs/configuration.md\n")
