"""The command table as a page of documentation."""

from bot.command import CommandEntry, Kind, Topic

_KIND_SENTENCES = {
    Kind.READ: "only shows",
    Kind.PROTECTIVE: "makes the engine do less; one step, always honoured",
    Kind.CHANGE: "lets the engine do more; fresh and in two steps",
}

_HEAD = """# Commands

The same commands work in Telegram and in the terminal. This page is generated from
`bot/command_table.py` with `python -m bot.docs`; a test keeps it up to date.

Any line that begins with the word kill works as `/kill`, whatever punctuation a phone adds
(`/kill.`, `kill it`, `KILL!`). A line that is not understood does nothing and is answered
with the nearest known command. Numbers are whole and written in plain digits.

Where several people write to one bot: what only shows is for everybody, all else for operators
and admins. A mode upward, a wider limit, a venue, pair or fee that lets more through, and the end
of a kill are an admin's.
"""


def render_docs(table: tuple[CommandEntry, ...]) -> str:
    """Return the page in Markdown."""
    parts = [_HEAD]
    for topic in Topic:
        entries = [entry for entry in table if entry.topic is topic]
        parts.append(f"## {topic.value.capitalize()}\n")
        parts += [_section(entry) for entry in entries]
    return "\n".join(parts)


def _section(entry: CommandEntry) -> str:
    lines = [f"### `{entry.usage}`", "", f"{entry.short_help.capitalize()}. {_kind(entry)}", ""]
    lines += [*entry.long_help, ""]
    if entry.aliases:
        lines += ["Also: " + ", ".join(f"`/{alias}`" for alias in entry.aliases), ""]
    return "\n".join(lines)


def _kind(entry: CommandEntry) -> str:
    sentence = f"It {_KIND_SENTENCES[entry.kind]}."
    if entry.kind is Kind.PROTECTIVE and not entry.tightens:
        sentence = "It changes how loud the chat is, never what the engine does; always honoured."
    if entry.protective_when is not None:
        sentence += " Some of its forms take one step; see below."
    if entry.changes_when is not None:
        sentence += " Some of its forms change something, in two steps; see below."
    return sentence
