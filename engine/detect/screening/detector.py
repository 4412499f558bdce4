"""The detector: screens every changed place and follows the routes that it finds.

A change without a hit costs one kernel call and allocates nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.moved_pair import KnownPool
from engine.detect.screening.episodes import Closed, Episode
from engine.detect.screening.open_room import (
    UNTRADED_DISPLACES_RATIO,
    UNTRADED_MAX_BY_LEGS,
    OpenRoom,
)
from engine.detect.screening.screens import Screens
from engine.domain.opportunities import HopKind, Opportunity
from engine.domain.units import BPS_PER_UNIT
from engine.kernels.graph_layout import NONE
from engine.kernels.layout import CHANGED_AT_NS, IS_LIVE
from engine.kernels.screen_layout import ROUTE, SCREENED
from engine.market.board import Board

NO_EPISODES: tuple[Episode, ...] = ()
NO_CLOSED: tuple[Closed, ...] = ()


class Detector:
    """Finds opportunities; at most one episode is open per route.

    Attributes:
        found: number of episodes opened.
        closed: number of episodes closed.
        screens: by which it screens.
        just_closed: episodes that ended and that `take_closed` has not returned yet.
    """

    def __init__(self, board: Board, graph: LiveGraph, *, age_ns_max: int, run_id: str) -> None:
        self._board = board
        self._graph = graph
        self.screens = Screens(board, graph)
        self._age_ns_max = age_ns_max
        self._run_id = run_id
        self._open: list[Episode] = []
        self._room = OpenRoom()
        self._untraded_room = OpenRoom(
            UNTRADED_MAX_BY_LEGS, displaces_ratio=UNTRADED_DISPLACES_RATIO
        )
        self.just_closed: list[Closed] = []
        traded = [book for book in range(len(board.instruments)) if graph.edges_of(book)]
        self._traded = np.array(traded, np.int64)
        self._stale_at_ns = 0
        self._is_sweep_due = False
        self.found = 0
        self.closed = 0

    def on_change(self, book: int, at_ns: int) -> Sequence[Episode]:
        """Screen a changed book; return the episodes that it opened or gave new figures.

        Episodes that it ended wait for `take_closed`.
        """
        count = self.screens.screen(book, at_ns, len(self._open))
        return self._take(count, at_ns) if count else NO_EPISODES

    def add_book(self, book: int) -> None:
        """Take a new row of the board into account, from its first change on.

        Raises:
            BadValueError: there is no room.
        """
        self._graph.add_book(book)
        if self._graph.edges_of(book):
            self._traded = np.append(self._traded, book)

    def on_pools(self, changes: Mapping[int, KnownPool | None], at_ns: int) -> Sequence[Episode]:
        """Take the new states of pools that changed at once, and screen once; see `on_change`.

        A block's pools are one change: what stands in the middle of it nobody can trade on.

        Args:
            changes: by number; None for a pool that is stale from now on.
            at_ns: time of the change.

        Raises:
            BadValueError: no such pool has a number, or there is no room; all is as it was then.
        """
        count = self.screens.change_pools(changes, at_ns, len(self._open))
        return self._take(count, at_ns) if count else NO_EPISODES

    def add_pool(self, number: int, prepared: KnownPool, at_ns: int) -> Sequence[Episode]:
        """Add a pool under a number of the caller's and screen it; see `on_change`.

        Raises:
            BadValueError: the number is taken, or there is no room.
        """
        self._graph.add_pool(number, prepared)
        count = self.screens.reopen(number, at_ns, len(self._open))
        return self._take(count, at_ns) if count else NO_EPISODES

    def remove_pool(self, number: int, at_ns: int) -> None:
        """Remove a pool; episodes through it end.

        Raises:
            BadValueError: no pool has the number.
        """
        self._graph.pool_terms(number)
        for episode in list(self._open):
            if number in episode.pools:
                self._close(episode, at_ns, is_stale=False)
        self._graph.remove_pool(number)

    def end_stale(self, at_ns: int) -> None:
        """End the episodes of which a book or pool is stale."""
        for episode in list(self._open):
            if not self._is_fresh(episode, at_ns):
                self._close(episode, at_ns, is_stale=True)

    def close_stale(self, at_ns: int) -> None:
        """Take books that have gone stale by age out of all routes; cheap while none is due."""
        if at_ns < self._stale_at_ns:
            return
        state = self._board.state
        live = self._traded[state[self._traded, IS_LIVE] != 0]
        stale_at_ns = state[live, CHANGED_AT_NS] + (self._age_ns_max + 1)
        is_stale = stale_at_ns <= at_ns
        for book in live[is_stale].tolist():
            self._graph.close(book)
        self.end_stale(at_ns)
        # A book that comes to life later is due later than one age from now.
        due_at_ns = stale_at_ns[~is_stale].min(initial=at_ns + self._age_ns_max + 1)
        self._stale_at_ns = int(due_at_ns)

    def step_clock(self) -> None:
        """Look for stale books at once: the old clock says nothing of when the next is due."""
        self._stale_at_ns = 0
        self._room.step_clock()

    def screen_starts(self, at_ns: int) -> Sequence[Episode]:
        """Screen a bounded part of what could not be costed, or found no room; see `on_change`."""
        if not self._graph.sweep.is_left and (self._is_sweep_due or self._room.take_due(at_ns)):
            self._is_sweep_due = False
            self._graph.sweep.add_again()
        count = self.screens.screen_starts(at_ns, len(self._open))
        return self._take(count, at_ns) if count else NO_EPISODES

    def look_at(self, routes: Sequence[tuple[int, ...]], at_ns: int) -> Sequence[Episode]:
        """Size routes by their edges, that no change may have found; see `on_change`."""
        count = self.screens.size_routes(routes, at_ns, len(self._open))
        return self._take(count, at_ns) if count else NO_EPISODES

    def screen_again(self) -> None:
        """Have all routes screened by `screen_starts`: a chain is back, whose pools may stand."""
        self._is_sweep_due = True

    @property
    def pools_waiting(self) -> int:
        """How many pools are yet to be screened by `screen_starts`."""
        return self._graph.pools_waiting

    @property
    def pools_cut(self) -> int:
        """How many pools have liquidity that was left out, as it does not fit the rest."""
        return self._graph.pools_cut

    @property
    def crowded_out(self) -> int:
        """How often a route that can be traded found no room among the open ones."""
        return self._room.left_out_count

    @property
    def without_room(self) -> tuple[int, float]:
        """How many such routes are without room now, and the most that one gains, in USD."""
        return self._room.waiting

    @property
    def displaced(self) -> int:
        """How many such episodes were closed because a better route took their place."""
        return self._room.displaced_count

    @property
    def unsized(self) -> int:
        """How many routes, at least, were one too many to be weighed or sized by one change."""
        return self.screens.unsized + self.screens.unweighed

    @property
    def untraded_left_out(self) -> int:
        """How often a route that no executor carries out was not sized, or found no room."""
        room = self._untraded_room
        return self.screens.untraded_unsized + room.left_out_count + room.displaced_count

    def keep(self, opportunity_id: str) -> None:
        """Let no better route take the place of this one until `release`: a plan is under way."""
        self._room.keep(opportunity_id)

    def release(self, opportunity_id: str) -> None:
        """Take a `keep` back."""
        self._room.release(opportunity_id)

    def newest(self, episode: Episode) -> Opportunity:
        """Return an open opportunity with its newest figures, under the same id."""
        if episode.is_new:
            return episode.first
        return self._opportunity(
            episode.opportunity_id, episode.row, episode.seen_at_ns, episode.frame_seq
        )

    def take_closed(self) -> Sequence[Closed]:
        """Return the episodes that ended since the last call."""
        if not self.just_closed:
            return NO_CLOSED
        closed, self.just_closed = self.just_closed, []
        return closed

    @property
    def open_episodes(self) -> tuple[Episode, ...]:
        """Episodes that are open now, in no order."""
        return tuple(self._open)

    def _take(self, count: int, at_ns: int) -> Sequence[Episode]:
        """Follow the routes of the first rows of the graph's result."""
        rows = self.screens.out[:count].tolist()
        changed: list[Episode] = []
        ended: list[Episode] = []
        followed = 0  # routes that are open come first
        for row in rows:
            slot = int(row[SCREENED.OPEN])
            if slot < 0:
                break
            followed += 1
            episode = self._open[slot]
            if row[SCREENED.PROFIT] > 0.0:
                self._renew(episode, row, at_ns)
                changed.append(episode)
            else:
                ended.append(episode)
        for episode in ended:
            self._close(episode, at_ns, is_stale=not self._is_fresh(episode, at_ns))
        if followed == count:
            return changed
        new = rows[followed:]
        new.sort(key=lambda row: (row[SCREENED.LEGS], -row[SCREENED.PROFIT_USD]))
        for row in new:
            if row[SCREENED.PROFIT] <= 0.0:
                continue
            room, legs = self._room_of(row), int(row[SCREENED.LEGS])
            if room.open_by_legs[legs] >= room.open_max_by_legs[legs]:
                worst = room.worst_below(row, self._open)
                if worst is None:
                    room.left_out(row)
                    continue
                self._displace(worst, row, at_ns)
                changed = [episode for episode in changed if episode is not worst]
            changed.append(self._open_episode(row, at_ns))
        return changed

    def _displace(self, episode: Episode, better: Sequence[float], at_ns: int) -> None:
        self._room_of(episode.row).displace(episode.row)
        self._close(episode, at_ns, is_stale=False, better=better)

    def _room_of(self, row: Sequence[float]) -> OpenRoom:
        return self._room if row[SCREENED.IS_TRADED] else self._untraded_room

    @property
    def _next_id(self) -> str:
        return f"{self._run_id}-{self.found + 1}"

    def _renew(self, episode: Episode, row: list[float], at_ns: int) -> None:
        episode.is_new = False
        episode.row = row
        if self._room.waiting_usd and row[SCREENED.IS_TRADED]:
            self._room.renewed(episode.opportunity_id, row)
        episode.seen_at_ns = at_ns
        episode.frame_seq = self._board.frame_seqs[0]
        episode.profit_quote = profit_quote = row[SCREENED.PROFIT]
        episode.peak_profit_quote = max(episode.peak_profit_quote, profit_quote)

    def _open_episode(self, row: list[float], at_ns: int) -> Episode:
        opportunity_id = self._next_id
        self.found += 1
        legs = int(row[SCREENED.LEGS])
        self._room_of(row).open_by_legs[legs] += 1
        first = self._opportunity(opportunity_id, row, at_ns, self._board.frame_seq)
        edges = [int(row[SCREENED.EDGE + leg]) for leg in range(legs)]
        episode = Episode(
            slot=len(self._open),
            books=tuple(hop.row for hop in first.hops if hop.kind is HopKind.BOOK),
            pools=tuple(hop.row for hop in first.hops if hop.kind is HopKind.POOL),
            first=first,
            row=row,
            seen_at_ns=at_ns,
            frame_seq=first.frame_seq,
            profit_quote=first.profit_quote,
            peak_profit_quote=first.profit_quote,
        )
        self._open.append(episode)
        for book in episode.books:
            self._board.routes_through[book] += 1
        held = self.screens.open_routes[episode.slot]
        held[:] = NONE
        held[ROUTE.LEGS] = legs
        held[ROUTE.EDGE : ROUTE.EDGE + legs] = edges
        return episode

    def _opportunity(
        self, opportunity_id: str, row: Sequence[float], at_ns: int, frame_seq: int
    ) -> Opportunity:
        hops = self.screens.hops(row)
        profit, notional = row[SCREENED.PROFIT], row[SCREENED.NOTIONAL]
        return Opportunity(
            opportunity_id=opportunity_id,
            seen_at_ns=at_ns,
            frame_seq=frame_seq,
            hops=hops,
            size_base=hops[0].amount_out,
            gross_edge_bps=row[SCREENED.GROSS_RATIO] * BPS_PER_UNIT,
            net_edge_bps=profit / notional * BPS_PER_UNIT,
            gas_quote=row[SCREENED.GAS],
            profit_quote=profit,
        )

    def _close(
        self, episode: Episode, at_ns: int, *, is_stale: bool, better: Sequence[float] | None = None
    ) -> None:
        # The last open route moves into the gap, so that the open ones stay the first rows.
        last = self._open.pop()
        if last is not episode:
            self._open[episode.slot] = last
            self.screens.open_routes[episode.slot] = self.screens.open_routes[last.slot]
            last.slot = episode.slot
        room = self._room_of(episode.row)
        room.remove(len(episode.first.hops), is_displaced=better is not None)
        for book in episode.books:
            self._board.routes_through[book] -= 1
        self.closed += 1
        self.just_closed.append(
            Closed(
                opportunity_id=episode.opportunity_id,
                closed_at_ns=at_ns,
                lasted_ns=at_ns - episode.first.seen_at_ns,
                peak_profit_quote=episode.peak_profit_quote,
                is_stale=is_stale,
                gave_way_to="" if better is None else self._next_id,
                better_usd=0.0 if better is None else better[SCREENED.PROFIT_USD],
            )
        )

    def _is_fresh(self, episode: Episode, at_ns: int) -> bool:
        return all(
            self._board.is_fresh(book, at_ns=at_ns, age_ns_max=self._age_ns_max)
            for book in episode.books
        ) and all(self._graph.is_pool_fresh(pool, at_ns) for pool in episode.pools)
