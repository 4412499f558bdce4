"""Read `.env` strictly: whatever is not plainly a setting refuses the start.

The library's parser skips a line that it cannot read, takes a bare name for an empty value, and
lets an unclosed quote swallow the lines behind it; each would leave a limit at its default.
"""

import io
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from dotenv.parser import Binding, parse_stream

from engine.domain.errors import SettingsError
from engine.settings.words import nearest, shown_name


class Assigned(NamedTuple):
    """A variable's text and where it stands."""

    text: str
    where: str


def read_dotenv(path: Path, *, known: Iterable[str]) -> Mapping[str, Assigned]:
    """Read the variables of a file; a file that does not exist has none.

    Raises:
        SettingsError: it cannot be read, or one of its lines does not assign one variable.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text: write it anew") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    names = list(known)
    found: dict[str, Assigned] = {}
    for binding in parse_stream(io.StringIO(content)):
        if binding.key is None and not binding.error:
            continue  # a comment, or an empty line
        line = _line_of(binding)
        if binding.key is None or binding.value is None or _is_long(binding):
            raise _unreadable(binding, line=line, path=path, known=names)
        if binding.key in found:
            raise SettingsError(
                f"{shown_name(binding.key)} in {path}, line {line}, was set before "
                f"({found[binding.key].where}); keep one of the two"
            )
        found[binding.key] = Assigned(binding.value, f"{path}, line {line}")
    return found


def check_only_owner(path: Path) -> None:
    """Refuse a file of secrets that others may read or write.

    Raises:
        SettingsError: they may; the text says the command that mends it.
    """
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise SettingsError(
            f"{path} may be read or written by others (mode {mode:04o}) and is for secrets; "
            f"mend it with: chmod 600 {shlex.quote(str(path))}"
        )


def _line_of(binding: Binding) -> int:
    text = binding.original.string
    blank = text[: len(text) - len(text.lstrip())]
    return binding.original.line + blank.count("\n")


def _is_long(binding: Binding) -> bool:
    return "\n" in binding.original.string.strip()


def _unreadable(binding: Binding, *, line: int, path: Path, known: list[str]) -> SettingsError:
    text = binding.original.string.strip()
    word = text.split("=", 1)[0].split(None, 1)[0].rstrip(":") if text else ""
    meant = nearest(word, known)
    if _is_long(binding) or text.count('"') == 1 or text.count("'") == 1:
        why = "has a quote that is not closed on its line"
    elif "=" not in text:
        why = "has no = between a name and a value"
    else:
        why = "cannot be read"
    return SettingsError(
        f"{shown_name(word)} in {path}, line {line}, {why}; write NAME=value; "
        f"the nearest known name is {meant}"
    )
