"""What a checkpoint reads of an object is all that it holds, and costs the object nothing."""

import gc

import pytest

from engine.core.attributes import attributes_of


class Part:
    NOT_STATE = frozenset({"_wire"})
    limit = 5

    def __init__(self) -> None:
        self._wire = object()
        self.count = 0

    @property
    def double(self) -> int:
        return 2 * self.count

    def add(self) -> int:
        def later() -> None:
            self.last = self.count

        later()
        return self.limit


class Child(Part):
    __slots__ = ("place",)

    def __init__(self) -> None:
        super().__init__()
        self.place = 3


def test_methods_properties_and_what_is_no_state_are_left_out() -> None:
    part = Child()

    assert dict(attributes_of(part)) == {"count": 0, "place": 3}

    part.add()
    part.limit = 6

    assert dict(attributes_of(part)) == {"count": 0, "place": 3, "limit": 6, "last": 0}


@pytest.mark.parametrize("reads", [lambda part: dict(attributes_of(part)), vars])
def test_an_object_keeps_its_attributes_in_a_row(reads: object) -> None:
    part = Part()
    assert callable(reads)
    reads(part)

    has_dict = any(isinstance(one, dict) and "count" in one for one in gc.get_referents(part))

    assert has_dict is (reads is vars)
