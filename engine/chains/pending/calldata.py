"""Calldata: words and arrays of a contract's call, as its decoder reads them, within bounds.

Whoever wants to may put any bytes into a transaction. Whatever cannot be read as the call that it
says it is ends in one kind of error; offsets may point to one place again and again, so that the
work is bounded by a budget and not by the length of the bytes.
"""

from enum import StrEnum
from typing import Final

WORD: Final = 32
CALLDATA_BYTES_MAX: Final = 131_072
"""A node takes no longer transaction into its pool."""
ITEMS_MAX: Final = 512
"""Elements of arrays, commands and nested calls that are looked at for one transaction."""
DEPTH_MAX: Final = 4
"""Calls within calls; a wallet nests two."""

_ADDRESS_BITS: Final = 160
_BYTES_AN_ITEM: Final = 4_096
"""Bytes that may be looked at in the place of one element."""


class Why(StrEnum):
    """Why calldata is not decoded."""

    CUT_OFF = "cut_off"
    """A word, an offset or a length leads beyond the end."""
    BAD_VALUE = "bad_value"
    """A value that its type cannot have."""
    TOO_MUCH = "too_much"
    """More elements or calls within calls than anybody needs."""
    UNKNOWN_CALL = "unknown_call"
    """A function, command or action that is not decoded."""
    NO_SWAP = "no_swap"
    """A call that swaps nothing."""


class UndecodableError(Exception):
    """The one kind of error of decoding."""

    def __init__(self, why: Why, text: str) -> None:
        super().__init__(f"{why}: {text}")
        self.why: Final = why


class Budget:
    """What the decoding of one transaction may still look at."""

    __slots__ = ("left",)

    def __init__(self, items: int = ITEMS_MAX) -> None:
        self.left = items

    def take(self, count: int) -> None:
        """Take from it.

        Raises:
            UndecodableError: it is used up.
        """
        self.left -= count
        if self.left < 0:
            raise UndecodableError(Why.TOO_MUCH, f"over {ITEMS_MAX} elements and calls")


class Words:
    """A tuple of a call's arguments: words counted from its start, which offsets count from too."""

    __slots__ = ("_bytes", "_end", "_start", "budget")

    def __init__(self, text: bytes, start: int, end: int, budget: Budget) -> None:
        self._bytes, self._start, self._end, self.budget = text, start, end, budget

    @classmethod
    def of_call(cls, text: bytes, budget: Budget) -> "Words":
        """Read the arguments behind a selector."""
        return cls(text, 4, len(text), budget)

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._end - self._start

    def uint(self, index: int, bits: int = 256) -> int:
        """Return a whole number without sign.

        Raises:
            UndecodableError: there is none, or it is too great for its type.
        """
        at = self._start + WORD * index
        if at + WORD > self._end:
            raise UndecodableError(Why.CUT_OFF, f"no word {index} in {self.size} bytes")
        value = int.from_bytes(self._bytes[at : at + WORD])
        if value >> bits:
            raise UndecodableError(Why.BAD_VALUE, f"word {index} is over {bits} bits")
        return value

    def int24(self, index: int) -> int:
        """Return a whole number of 24 bits with its sign.

        Raises:
            UndecodableError: see `uint`.
        """
        value = self.uint(index)
        signed = value - (1 << 256) if value >> 255 else value
        if not -(1 << 23) <= signed < 1 << 23:
            raise UndecodableError(Why.BAD_VALUE, f"word {index} is over 24 bits")
        return signed

    def flag(self, index: int) -> bool:
        """Return a yes or no.

        Raises:
            UndecodableError: see `uint`.
        """
        return self.uint(index, 1) == 1

    def address(self, index: int) -> str:
        """Return an address.

        Raises:
            UndecodableError: see `uint`.
        """
        return address_text(self.uint(index, _ADDRESS_BITS))

    def inner(self, index: int) -> "Words":
        """Return the tuple that a word points to.

        Raises:
            UndecodableError: it points beyond the end.
        """
        return Words(self._bytes, self._start + self._offset(index), self._end, self.budget)

    def text(self, index: int) -> bytes:
        """Return the bytes that a word points to.

        Raises:
            UndecodableError: they do not end within the call.
        """
        start, end = self._text_span(index)
        return self._bytes[start:end]

    def tuple_in(self, index: int) -> "Words":
        """Return the bytes that a word points to as a tuple of their own.

        Raises:
            UndecodableError: see `text`.
        """
        start, end = self._text_span(index)
        return Words(self._bytes, start, end, self.budget)

    def elements(self, index: int) -> tuple["Words", int]:
        """Return an array that a word points to, and its length; its words are its elements.

        Raises:
            UndecodableError: it does not end within the call, or the budget is used up.
        """
        start = self._start + self._offset(index)
        length = Words(self._bytes, start, self._end, self.budget).uint(0)
        start += WORD
        if length * WORD > self._end - start:
            raise UndecodableError(Why.CUT_OFF, f"array of {length} in {self._end - start} bytes")
        self.budget.take(length)
        return Words(self._bytes, start, self._end, self.budget), length

    def uints(self, index: int, bits: int = 256) -> list[int]:
        """Return an array of whole numbers.

        Raises:
            UndecodableError: see `elements` and `uint`.
        """
        array, length = self.elements(index)
        return [array.uint(place, bits) for place in range(length)]

    def addresses(self, index: int) -> list[str]:
        """Return an array of addresses.

        Raises:
            UndecodableError: see `elements` and `uint`.
        """
        return [address_text(value) for value in self.uints(index, _ADDRESS_BITS)]

    def texts(self, index: int) -> list[bytes]:
        """Return an array of byte strings.

        Raises:
            UndecodableError: see `elements` and `text`.
        """
        array, length = self.elements(index)
        return [array.text(place) for place in range(length)]

    def _offset(self, index: int) -> int:
        offset = self.uint(index)
        if offset > self.size - WORD:
            raise UndecodableError(Why.CUT_OFF, f"word {index} points beyond {self.size} bytes")
        return offset

    def _text_span(self, index: int) -> tuple[int, int]:
        start = self._start + self._offset(index)
        length = int.from_bytes(self._bytes[start : start + WORD])
        start += WORD
        if length > self._end - start:
            raise UndecodableError(Why.CUT_OFF, f"{length} bytes in {self._end - start}")
        self.budget.take(length // _BYTES_AN_ITEM)
        return start, start + length


def address_text(value: int) -> str:
    """Return an address as this product writes it: in lower case."""
    return f"0x{value:040x}"
