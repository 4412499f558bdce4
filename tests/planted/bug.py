"""A bug that is planted by hand, and the tests that have to notice it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A small change of one file.

    Attributes:
        kind: of the kinds that got past all tests once, or another.
        path: below `engine` or `bot`.
        old, new: a text that is once in the file, and what stands there instead.
        tests: those of which one must fail.
        is_interpreted: kernels are, as compiled ones are those without the bug.
    """

    what: str
    kind: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]
    is_interpreted: bool = False

    @property
    def room(self) -> str:
        return self.path.rsplit("/", 1)[0].removeprefix("engine/")
