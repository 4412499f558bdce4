"""The name for relays is made once, kept for us alone, and never guessed."""

from pathlib import Path

import pytest

from engine.domain.errors import FatalError
from engine.sending.relay_name import relay_name


def test_a_name_is_made_once_and_readable_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "sender" / "relay.key"

    first, second = relay_name(path), relay_name(path)

    assert first == second
    assert path.stat().st_mode & 0o777 == 0o600
    assert relay_name(tmp_path / "another.key") != first


@pytest.mark.parametrize("content", [b"", b"\0" * 32, b"\xff" * 32, b"\1" * 31])
def test_what_is_no_name_is_left_as_it_is_and_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "relay.key"
    path.write_bytes(content)

    with pytest.raises(FatalError, match="holds no name"):
        relay_name(path)
    assert path.read_bytes() == content


def test_where_no_name_can_be_kept_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(FatalError, match="cannot be kept"):
        relay_name(tmp_path / "file" / "relay.key")
