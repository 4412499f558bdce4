"""The signer's journal: its log is moved to its places while nobody asks."""

from pathlib import Path

import pytest

from engine.domain.signing import Purpose
from engine.signing import journal as of_journal
from engine.signing.journal import Entry, Journal

ADDRESS = "0x" + "ab" * 20


def signed(journal: Journal, nonces: range) -> None:
    for nonce in nonces:
        entry = Entry(
            digest=b"d",
            purpose=Purpose.ROUTE,
            plan_digest="p",
            fee_wei=1,
            tip_wei=1,
            charges={"gas": 1},
            day=1,
            raw=b"r" * 600,
        )
        journal.add(ADDRESS, 1, nonce, 0, entry)


def test_the_log_is_moved_once_it_is_long_and_nobody_asked_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_journal, "TIDY_CHANGES", 5)
    place = tmp_path / "journal.sqlite3"
    journal = Journal(place)
    before = place.read_bytes()
    signed(journal, range(5))

    journal.tidy()
    while_asked = place.read_bytes() == before
    journal.tidy()

    assert while_asked
    assert place.read_bytes() != before
    assert len(journal.of_nonce(ADDRESS, 1, 4)) == 1
    journal.close()


def test_where_somebody_always_asks_the_log_is_moved_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_journal, "TIDY_CHANGES", 5)
    place = tmp_path / "journal.sqlite3"
    journal = Journal(place)
    before = place.read_bytes()
    signed(journal, range(5 * of_journal.BUSY - 1))
    journal.tidy()
    is_left = place.read_bytes() == before

    signed(journal, range(1_000, 1_001))
    journal.tidy()

    assert is_left
    assert place.read_bytes() != before
    journal.close()
