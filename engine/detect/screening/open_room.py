"""Room for open routes, and when those that found none are worth another look."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from engine.detect.screening.episodes import Episode
from engine.domain.opportunities import GAP_LEGS
from engine.kernels.screen_layout import SCREENED

OPEN_MAX_BY_LEGS: Final[Mapping[int, int]] = {GAP_LEGS: 64, 3: 16, 4: 8, 5: 8}
"""Most routes that are open at once. Longer routes are many where there is one gap, as they go
through it too; the best of them by net profit are open, the others wait until there is room."""

UNTRADED_MAX_BY_LEGS: Final[Mapping[int, int]] = {GAP_LEGS: 8, 3: 4, 4: 2, 5: 2}
"""... and beside them, of those that no executor can carry out: for whoever watches."""

DISPLACES_RATIO: Final = 1.1
"""How much more a route must gain, in USD, than the worst open one to take its place: two that are
about as good would else take turns with every change."""

UNTRADED_DISPLACES_RATIO: Final = 2.0
"""Where nothing is traded it matters less which ones are shown than that they stay."""

AGAIN_NS: Final = 1_000_000_000
"""How long routes that found no room go unseen at most, before a sweep for them begins: deeper
places may have made one of them better than an open one, which no better rate tells."""


WITHOUT_ROOM_MAX: Final = 4_096
"""More of them are not counted apart."""


class OpenRoom:
    """Counts open routes by their number of legs, and knows the best that found no room.

    There is one for routes that can be traded and one for the others, so that neither takes room
    of the other. What a route without room gains is not followed: it is what was seen last, since
    the last sweep for such routes began. Where it is above what an open one gains, a sweep finds
    the truth.

    Attributes:
        open_by_legs: how many are open; whoever opens one counts it here, without a call.
        waiting_usd: the most that one without room was seen to gain, by the number of legs.
        without_room: the routes that found none since the last sweep for them began, by their
            edges, and what each was seen to gain, in USD.
        left_out_count: number of times that a route found no room.
        displaced_count: number of routes closed because a better one took their place.
    """

    def __init__(
        self,
        open_max_by_legs: Mapping[int, int] = OPEN_MAX_BY_LEGS,
        *,
        displaces_ratio: float = DISPLACES_RATIO,
    ) -> None:
        self.open_max_by_legs = open_max_by_legs
        self._displaces_ratio = displaces_ratio
        self.open_by_legs = dict.fromkeys(open_max_by_legs, 0)
        self.waiting_usd: dict[int, float] = {}
        self.without_room: dict[tuple[float, ...], float] = {}
        self.left_out_count = 0
        self.displaced_count = 0
        self._before: tuple[int, float] = (0, 0.0)
        self._kept: set[str] = set()
        self._is_due = False
        self._due_at_ns = 0

    def worst_below(self, row: Sequence[float], episodes: Iterable[Episode]) -> Episode | None:
        """Return the worst open route of as many legs, if the new one is better by enough."""
        rivals = [
            episode
            for episode in episodes
            if episode.row[SCREENED.LEGS] == row[SCREENED.LEGS]
            and episode.row[SCREENED.IS_TRADED] == row[SCREENED.IS_TRADED]
            and episode.opportunity_id not in self._kept
        ]
        worst = min(rivals, key=lambda one: one.row[SCREENED.PROFIT_USD], default=None)
        if worst is None:
            return None
        limit_usd = self._displaces_ratio * worst.row[SCREENED.PROFIT_USD]
        return worst if row[SCREENED.PROFIT_USD] > limit_usd else None

    def remove(self, legs: int, *, is_displaced: bool) -> None:
        """Count a route that closes; unless a better one takes its room, another may have it."""
        self.open_by_legs[legs] -= 1
        self._is_due |= not is_displaced and legs in self.waiting_usd

    def left_out(self, row: Sequence[float]) -> None:
        """Remember that a route found no room."""
        self.left_out_count += 1
        self._wait(row)

    def displace(self, row: Sequence[float]) -> None:
        """Remember that a route lost its room to a better one."""
        self.displaced_count += 1
        self._wait(row)

    def renewed(self, opportunity_id: str, row: Sequence[float]) -> None:
        """Learn what an open route gains now: one without room may be better by enough."""
        if opportunity_id in self._kept:
            return
        waiting_usd = self.waiting_usd.get(int(row[SCREENED.LEGS]))
        if waiting_usd is not None and (
            waiting_usd > self._displaces_ratio * row[SCREENED.PROFIT_USD]
        ):
            self._is_due = True

    def keep(self, opportunity_id: str) -> None:
        """Let no better route take the room of this one until `release`."""
        self._kept.add(opportunity_id)

    def release(self, opportunity_id: str) -> None:
        """Take a `keep` back."""
        self._kept.discard(opportunity_id)
        self._is_due |= bool(self.waiting_usd)

    def step_clock(self) -> None:
        """Be due at once: what was due by the old clock says nothing by the new one."""
        self._due_at_ns = 0

    def take_due(self, at_ns: int) -> bool:
        """Tell whether a sweep for routes without room is due; they are forgotten then."""
        is_time = at_ns >= self._due_at_ns
        if is_time and not self.waiting_usd:
            self._before = (0, 0.0)
        if not self.waiting_usd or not (self._is_due or is_time):
            return False
        self._before = self._now()
        self.waiting_usd.clear()
        self.without_room.clear()
        self._is_due = False
        self._due_at_ns = at_ns + AGAIN_NS
        return True

    @property
    def waiting(self) -> tuple[int, float]:
        """How many routes are without room, and the most that one of them gains, in USD.

        As the last whole sweep for them found it, or the one under way where it found more.
        """
        return max(self._before, self._now())

    def _now(self) -> tuple[int, float]:
        return len(self.without_room), max(self.without_room.values(), default=0.0)

    def _wait(self, row: Sequence[float]) -> None:
        legs, usd = int(row[SCREENED.LEGS]), row[SCREENED.PROFIT_USD]
        self.waiting_usd[legs] = max(usd, self.waiting_usd.get(legs, usd))
        if len(self.without_room) < WITHOUT_ROOM_MAX:
            self.without_room[tuple(row[SCREENED.EDGE : SCREENED.EDGE + legs])] = usd
