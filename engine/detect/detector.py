"""The detector: screens every changed book against its peers and follows what it finds.

A frame without a hit costs one kernel call and allocates nothing.
"""

from collections.abc import Sequence

from engine.detect.episodes import Closed, Episode
from engine.detect.routes import Route
from engine.detect.terms import Screen, make_tables
from engine.domain.opportunities import Opportunity
from engine.kernels import layout
from engine.kernels.gap import find_gaps
from engine.market.board import Board
from engine.portfolio.costs import Costs

NO_EPISODES: tuple[Episode, ...] = ()
NO_CLOSED: tuple[Closed, ...] = ()
_NEVER_NS = 2**63 - 1


class Detector:
    """Finds opportunities on the board; at most one episode is open per route.

    Attributes:
        screened: number of book changes screened.
        found: number of episodes opened.
        closed: number of episodes closed.
    """

    def __init__(
        self, board: Board, routes: Sequence[Route], costs: Costs, screen: Screen, *, run_id: str
    ) -> None:
        self._board = board
        self._state = board.state
        self._levels = board.levels
        self._tables = make_tables(board.instruments, routes, costs, screen)
        self._terms = self._tables.terms
        self._routes = self._tables.routes
        self._out = self._tables.out
        self._age_ns_max = screen.age_ns_max
        self._run_id = run_id
        self._open: dict[tuple[int, int], Episode] = {}
        self._just_closed: list[Closed] = []
        self._look_at_ns = _NEVER_NS
        self.screened = 0
        self.found = 0
        self.closed = 0

    def on_change(self, book: int, at_ns: int) -> Sequence[Episode]:
        """Screen a changed book; return the episodes that it opened or gave new figures.

        Episodes that it ended wait for `take_closed`.
        """
        self.screened += 1
        count = find_gaps(
            book, at_ns, self._state, self._levels, self._terms, self._routes, self._out
        )
        if count == 0 and not self._open:
            return NO_EPISODES
        found = [self._update(row, at_ns) for row in self._out[:count].tolist()]
        self._close_missing(book, at_ns, found)
        return found or NO_EPISODES

    def look(self, at_ns: int) -> None:
        """Close episodes of which a book has gone stale by age; cheap while none is due."""
        if at_ns < self._look_at_ns:
            return
        self._look_at_ns = _NEVER_NS
        for route, episode in list(self._open.items()):
            due_at_ns = self._stale_from_ns(route)
            if at_ns >= due_at_ns:
                self._close(route, episode, at_ns, is_stale=True)
            else:
                self._look_at_ns = min(self._look_at_ns, due_at_ns)

    def take_closed(self) -> Sequence[Closed]:
        """Return the episodes that ended since the last call."""
        if not self._just_closed:
            return NO_CLOSED
        closed, self._just_closed = self._just_closed, []
        return closed

    @property
    def open_episodes(self) -> tuple[Episode, ...]:
        """Episodes that are open now, oldest first."""
        return tuple(self._open.values())

    def _update(self, row: list[float], at_ns: int) -> Episode:
        route = (int(row[layout.OUT_BUY_BOOK]), int(row[layout.OUT_SELL_BOOK]))
        episode = self._open.get(route)
        if episode is None:
            return self._open_episode(route, row, at_ns)
        profit = row[layout.OUT_PROFIT_QUOTE]
        episode.is_new = False
        episode.seen_at_ns = at_ns
        episode.frame_seq = self._board.frame_seq
        episode.size_base = row[layout.OUT_SIZE_BASE]
        episode.gross_edge_bps = row[layout.OUT_GROSS_BPS]
        episode.net_edge_bps = row[layout.OUT_NET_BPS]
        episode.profit_quote = profit
        episode.peak_profit_quote = max(episode.peak_profit_quote, profit)
        return episode

    def _open_episode(self, route: tuple[int, int], row: list[float], at_ns: int) -> Episode:
        self.found += 1
        buy_book, sell_book = route
        first = Opportunity(
            opportunity_id=f"{self._run_id}-{self.found}",
            seen_at_ns=at_ns,
            frame_seq=self._board.frame_seq,
            buy=self._board.instruments[buy_book],
            sell=self._board.instruments[sell_book],
            buy_book=buy_book,
            sell_book=sell_book,
            size_base=row[layout.OUT_SIZE_BASE],
            gross_edge_bps=row[layout.OUT_GROSS_BPS],
            net_edge_bps=row[layout.OUT_NET_BPS],
            profit_quote=row[layout.OUT_PROFIT_QUOTE],
        )
        episode = Episode(
            first=first,
            seen_at_ns=at_ns,
            frame_seq=first.frame_seq,
            size_base=first.size_base,
            gross_edge_bps=first.gross_edge_bps,
            net_edge_bps=first.net_edge_bps,
            profit_quote=first.profit_quote,
            peak_profit_quote=first.profit_quote,
        )
        self._open[route] = episode
        # Later changes of the books only make this instant later, so that looking then is enough.
        self._look_at_ns = min(self._look_at_ns, self._stale_from_ns(route))
        return episode

    def _close_missing(self, book: int, at_ns: int, found: list[Episode]) -> None:
        for route, episode in list(self._open.items()):
            if book in route and not any(episode is one for one in found):
                self._close(route, episode, at_ns, is_stale=not self._is_live(route))

    def _close(
        self, route: tuple[int, int], episode: Episode, at_ns: int, *, is_stale: bool
    ) -> None:
        del self._open[route]
        self.closed += 1
        self._just_closed.append(
            Closed(
                opportunity_id=episode.opportunity_id,
                closed_at_ns=at_ns,
                lasted_ns=at_ns - episode.first.seen_at_ns,
                peak_profit_quote=episode.peak_profit_quote,
                is_stale=is_stale,
            )
        )

    def _is_live(self, route: tuple[int, int]) -> bool:
        return all(self._board.is_live(book) for book in route)

    def _stale_from_ns(self, route: tuple[int, int]) -> int:
        changed_at_ns = min(self._board.changed_at_ns(book) for book in route)
        return changed_at_ns + self._age_ns_max + 1
