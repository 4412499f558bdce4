"""The repository keeps its own promises."""

import os
import re
import subprocess
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from engine.__main__ import _parser
from engine.connectors.specs import all_specs
from engine.connectors.venue_list import FEEDS
from engine.decide.limit_list import LIMITS, terms_of
from engine.kernels.warm_up import warm_up_all
from engine.operate import exit_codes
from engine.sandbox.dialects.all import DIALECTS
from engine.settings.schema import CostsSettings, LimitsSettings, Settings, SignerSettings
from engine.wiring.paths import Paths
from engine.wiring.run import role_specs
from engine.wiring.version import VERSION

VENUES = all_specs()

ROOT = Path(__file__).resolve().parents[1]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_make_target_named_in_a_document_exists() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "Dockerfile"]
    for document in documents:
        for target in re.findall(r"`make (?:-s )?([a-z][a-z-]*)", document.read_text()):
            assert target in make_targets(), f"{document.name} names make {target}"


def test_the_image_runs_commands_that_there_are_and_keeps_their_exit_codes() -> None:
    found = re.findall(
        r'CMD \["\.venv/bin/python", "-m", "engine", "([a-z-]+)"\]',
        (ROOT / "Dockerfile").read_text(),
    )
    assert found == ["health", "run"]
    for command in found:
        assert callable(_parser().parse_args([command]).run)


def test_every_help_line_has_a_text() -> None:
    phony = set(re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    described = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert phony == described


def test_a_moved_checkout_compiles_its_kernels_anew_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    for lock in ("requirements.lock", "requirements-ccxt.lock"):
        (tmp_path / lock).touch()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / ".runtime").touch()
    stamp = tmp_path / ".venv" / ".kernels"

    def said() -> str:
        done = subprocess.run(
            ["make", "-n", "run"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    stamp.write_text(f"{tmp_path}\n")
    assert "Compiling kernels" not in said()
    stamp.write_text("/where/it/was\n")
    assert "Compiling kernels" in said()


@pytest.mark.parametrize(
    ("target", "code", "extra"),
    [
        ("health", exit_codes.TRANSIENT, {}),
        ("run", exit_codes.BROKEN_SETTINGS, {"MARKETS": "lvie"}),
        ("migrate", exit_codes.FATAL, {"SYNDICATE_DATA_DIR": "/sys/syndicate"}),
        ("demo", exit_codes.BROKEN_SETTINGS, {"SECONDS": "none"}),
    ],
)
def test_make_shows_the_programs_own_exit_code_beside_its_2(
    tmp_path: Path, target: str, code: int, extra: dict[str, str]
) -> None:
    command = ["make", "-o", ".venv/.runtime", "-o", ".venv/.kernels", target]
    environment = os.environ | {"SYNDICATE_DATA_DIR": str(tmp_path / "var")} | extra

    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert said[-1] == f"syndicate: exit code {code}: {exit_codes.meaning_of(code)}"


def test_the_runbook_has_each_exit_code_with_the_meaning_that_the_program_says() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (yes|no) \|", runbook, re.MULTILINE)
    assert {int(code): meaning for code, meaning, _ in rows} == exit_codes.MEANINGS
    for code, _, is_restarted in rows:
        assert (is_restarted == "yes") == exit_codes.is_restartable(int(code))


def test_ci_runs_the_quick_checks_and_then_the_readmes_test_command() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines[-2:] == ["make lint", "make test"]
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert lint is not None
    for tool in ("ruff format --check", "ruff check", "lint-imports", "mypy"):
        assert f"$(VENV)/bin/{tool}" in lint.group(1)
    for pages in ("engine.settings.reference", "bot.docs"):
        assert f"-m {pages} --check" in lint.group(1)


def test_every_decision_has_a_number_of_its_own_which_it_names_itself_by() -> None:
    names = sorted(one.name for one in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [name[:4] for name in names]
    assert sorted(set(numbers)) == numbers
    for name in names:
        text = (ROOT / "docs" / "decisions" / name).read_text()
        assert text.startswith(f"# {int(name[:4])}. "), name


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    assert f"## {VERSION}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_limit_is_in_the_risk_page() -> None:
    risk = (ROOT / "docs" / "risk.md").read_text()
    for name in ("kill latch", "pause", "mode", "book age", "unproven book", "least net edge",
                 "position", "daily loss", "order rate", "ledger behind",
                 "switched off"):  # fmt: skip
        assert f"| {name} |" in risk
    defaults = Settings()
    for term in terms_of(LIMITS):
        assert getattr(getattr(defaults, term.section), term.name) == term.default, term.name


def test_the_sandbox_speaks_every_feed_of_every_venue() -> None:
    spoken = {dialect.venue: set(dialect.feeds) for dialect in DIALECTS}
    assert spoken == {venue: set(spec.feeds) for venue, spec in VENUES.items()}
    assert {name: set(feeds) for name, feeds in FEEDS.items()} == spoken
    assert {name: feeds[0] for name, feeds in FEEDS.items()} == {
        venue: next(iter(spec.feeds)) for venue, spec in VENUES.items()
    }


def test_every_kernel_has_a_slow_twin() -> None:
    twins = {path.stem for path in (ROOT / "tests" / "reference").glob("*.py")}
    for kernel in warm_up_all():
        module = kernel.partition(".")[0]
        assert module in twins, module


def test_locks_name_no_registry_and_pin_hashes() -> None:
    for lock in (*ROOT.glob("*.lock"), *(ROOT / "benchmarks").glob("*.lock")):
        text = lock.read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text


@pytest.mark.parametrize(
    ("file", "grace"),
    [
        ("compose.yaml", r"stop_grace_period: (\d+)s"),
        ("docs/syndicate.service", r"TimeoutStopSec=(\d+)"),
    ],
)
def test_the_roles_stop_within_what_runs_them_allows(tmp_path: Path, file: str, grace: str) -> None:
    found = re.search(grace, (ROOT / file).read_text())
    assert found is not None
    settings = Settings(signer=SignerSettings(signs="sandbox"))
    specs = role_specs(settings, Paths(tmp_path), has_bot=True)
    assert "signer" in [spec.name for spec in specs]
    assert sum(spec.stop_s for spec in specs) <= int(found.group(1)) - 2


def test_what_needs_a_person_is_not_started_again_for_ever() -> None:
    unit = (ROOT / "docs" / "syndicate.service").read_text()
    for code in (exit_codes.BROKEN_SETTINGS, exit_codes.FATAL):
        assert re.search(rf"^RestartPreventExitStatus=.*\b{code}\b", unit, re.MULTILINE)
    assert re.search(
        r"^    restart: on-failure:\d$", (ROOT / "compose.yaml").read_text(), re.MULTILINE
    )


def test_the_container_owns_what_it_writes_to() -> None:
    user = re.search(r"useradd --uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert user is not None
    compose = (ROOT / "compose.yaml").read_text()
    assert f'command: ["chown", "-R", "{user.group(1)}", "/data"]' in compose
    assert "condition: service_completed_successfully" in compose


def test_the_readme_tells_the_fees_and_gaps_that_the_product_assumes() -> None:
    readme = (ROOT / "README.md").read_text()
    fees = {venue.title(): Decimal(str(spec.fee_bps_taker)) for venue, spec in VENUES.items()}
    for venue, fee_bps in fees.items():
        assert re.search(rf"{venue}\s{fee_bps / 100:.2f} %", readme), venue
    beside = CostsSettings().transfer_bps + LimitsSettings().net_edge_bps_min
    table = readme.partition("| gap needed |")[2].partition("\n\n")[0].splitlines()
    columns = [cell.strip() for cell in table[0].split("|") if cell.strip()]
    told = {
        (row.split("|")[1].strip(), column): cell.strip()
        for row in table[2:]
        for column, cell in zip(columns, row.split("|")[2:], strict=False)
        if cell.strip()
    }
    assert told == {(a, b): f"{(fees[a] + fees[b] + beside) / 100:.2f} %" for a, b in told}
    assert {frozenset(pair) for pair in told} == {
        frozenset((a, b)) for a in fees for b in fees if a != b
    }


def test_what_the_page_of_promises_names_is_there() -> None:
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+/[a-z_/]+(?:\.py)?)`", page))

    assert len(named) > 10
    assert [one for one in sorted(named) if not (ROOT / "tests" / one).exists()] == []
