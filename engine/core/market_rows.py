"""Which rows of the board are whose: brought in line with what a venue's list says, while running.

Nothing else adds a row. A list is an input, so a replay adds the same rows at the same instants.
"""

import logging
from collections.abc import Callable, Sequence

from engine.detect.screening.detector import Detector
from engine.domain.errors import BadValueError
from engine.domain.holdings import Capital
from engine.domain.instruments import Instrument, VenueId
from engine.market.board import Board
from engine.market.lateness import Lateness
from engine.portfolio.inventory import Inventory
from engine.ports import Listed, ListedRow

_log = logging.getLogger(__name__)

NOT_LISTED = "not listed any more"


class MarketRows:
    """The rows of each stream's venue as it lists them now.

    A list takes about a millisecond for each new row, and is rare; no frame waits for more.

    Attributes:
        books: rows by stream. Of a market that is not listed any more the last row stays, closed.
        left_out: by stream, what found no room.

    Args:
        followers: are told that rows came or went, after all else knows it.
    """

    def __init__(
        self,
        board: Board,
        venues: Sequence[VenueId],
        books: Sequence[list[int]],
        *,
        detector: Detector,
        inventory: Inventory,
        lateness: Lateness,
        followers: Sequence[Callable[[], None]],
    ) -> None:
        self.books = books
        self.left_out: list[list[str]] = [[] for _ in books]
        self._board = board
        self._venues = venues
        self._detector = detector
        self._inventory = inventory
        self._lateness = lateness
        self._followers = followers

    def take(
        self, stream: int, listed: Sequence[Listed], capital: Sequence[Capital], at_ns: int
    ) -> tuple[list[ListedRow], bool]:
        """Take a venue's list; returns its rows, and whether any came or went.

        Raises:
            BadValueError: the recording that holds the list is damaged.
        """
        venue = self._venues[stream]
        if any(one.instrument.venue != venue for one in listed):
            raise BadValueError(f"the recording is damaged: a list of {venue} names another venue")
        self._inventory.set_capital(venue, capital)
        instruments, books = self._board.instruments, self.books[stream]
        held = {instruments[book].wire_name: book for book in books}
        self.left_out[stream] = []
        rows: list[ListedRow] = []
        before = list(books)
        for one in listed:
            former = held.pop(one.instrument.wire_name, None)
            book, closed = self._row_of(one.instrument, former), one.closed
            if book is None:
                self.left_out[stream].append(str(one.instrument.pair))
                if former is None:
                    continue
                book, closed = former, "no room for its new rules before a restart"
            if book != former:
                self._join(stream, book, former, at_ns)
            rows.append(ListedRow(book=book, instrument=instruments[book], closed=closed))
        rows += [
            ListedRow(book=book, instrument=instruments[book], closed=NOT_LISTED)
            for book in held.values()
        ]
        is_changed = books != before
        if is_changed:
            for follow in self._followers:
                follow()
        return rows, is_changed

    def _row_of(self, instrument: Instrument, former: int | None) -> int | None:
        """Return the row of these very rules, a new one if there is none; None without room."""
        instruments = self._board.instruments
        if former is not None and instruments[former] == instrument:
            return former
        for book in sorted(self._board.former):  # rules that come and go take no room again
            if instruments[book] == instrument:
                return book
        try:
            book = self._board.add(instrument)
        except BadValueError as error:
            _log.warning("%s is left out: %s", instrument, error)
            return None
        try:
            self._detector.add_book(book)
        except BadValueError as error:
            _log.warning("%s is shown and not traded: %s", instrument, error)
        return book

    def _join(self, stream: int, book: int, former: int | None, at_ns: int) -> None:
        books = self.books[stream]
        self._board.former.discard(book)
        if former is None:
            books.append(book)
        else:
            self._board.former.add(former)
            books[books.index(former)] = book
        self._lateness.joined(stream, book, at_ns)
        _log.info("row %d is %s now", book, self._board.instruments[book])
