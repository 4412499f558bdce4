"""A mutant: one change in one file, known by what it changes and not by its line."""

import ast
import gc
import random
import types
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.mutants.operators import Change, find_changes

ROOT = Path(__file__).resolve().parents[2]
Key = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """The `index`-th change that can be made in a file."""

    path: str
    index: int
    line: int
    last_line: int
    qualname: str
    function_line: int
    old: str
    new: str

    @property
    def room(self) -> str:
        return self.path.split("/")[1]

    @property
    def name(self) -> str:
        return f"{self.path} {self.qualname}: {self.old} -> {self.new}"


def all_mutants(room: str) -> list[Mutant]:
    files = sorted((ROOT / "engine" / room).rglob("*.py"))
    return [mutant for file in files for mutant in _mutants(str(file.relative_to(ROOT)))]


def sample(rooms: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """Draw mutants, from each room as many as its share of all; a longer draw begins as a short."""
    drawn: list[tuple[float, Mutant]] = []
    for room in rooms:
        mutants = all_mutants(room)
        random.Random(f"{seed} {room}").shuffle(mutants)
        drawn.extend(((place + 0.5) / len(mutants), one) for place, one in enumerate(mutants))
    drawn.sort(key=lambda one: (one[0], one[1].name))
    return [mutant for _, mutant in drawn[:count]]


def _mutants(path: str) -> Iterator[Mutant]:
    source = (ROOT / path).read_text()
    for index, change in enumerate(find_changes(ast.parse(source))):
        first = change.outermost.decorator_list[0] if change.outermost.decorator_list else None
        yield Mutant(
            path=path,
            index=index,
            line=change.line,
            last_line=getattr(change.old, "end_lineno", None) or change.line,
            qualname=change.qualname,
            function_line=first.lineno if first else change.outermost.lineno,
            old=_text(change.old),
            new=_text(change.new),
        )


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(node)).split())


class Functions:
    """The living functions of the rooms; those of a mutant get the changed code in their place.

    So nothing is imported anew, no file is touched, and compiled kernels stay those of the cache.
    """

    def __init__(self, rooms: Sequence[str]) -> None:
        within = tuple(str(ROOT / "engine" / room) + "/" for room in rooms)
        self._sources = sources(tuple(rooms))
        self._found: dict[tuple[str, Key], list[types.FunctionType]] = defaultdict(list)
        gc.unfreeze()  # an engine that ran in this process has hidden all that there was
        for one in gc.get_objects():
            # What `isinstance` asks a proxy of something gone raises.
            if type(one) is types.FunctionType and one.__code__.co_filename.startswith(within):
                code = one.__code__
                key = (code.co_qualname, code.co_firstlineno)
                self._found[code.co_filename, key].append(one)

    def has(self, mutant: Mutant) -> bool:
        return bool(self._living(mutant))

    def become(self, mutant: Mutant) -> None:
        """Put the mutant's code into its function, for the rest of this process."""
        file = str(ROOT / mutant.path)
        tree = ast.parse(self._sources[mutant.path])
        change: Change = list(find_changes(tree))[mutant.index]
        change.make()
        codes = dict(_codes(compile(tree, file, "exec")))
        for function in self._living(mutant):
            function.__code__ = codes[mutant.qualname, mutant.function_line]

    def _living(self, mutant: Mutant) -> list[types.FunctionType]:
        key = (mutant.qualname, mutant.function_line)
        return self._found.get((str(ROOT / mutant.path), key), [])


def _codes(code: types.CodeType) -> Iterator[tuple[Key, types.CodeType]]:
    for held in code.co_consts:
        if isinstance(held, types.CodeType):
            yield (held.co_qualname, held.co_firstlineno), held
            yield from _codes(held)


@cache
def sources(rooms: tuple[str, ...]) -> dict[str, bytes]:
    """Return the files of rooms as they were when first asked for: they may change meanwhile."""
    return {
        str(file.relative_to(ROOT)): file.read_bytes()
        for room in rooms
        for file in sorted((ROOT / "engine" / room).rglob("*.py"))
    }
