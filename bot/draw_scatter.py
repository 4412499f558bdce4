"""Drawing of one figure against another: on the line both are alike."""

from bot.chart_look import Given, Look, make_bare, make_figure, png_of, write_head


def draw_scatter(chart: Given, look: Look) -> bytes:
    """Draw a point each; linear about zero, so that losses and small gains can be told apart."""
    points = chart["points"]
    figure = make_figure(look)
    write_head(
        figure,
        look,
        (0.955, chart["title"], 15, look.ink),
        (0.912, chart["basis_note"], 8.5, look.muted),
        (0.866, chart["result"].replace("$", r"\$"), 17, look.ink),
        (0.824, chart["hint"], 8.5, look.muted),
    )
    axes = figure.add_axes((0.17, 0.1, 0.79, 0.66))
    both = [value for x, y, _ in points for value in (x, y)]
    low, high = min(0.0, *both), max(0.0, *both)
    room = 0.06 * ((high - low) or 1.0)
    axes.plot([low, high], [low, high], color=look.muted, linewidth=1, linestyle="--")
    for is_good, color in ((True, look.gain), (False, look.loss)):
        shown = [(x, y) for x, y, good in points if good == is_good]
        axes.scatter([x for x, _ in shown], [y for _, y in shown], s=64, color=color, linewidth=0)
    axes.axhline(0, color=look.muted, linewidth=0.8)
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(low - room, high + room)
    make_bare(axes, look)
    axes.set_xlabel(chart["axes"][0], color=look.muted, size=9)
    axes.set_ylabel(chart["axes"][1], color=look.muted, size=9)
    for x, color, text in ((0.17, look.gain, chart["legend"][0]),
                           (0.5, look.loss, chart["legend"][1])):  # fmt: skip
        figure.text(x, 0.79, "●", size=10, color=color, va="center")
        figure.text(x + 0.035, 0.79, text, size=9, color=look.ink, va="center")
    return png_of(figure)
