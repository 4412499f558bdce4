"""The grammar of a command line: strict, so that nothing is ever half understood."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from bot.render.clean import clean

LINE_LIMIT = 400
"""Characters of a command line that are looked at."""

_COMMAND = re.compile(r"/([A-Za-z][A-Za-z0-9_]{0,31})(?:@[A-Za-z0-9_]{1,32})?[^\w/@]*\Z")
_KILL = re.compile(
    r"(?:[\W_]*kill|\W*/k)(?:@[A-Za-z0-9_]{1,32})?(?![A-Za-z0-9])[\W_]*(.*)\Z", re.IGNORECASE
)
_PHONE_STOP = re.compile(r"(?<=\w)\.\Z")
"""The full stop that a phone makes of two spaces."""

_NEAR_CUTOFF = 0.5
_NEAR_CUTOFF_BARE = 0.75
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}\Z", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}\Z", re.ASCII)
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,159}\Z", re.ASCII)
"""Of tokens without a code of their own the chain and address are in the name."""
_AMOUNT = re.compile(r"[A-Za-z0-9+.,%-]{1,24}\Z", re.ASCII)
"""Its handler knows the unit, and says what is wrong in it."""
_CODE = re.compile(r"[A-Za-z0-9-]{4,32}\Z", re.ASCII)


class Form(StrEnum):
    """What an argument may look like."""

    NUMBER = "whole number"
    CHOICE = "choice"
    WORD = "word"
    PLACE = "venue or pair"
    AMOUNT = "amount"
    CODE = "one-time code"
    REST = "rest of the line"


_FORMS: Final = {Form.WORD: _WORD, Form.PLACE: _PLACE, Form.AMOUNT: _AMOUNT, Form.CODE: _CODE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a command.

    Attributes:
        number_min, number_max: bounds of a NUMBER, both allowed.
        choices: the words of a CHOICE.
        may_be_skipped: a word that is none of it may be one of the arguments after it.
    """

    name: str
    form: Form
    is_required: bool = False
    number_min: int = 1
    number_max: int = 1
    choices: tuple[str, ...] = ()
    may_be_skipped: bool = False

    @property
    def usage(self) -> str:
        """Return the argument as it stands in a usage line."""
        body = "|".join(self.choices) if self.choices else self.name
        return f"<{body}>" if self.is_required else f"[{body}]"


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments that passed the grammar."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str, *, default: int) -> int:
        """Return a number, or the default where it was left out."""
        return self.numbers.get(name, default)

    def text(self, name: str) -> str | None:
        """Return a word, choice, code or rest; None where it was left out."""
        return self.texts.get(name)


@dataclass(frozen=True, slots=True)
class Misread:
    """A line that is no command: why, and the nearest known one, or what its arguments may be."""

    why: str
    nearest: str | None = None


def split_line(text: str) -> tuple[str, str] | Misread:
    """Split a line into the command's name and the rest.

    A line that begins with the word KILL is the command `/kill`, with or without a slash, in any
    case and with any punctuation around it: a false kill costs minutes, a missed one money.
    """
    line = clean(text, limit=LINE_LIMIT)
    kill = _KILL.match(line)
    if kill is not None:
        return "kill", kill.group(1).strip()
    head, _, rest = _PHONE_STOP.sub("", line).partition(" ")
    match = _COMMAND.match(head)
    if match is None:
        return Misread(f"“{clean(line, limit=40)}” is not a command")
    return match.group(1).lower(), rest.strip()


def nearest(word: str, known: tuple[str, ...], *, is_bare: bool = False) -> str | None:
    """Return the known word that looks most like `word`, if any does.

    A word without a slash may be anything: it has to look more like it.
    """
    cutoff = _NEAR_CUTOFF_BARE if is_bare else _NEAR_CUTOFF
    found = get_close_matches(word.lower(), known, n=1, cutoff=cutoff)
    return found[0] if found else None


def parse_arguments(rest: str, grammar: tuple[Argument, ...]) -> Arguments | Misread:
    """Read the arguments of a command, or say which one is wrong and what would be right."""
    numbers: dict[str, int] = {}
    texts: dict[str, str] = {}
    words, read = rest.split(), list[str]()
    for number, argument in enumerate(grammar):
        if argument.form is Form.REST:
            if words:
                texts[argument.name] = " ".join(words)
            words = []
            continue
        if not words:
            if argument.is_required:
                return Misread(f"{argument.usage} is missing: {_expectation(argument)}")
            continue
        wrong = _read(words[0], argument, numbers=numbers, texts=texts)
        if wrong is None:
            read.append(words.pop(0))
        elif not argument.may_be_skipped or not _fits_later(words[0], grammar[number + 1 :]):
            if wrong.nearest is None:
                return wrong
            return replace(wrong, nearest=" ".join([*read, wrong.nearest]))
    if words:
        return Misread(f"“{clean(' '.join(words), limit=40)}” is one argument too many")
    return Arguments(numbers=numbers, texts=texts)


def _fits_later(word: str, others: tuple[Argument, ...]) -> bool:
    """Say whether a word is one of the arguments after one that was left out."""
    return any(_read(word, other, numbers={}, texts={}) is None for other in others)


def _read(
    word: str, argument: Argument, *, numbers: dict[str, int], texts: dict[str, str]
) -> Misread | None:
    if argument.form is Form.NUMBER:
        if _WHOLE_NUMBER.match(word):
            value = int(word)
            if argument.number_min <= value <= argument.number_max:
                numbers[argument.name] = value
                return None
    elif argument.form is Form.CHOICE:
        if word.lower() in argument.choices:
            texts[argument.name] = word.lower()
            return None
        return Misread(
            f"{argument.name} “{clean(word, limit=40)}” is unknown: {_expectation(argument)}",
            nearest(word, argument.choices),
        )
    elif _FORMS[argument.form].match(word):
        texts[argument.name] = word
        return None
    return Misread(
        f"{argument.name} “{clean(word, limit=40)}” is not valid: {_expectation(argument)}"
    )


def _expectation(argument: Argument) -> str:
    if argument.form is Form.NUMBER:
        return f"a whole number from {argument.number_min} to {argument.number_max}"
    if argument.form is Form.CHOICE:
        return "one of " + ", ".join(argument.choices)
    if argument.form is Form.CODE:
        return "the one-time code, 4 to 32 letters or digits"
    if argument.form is Form.AMOUNT:
        return "a number, as 12.5"
    if argument.form is Form.PLACE:
        return "a name as /venue and /pair show them"
    return "an id as shown on the screens"
