"""The people of the tests."""

from typing import Final

from engine.domain.people import Person, Rank
from tests.telegram.emulator import OPERATOR_ID

OWNER: Final = Person(OPERATOR_ID, Rank.ADMIN)
COLLEAGUE: Final = Person(5151, Rank.OPERATOR)
GUEST: Final = Person(6161, Rank.VIEWER)
