"""Each bug of the list can be planted: what it changes stands in the product, once."""

import pytest

from tests.planted.__main__ import ROOT
from tests.planted.bug import Bug
from tests.planted.bug_list import BUGS


@pytest.mark.parametrize("bug", BUGS, ids=[bug.what.replace(" ", "_") for bug in BUGS])
def test_what_a_bug_changes_stands_once(bug: Bug) -> None:
    assert (ROOT / bug.path).read_text().count(bug.old) == 1
    assert bug.new != bug.old
    assert all((ROOT / tests.split("::")[0]).exists() for tests in bug.tests)
