"""The screens of the settings in force, and what is told of those that were read anew."""

from collections.abc import Mapping, Sequence

from bot.render import words
from bot.render.clean import clean
from bot.render.screen import Lines, Mark, Screen, Text, wrapped
from engine.bus.notices import SettingsOutcome, SettingsRead
from engine.bus.settings_reports import RunningSetting, SettingsReport
from engine.facade.front_end import SettingInForce

_LINE_LIMIT = 300
_TITLES: Mapping[SettingsOutcome, tuple[Mark, str]] = {
    SettingsOutcome.TAKEN: (Mark.NONE, "Settings taken from the files"),
    SettingsOutcome.WAITS: (Mark.WARN, "Settings wait for your word"),
    SettingsOutcome.REFUSED: (Mark.BAD, "Settings refused, nothing changed"),
    SettingsOutcome.AT_NEXT_START: (Mark.NONE, "Settings for the next start"),
}


def render_sections(
    settings: Sequence[SettingInForce], running: SettingsReport | None = None
) -> Screen:
    """Show what differs from the defaults, and which sections there are."""
    known = _by_name(running)
    changed = [one for one in settings if not one.is_default or _is_moved(known.get(_key(one)))]
    lines = [f"{one.section}.{one.name}\n  {_told(one, known.get(_key(one)))}" for one in changed]
    sections = list(dict.fromkeys(one.section for one in settings))
    return Screen(
        title=f"Settings: {len(changed)} of {len(settings)} set",
        blocks=(
            _lines(lines) if lines else Text("All are at their defaults."),
            Text(f"/config and one of {', '.join(sections)} shows all of a section."),
            Text(
                "Limits, fees, venues, pairs, mode: from here; all else in .env or syndicate.toml,"
                " of which /reload shows what counts already."
            ),
        ),
    )


def render_section(
    section: str, settings: Sequence[SettingInForce], running: SettingsReport | None = None
) -> Screen:
    """Show one section: what was set is marked, and where."""
    own = [one for one in settings if one.section == section]
    if not own:
        return Screen(title=f"No section {section}", mark=Mark.WARN)
    known = _by_name(running)
    lines = [
        f"{'' if one.is_default else '*'}{one.name}\n  {_told(one, known.get(_key(one)))}"
        for one in own
    ]
    return Screen(
        title=f"Settings: {section}", blocks=(_lines(lines),), note="* differs from its default"
    )


def render_files(running: SettingsReport) -> Screen:
    """Show what the files say that does not count yet."""
    blocks: list[Text | Lines] = []
    if running.trouble:
        blocks.append(Text(f"Refused: {clean(running.trouble, limit=_LINE_LIMIT)}"))
    if running.waits:
        blocks += [Text("These wait for your word:"), _lines(running.waits)]
    if running.at_next_start:
        blocks += [Text("These count from the next start on:"), _lines(running.at_next_start)]
    if not blocks:
        blocks.append(Text("What the files say is in force."))
    read = f"read {words.day_clock_zone(running.read_at_ns)}" if running.read_at_ns else ""
    mark = Mark.BAD if running.trouble else Mark.WARN if running.waits else Mark.NONE
    return Screen(
        title="Files of settings", mark=mark, blocks=tuple(blocks), note=read or "as at the start"
    )


def settings_content(notice: SettingsRead) -> tuple[Mark, str, list[str]]:
    """Return mark, title and lines of the news that the files have changed."""
    mark, title = _TITLES[notice.outcome]
    lines = [clean(one, limit=_LINE_LIMIT) for one in notice.lines]
    if notice.outcome is SettingsOutcome.WAITS:
        lines.append("They let more through: /reload")
    return mark, title, lines


def _told(one: SettingInForce, running: RunningSetting | None) -> str:
    """Return a setting's value, and where it comes from."""
    if running is None or not _is_moved(running):
        return f"{one.value} ({one.origin})" if one.origin else one.value
    since = f" since {words.day_clock(running.since_ns)}" if running.since_ns else ""
    if running.value != running.by_settings:
        return f"{running.value:f} (chat; the files: {running.by_settings:f}{since})"
    return f"{running.value:f} (the files{since})"


def _is_moved(running: RunningSetting | None) -> bool:
    """Say whether another value than at the start is in force."""
    return running is not None and (bool(running.since_ns) or running.value != running.by_settings)


def _key(one: SettingInForce) -> tuple[str, str]:
    return one.section, one.name


def _by_name(running: SettingsReport | None) -> dict[tuple[str, str], RunningSetting]:
    settings = [] if running is None else running.settings
    return {(one.section, one.name): one for one in settings}


def _lines(told: Sequence[str]) -> Lines:
    return wrapped([line for one in told for line in one.split("\n")])
