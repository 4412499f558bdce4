"""What paper trades took counts until the venue changes the level."""

from engine.kernels.layout import ASK, BID
from engine.portfolio.taken import Taken


class Levels:
    def __init__(self) -> None:
        self.sizes: dict[tuple[int, int, int], int] = {}

    def size_at(self, book: int, side: int, price_steps: int) -> int:
        return self.sizes.get((book, side, price_steps), 0)


def test_taken_size_adds_up_per_level_and_is_kept_apart_by_side_and_book() -> None:
    levels = Levels()
    levels.sizes = {(0, ASK, 10): 5}
    taken = Taken(levels)

    taken.take(0, ASK, 10, 2)
    taken.take(0, ASK, 10, 1)

    assert taken.steps_at(0, ASK, 10) == 3
    assert taken.steps_at(0, BID, 10) == 0
    assert taken.steps_at(1, ASK, 10) == 0
    assert taken.has_any(0)
    assert not taken.has_any(1)


def test_a_change_elsewhere_in_the_book_gives_nothing_back() -> None:
    levels = Levels()
    levels.sizes = {(0, ASK, 10): 5, (0, ASK, 11): 5}
    taken = Taken(levels)
    taken.take(0, ASK, 10, 2)

    levels.sizes[0, ASK, 11] = 9
    taken.on_change(0)

    assert taken.steps_at(0, ASK, 10) == 2


def test_a_changed_or_vanished_level_is_whole_again() -> None:
    levels = Levels()
    levels.sizes = {(0, ASK, 10): 5, (0, ASK, 11): 5}
    taken = Taken(levels)
    taken.take(0, ASK, 10, 2)
    taken.take(0, ASK, 11, 2)

    levels.sizes[0, ASK, 10] = 6
    del levels.sizes[0, ASK, 11]
    taken.on_change(0)

    assert not taken.has_any(0)


def test_what_is_given_back_is_ones_own_share_of_the_level_as_it_was() -> None:
    levels = Levels()
    levels.sizes = {(0, ASK, 10): 5}
    taken = Taken(levels)
    first = taken.take(0, ASK, 10, 2)
    second = taken.take(0, ASK, 10, 1)

    taken.give_back(first)
    left = taken.steps_at(0, ASK, 10)
    levels.sizes[0, ASK, 10] = 6
    taken.on_change(0)
    taken.take(0, ASK, 10, 3)
    taken.give_back(second)

    assert left == 1
    assert taken.steps_at(0, ASK, 10) == 3


def test_a_level_of_which_all_is_given_back_is_remembered_no_more() -> None:
    taken = Taken(Levels())

    taken.give_back(taken.take(0, ASK, 10, 2))

    assert not taken.has_any(0)


def test_the_oldest_level_is_forgotten_when_a_book_has_too_many() -> None:
    taken = Taken(Levels(), levels_max=2)

    for price in (1, 2, 3):
        taken.take(0, ASK, price, 1)

    assert [taken.steps_at(0, ASK, price) for price in (1, 2, 3)] == [0, 1, 1]
