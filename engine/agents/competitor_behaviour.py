"""In which pairs of a chain somebody is about to take something, against "as often as ever".

Time is cut in windows of some blocks. For each pair that was ever taken in, the chance that it is
again in the next window is foretold from the last ones. A pair's forecast acts only while it beats
the pair's usual share out of sample: then its routes go after others, as they are likely gone.
"""

from collections.abc import Generator
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.agents.learning.recursive import Recursive, unlearned
from engine.agents.learning.stepping import OF_GIVEN, begins_anew, through, told
from engine.agents.learning.takes import takes_in
from engine.agents.learning.wager import ALPHA, Wager
from engine.background.ports import Discovery, Given, Outcome, Task
from engine.background.wants import Blocks
from engine.domain.advice import PriorityAdvice
from engine.domain.block_facts import BlockFact
from engine.domain.chains import CHAINS

WINDOW_MS: Final = 30_000
PAIRS_MAX: Final = 16
CASES_MIN: Final = 50
HOLDS_S: Final = 600.0
FAST, SLOW = 0.2, 0.01
_FIRST_WINDOWS: Final = 1 / SLOW


class Habit(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a pair.

    Attributes:
        windows: how many there were since it was first taken in.
        usual, lately: share of windows with a take, over all and of late.
        last: whether the last one had one.
    """

    weights: Recursive = unlearned(3, ridge=10.0)
    tells: Wager = Wager(alpha=ALPHA / PAIRS_MAX)
    windows: int = 0
    usual: float = 0.5
    lately: float = 0.5
    last: float = 0.0

    @property
    def chance(self) -> float:
        """Return how probable a take in the next window is, as foretold."""
        seen = (1.0, self.last - self.usual, self.lately - self.usual)
        return min(0.99, max(0.01, self.usual + self.weights.foretell(seen)))

    def learn(self, *, had: bool) -> "Habit":
        """Return what is known after a window: what was foretold of it is judged first."""
        came = float(had)
        seen = (1.0, self.last - self.usual, self.lately - self.usual)
        windows = self.windows + 1
        return Habit(
            weights=self.weights.learn(seen, came - self.usual),
            tells=self.tells.judge_bounded(
                model_loss=(came - self.chance) ** 2, naive_loss=(came - self.usual) ** 2
            ),
            windows=windows,
            usual=self.usual + (came - self.usual) / min(windows + 1, _FIRST_WINDOWS),
            lately=self.lately + FAST * (came - self.lately),
            last=came,
        )


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a chain.

    Attributes:
        upto: number of the newest block that was looked at.
        window: number of the window that it is in.
        taken: pairs that were taken in within it.
    """

    upto: int = -1
    window: int = -1
    taken: tuple[str, ...] = ()
    openers: dict[str, int] = {}
    pairs: dict[str, Habit] = {}


def _look(blocks: int, state: Habits, block: BlockFact) -> Habits:
    if block.number <= state.upto:
        return state
    window = block.number // blocks
    if state.window >= 0 and window != state.window:
        state = _close(state, is_whole=window == state.window + 1)
    takes, openers = takes_in(block, state.openers)
    pairs = {pair for take in takes for pair in take.pairs}
    return replace(
        state,
        upto=block.number,
        window=window,
        openers=openers,
        taken=tuple(sorted({*state.taken, *pairs})),
    )


def _close(state: Habits, *, is_whole: bool) -> Habits:
    """End a window; after one that was missed there is nothing to learn from."""
    pairs = dict(state.pairs)
    for name in state.taken:
        if name not in pairs and len(pairs) < PAIRS_MAX:
            pairs[name] = Habit()
    if is_whole:
        pairs = {name: habit.learn(had=name in state.taken) for name, habit in pairs.items()}
    return replace(state, taken=(), pairs=pairs)


def _run(
    chain: str, want: Blocks, given: Given, held: Habits | None, learned: Habits | None
) -> Generator[Habits, None, Outcome[Habits]]:
    look = partial(_look, max(1, WINDOW_MS // CHAINS[chain].block_ms))
    blocks = given.of(want).blocks
    state = held or learned or Habits()
    if begins_anew(blocks, state.upto):
        state = replace(state, upto=-1, window=-1, taken=(), openers={})
    state = yield from through(state, blocks, look)
    found = (_discovery(chain, name, habit) for name, habit in sorted(state.pairs.items()))
    return Outcome(
        found=tuple(one for one in found if one),
        learned=state,
        measured={
            "pairs": float(len(state.pairs)),
            "windows": float(sum(habit.windows for habit in state.pairs.values())),
            "open": float(sum(habit.tells.is_open for habit in state.pairs.values())),
        },
    )


def _discovery(chain: str, pair: str, habit: Habit) -> Discovery | None:
    if not habit.tells.is_open or habit.windows < CASES_MIN:
        return None
    chance = told(habit.chance, 2)
    return Discovery(
        kind="competitor_behaviour",
        subject=f"{chain} {pair}"[:100],
        says=f"{pair} on {chain}: a take within {WINDOW_MS // 1_000} s is {chance:.0%} likely,"
        f" {habit.usual:.0%} as a rule",
        figures={
            "chance_ratio": chance,
            "usual_ratio": told(habit.usual, 2),
            "skill_ratio": told(habit.tells.skill, 2),
            "windows": told(habit.windows, 2),
        },
        score=told(min(1.0, max(0.0, habit.tells.skill)), 2),
        holds_s=HOLDS_S,
        evidence=(f"{habit.windows} windows of {chain}, each foretold before it came",),
        advice=PriorityAdvice(pair=pair, ratio=told(1 - chance, 2)),
    )


def competitor_behaviour(chain: str) -> Task[Habits]:
    """Make the task of a chain."""
    want = Blocks(chain=chain, blocks=2_000)
    return Task(
        name=f"{chain}_competitor_behaviour",
        agent="predictor",
        does=f"foretells where others take opportunities of {chain} next, if that can be done",
        state=Habits,
        run=partial(_run, chain, want),
        wants=(want,),
        bounds=OF_GIVEN,
        every_s=300.0,
    )
