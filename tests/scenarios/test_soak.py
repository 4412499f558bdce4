"""What a soak says of memory: growth is told only where chance does not explain it."""

from pathlib import Path
from typing import Any

import pytest

from engine.bus.work_reports import RoleUse
from engine.wiring.paths import prepare
from engine.wiring.run import role_specs
from tests.scenarios.soak import Grows, says, settings_of, told, verdict_of


def use(role: str = "engine", *, low: float = -2.0, high: float = 4.0) -> RoleUse:
    """A role that was seen to grow, between these MB an hour in 19 of 20 cases."""
    return RoleUse(
        role=role,
        cores=0.1,
        memory_mb=100.0,
        files=9,
        sockets=3,
        leak_mb_h=(low + high) / 2,
        leak_low=low,
        leak_high=high,
        over_s=3_600.0,
    )


def soaked(*uses: RoleUse, minutes: float = 60.0) -> dict[str, Any]:
    return told(list(uses), minutes=minutes, asked_min=60.0, restarts={})


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-2.0, 4.0, Grows.FLAT),
        (-9.0, -3.0, Grows.FLAT),
        (3.0, 5.0, Grows.YES),
        (0.4, 0.6, Grows.SLIGHTLY),
        # One of a dozen roles is as far from zero by chance: each for itself would be called so.
        (1.1, 5.1, Grows.FLAT),
    ],
)
def test_a_role_grows_only_beyond_what_chance_explains_among_a_dozen(
    low: float, high: float, verdict: Grows
) -> None:
    assert verdict_of(use(low=low, high=high))[0] is verdict


def test_a_soak_that_ended_early_says_so_and_names_the_role_of_which_least_is_sure() -> None:
    found = soaked(use(), use("chains", high=20.0), minutes=12.0)

    assert not found["is_whole"]
    assert "after 12 minutes, ended early (60 were asked)" in says(found)
    assert "chains: at most" in says(found)
    assert found["roles"]["engine"]["at_most_mb_h"] > 4.0


def test_growth_and_what_was_seen_too_shortly_are_never_called_flat() -> None:
    short = RoleUse(role="signer", cores=0.0, memory_mb=30.0, files=1, sockets=1)

    assert says(soaked(use(), use("chains", low=5.0, high=9.0))).startswith(
        "Memory grows in chains"
    )
    assert says(soaked(use(), short)).startswith("Nothing is said of signer")
    assert says(soaked()).startswith("Nothing is said of any role")


def test_all_roles_of_a_soak_keep_their_data_in_its_folder(tmp_path: Path) -> None:
    specs = role_specs(settings_of(tmp_path), prepare(str(tmp_path)), has_bot=False)

    folders = {
        spec.name: spec.environment()["SYNDICATE_DATA_DIR"]
        for spec in specs
        if spec.environment is not None
    }
    assert {"engine", "ledger", "workers", "sandbox", "chains"} <= set(folders)
    assert set(folders.values()) == {str(tmp_path)}
