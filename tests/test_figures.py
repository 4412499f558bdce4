"""Figures in documents come from stored measurements, and agree with what is said of them."""

import json
import re
import subprocess
import sys

from benchmarks import page
from benchmarks.peers.recorded import CASES, as_task, cycles, gain_of


def test_benchmarks_need_nothing_that_only_tests_have() -> None:
    code = "import sys; sys.modules['pytest'] = None; import benchmarks.__main__"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert done.returncode == 0, done.stderr[-400:]


def test_the_page_of_figures_is_what_the_stored_rows_say() -> None:
    assert page.PAGE.read_text() == page.render()


def test_every_picture_that_a_document_shows_exists() -> None:
    shown = 0
    for document in page.PAGE.parent.rglob("*.md"):
        for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", document.read_text()):
            assert (document.parent / target).is_file(), f"{document.name} shows {target}"
            shown += 1
    assert shown >= 4


def test_no_peer_disagrees_in_silence() -> None:
    rows = json.loads(page.PEERS.read_text())
    assert rows
    assert all(row["agreement"] for row in rows)


def test_the_cycles_given_to_peers_lead_back_to_where_they_start_and_gain() -> None:
    for kind, made in cycles():
        assert len(made) == CASES
        for cycle in (made[0], made[-1]):
            token = task_token = as_task(cycle)["token"]
            for leg in cycle:
                assert leg.tokens[leg.token_in] == token
                token = leg.tokens[1 - leg.token_in]
            assert token == task_token, kind
            assert gain_of(cycle, 10**18) > 0
