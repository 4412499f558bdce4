"""`make calibration`: judge all told probabilities, and write their page and picture anew."""

import sys
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.calibration.cases import Judged, all_judged
from engine.domain.calibration import may_be_called

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
PAGE: Final = DOCS / "calibration.md"
PICTURE: Final = DOCS / "pictures" / "calibration.svg"
MARK: Final = "<!-- figures: written by `make calibration` -->"
HEADER: Final = (
    "| model | fitted on | n, out of sample | Brier | base rate's | skill | log loss, base's |"
    " told 95 % or more | held (interval) | calibrated | may be called 95 % |"
)
BLUE, GREY = "#1f5fa8", "#888888"


def table_of(judged: list[Judged]) -> str:
    """Return the figures as text: one line for each model, then its reliability."""
    lines = [
        HEADER,
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in judged:
        found = one.reliability
        low, high = found.called_interval
        held = (
            f"{found.called_held / found.called_n:.1%} ({low:.1%} to {high:.1%})"
            if found.called_n
            else "-"
        )
        lines.append(
            f"| {one.what} (`{one.name}`) | {one.fitted_n:,} | {found.n:,} | {found.brier:.4f} |"
            f" {found.base_brier:.4f} | {found.skill:+.1%} | {found.log_loss:.3f},"
            f" {found.base_log_loss:.3f} | {found.called_n:,} | {held} |"
            f" {_yes(found.is_calibrated)} | **{_yes(may_be_called(found.evidence))}** |"
        )
    for one in judged:
        lines += ["", f"Reliability of `{one.name}`:", "", "| n | told | held | interval | fits |",
                  "|---|---|---|---|---|"]  # fmt: skip
        lines += [
            f"| {bin_.n} | {bin_.told:.1%} | {bin_.held:.1%} | {bin_.low:.1%} to {bin_.high:.1%} |"
            f" {_yes(bin_.fits)} |"
            for bin_ in one.reliability.bins
        ]
    return "\n".join(lines) + "\n"


def draw(judged: list[Judged]) -> Figure:
    """Draw what held against what was told, with intervals, a panel each."""
    figure = Figure(figsize=(2.7 * len(judged), 3.0))
    for axes, one in zip(figure.subplots(1, len(judged), squeeze=False)[0], judged, strict=True):
        bins = one.reliability.bins
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
        axes.errorbar(
            [bin_.told for bin_ in bins],
            [bin_.held for bin_ in bins],
            yerr=[
                [max(bin_.held - bin_.low, 0.0) for bin_ in bins],
                [max(bin_.high - bin_.held, 0.0) for bin_ in bins],
            ],
            fmt="o",
            color=BLUE,
            markersize=4,
            linewidth=1,
        )
        axes.set_title(f"{one.name}\nn {one.reliability.n:,}", fontsize=9)
        axes.set_xlabel("told", fontsize=8)
        axes.set_ylabel("held", fontsize=8)
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.03)
        axes.tick_params(labelsize=7)
        axes.grid(visible=True, color="#e6e6e6")
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def _yes(is_so: bool) -> str:  # noqa: FBT001 - a word for it
    return "yes" if is_so else "no"


def main() -> int:
    """Write both."""
    judged = all_judged()
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    if not mark:
        sys.stderr.write(f"{PAGE} has no line {MARK}\n")
        return 1
    table = table_of(judged)
    PAGE.write_text(f"{head}{MARK}\n\n{table}", encoding="utf-8")
    mpl.rcParams["svg.hashsalt"] = "syndicate"
    draw(judged).savefig(PICTURE, metadata={"Date": None})
    sys.stdout.write(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
