"""Endpoints and their secrets: several at once, changed without a restart, old ones for a while."""

from pathlib import Path

import pytest

from bot.web.hooks.endpoints import FILE, Endpoints
from engine.domain.errors import BadValueError, FatalError
from engine.domain.redaction import HIDDEN, redact

H = 3_600


def test_an_old_secret_is_good_until_its_time_and_then_never(tmp_path: Path) -> None:
    endpoints = Endpoints(tmp_path)
    endpoints.add("base", "moralis", "", "first-secret")
    changed = endpoints.rotate("base", "second-secret", now_s=0, old_h=2)
    changed = endpoints.rotate("base", "third-secret", now_s=H, old_h=48)

    assert changed.good_secrets(H) == [b"third-secret", b"second-secret", b"first-secret"]
    # a further change does not prolong what was to end before
    assert changed.good_secrets(2 * H - 1)[-1] == b"first-secret"
    assert changed.good_secrets(2 * H) == [b"third-secret", b"second-secret"]
    assert changed.good_secrets(49 * H) == [b"third-secret"]

    at_once = endpoints.rotate("base", "fourth-secret", now_s=2 * H, old_h=0)
    assert at_once.good_secrets(2 * H) == [b"fourth-secret"]


def test_what_another_process_changed_is_in_force_at_once(tmp_path: Path) -> None:
    served, asked = Endpoints(tmp_path), Endpoints(tmp_path)
    assert served.all() == []
    made = asked.add("base", "alchemy", "base", "first-secret")
    assert served.find(made.path) == made
    assert served.find(made.path[:-1]) is None
    other = asked.add("eth", "quicknode", "ethereum", "first-secret")
    assert served.find(other.path) == other
    asked.remove("base")
    assert served.find(made.path) is None


@pytest.mark.parametrize(
    ("name", "provider", "chain", "secret"),
    [
        ("Base", "moralis", "", "long enough"),
        ("base", "nobody", "", "long enough"),
        ("base", "moralis", "atlantis", "long enough"),
        ("base", "alchemy", "", "long enough"),
        ("base", "moralis", "", "short"),
        ("base", "moralis", "", "with a\nline"),
        ("base", "moralis", "", "x" * 513),
    ],
)
def test_what_cannot_be_an_endpoint_is_none(
    tmp_path: Path, name: str, provider: str, chain: str, secret: str
) -> None:
    with pytest.raises(BadValueError):
        Endpoints(tmp_path).add(name, provider, chain, secret)


def test_a_file_that_others_can_read_is_refused_and_its_secrets_are_never_shown(
    tmp_path: Path,
) -> None:
    endpoints = Endpoints(tmp_path)
    made = endpoints.add("base", "moralis", "", "first-secret-of-base")
    endpoints.all()
    assert redact(f"first-secret-of-base {made.path}") == f"{HIDDEN} {HIDDEN}"
    with pytest.raises(BadValueError, match="a stream base already"):
        endpoints.add("base", "moralis", "", "another secret")
    with pytest.raises(BadValueError, match="has already"):
        endpoints.rotate("base", "first-secret-of-base", now_s=0)
    with pytest.raises(BadValueError, match="there are: base"):
        endpoints.remove("bse")

    (tmp_path / FILE).chmod(0o644)
    with pytest.raises(FatalError, match="chmod 600"):
        Endpoints(tmp_path).all()
