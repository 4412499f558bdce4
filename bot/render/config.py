"""The screen of the settings in force."""

from collections.abc import Sequence

from bot.render.screen import Lines, Mark, Screen, Text, wrapped
from engine.facade.front_end import SettingInForce


def render_sections(settings: Sequence[SettingInForce]) -> Screen:
    """Show what differs from the defaults, and which sections there are."""
    changed = [one for one in settings if not one.is_default]
    lines = [f"{one.section}.{one.name}\n  {one.value}" for one in changed]
    sections = list(dict.fromkeys(one.section for one in settings))
    return Screen(
        title=f"Settings: {len(changed)} of {len(settings)} set",
        blocks=(
            _lines(lines) if lines else Text("All are at their defaults."),
            Text(f"/config and one of {', '.join(sections)} shows all of a section."),
            Text(
                "Limits, fees, venues, pairs, mode: from here; all else in .env or syndicate.toml."
            ),
        ),
    )


def render_section(section: str, settings: Sequence[SettingInForce]) -> Screen:
    """Show one section: what was set is marked."""
    own = [one for one in settings if one.section == section]
    if not own:
        return Screen(title=f"No section {section}", mark=Mark.WARN)
    lines = [f"{'' if one.is_default else '*'}{one.name}\n  {one.value}" for one in own]
    return Screen(
        title=f"Settings: {section}", blocks=(_lines(lines),), note="* differs from its default"
    )


def _lines(told: Sequence[str]) -> Lines:
    return wrapped([line for one in told for line in one.split("\n")])
