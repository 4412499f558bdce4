"""Setting up an authenticator: the secret is kept once a code proved it, for its owner only."""

import re
import stat
from pathlib import Path

import pyotp
import pytest

from engine.settings.load import load_settings
from engine.tools.enroll import TRIES_MAX, enroll

AT_NS = 1_790_000_000_000_000_000


class Person:
    """Reads what is shown, and types codes of the secret shown."""

    def __init__(self, *, late_s: int = 0, is_wrong: bool = False) -> None:
        self.seen: list[str] = []
        self.asked = 0
        self._at_s = AT_NS // 1_000_000_000 - late_s
        self._is_wrong = is_wrong

    @property
    def secret(self) -> str:
        """The secret as shown for typing."""
        found = re.search(r"type it there: ([A-Z2-7 ]+)", "\n".join(self.seen))
        assert found is not None
        return found.group(1).replace(" ", "")

    def type_code(self, _question: str) -> str:
        """Return the digits of the authenticator, with a blank as it shows them."""
        self.asked += 1
        code = pyotp.TOTP(self.secret).at(self._at_s)
        if self._is_wrong:
            code = f"{(int(code) + 1) % 1_000_000:06}"
        return f"{code[:3]} {code[3:]}"


def run(person: Person, env_file: Path) -> bool:
    return enroll(env_file, show=person.seen.append, ask=person.type_code, clock=lambda: AT_NS)


def test_a_right_code_keeps_the_secret_beside_the_other_settings(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("MARKETS=live\nSYNDICATE_OPERATOR_TOTP_SECRET=" + "A" * 32 + "\n")
    env_file.chmod(0o644)
    person = Person(late_s=20)

    assert run(person, env_file)

    settings = load_settings({}, directory=tmp_path)
    assert settings.operator.totp_secret == person.secret
    assert settings.markets.source == "live"
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [env_file]


def test_a_new_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    assert run(Person(), tmp_path / ".env")

    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


@pytest.mark.parametrize("person", [Person(is_wrong=True), Person(late_s=300)])
def test_wrong_codes_keep_nothing(tmp_path: Path, person: Person) -> None:
    assert not run(person, tmp_path / ".env")

    assert person.asked == TRIES_MAX
    assert not (tmp_path / ".env").exists()


def test_the_code_to_scan_fits_a_terminal(tmp_path: Path) -> None:
    person = Person()

    run(person, tmp_path / ".env")

    rows = person.seen[0].splitlines()
    assert len(rows) <= 24
    assert max(len(row) for row in rows) <= 80
