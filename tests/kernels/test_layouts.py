"""A column of one array is never used on another: the numbers of each have a name of their own."""

import ast
from pathlib import Path

import pytest

from engine.kernels import graph_layout, layout, matrix_layout, screen_layout, sizing_layout

ENGINE = Path(__file__).parents[2] / "engine"
LAYOUTS = (graph_layout, layout, matrix_layout, screen_layout, sizing_layout)

ARRAYS = {
    "PLANE": {"dense"},
    "EDGE": {"edges", "edge_table", "held"},
    "PAIR": {"pairs", "pair_table"},
    "TOKEN": {"tokens", "token_table"},
    "POTENTIALS": {"potentials"},
    "GRAPH_STATE": {"state"},
    "CYCLE": {"rows", "cycles_of"},
    "TALLY": {"counts", "found"},
    "BOOK": {"books", "columns"},
    "LEG": {"legs", "leg"},
    "ASSET": {"tokens"},
    "SWEEP": {"sweep", "state"},
    "COST": {"costs", "entries"},
    "ROUTE": {"open_routes", "held"},
    "SCREENED": {"out", "row", "better"},
    "PIECE": {"pieces", "merged", "checked"},
    "SIDE": {"sides", "side", "rows", "row"},
    "TERM": {"terms"},
    "SIZED": {"out", "sized"},
}
"""Of each namespace the arrays, by the names that the code gives them, that it is of."""

GRAPH_PLACES = {2: "edges", 4: "pairs", 6: "tokens", 7: "potentials", 8: "state", 0: "dense"}
"""What the arrays of a graph are by their places in its tuple."""


def names_of(module: object) -> set[str]:
    return {name for name in vars(module) if name.isupper() and not name.startswith("_")}


def test_no_two_layouts_have_a_name_in_common() -> None:
    seen: dict[str, str] = {}
    for module in LAYOUTS:
        for name in names_of(module):
            assert name not in seen, f"{name} is in {module.__name__} and in {seen.get(name)}"
            seen[name] = module.__name__


@pytest.mark.parametrize("name", sorted(ARRAYS))
def test_a_namespace_has_each_number_once(name: str) -> None:
    held = next(vars(module)[name] for module in LAYOUTS if hasattr(module, name))

    assert len(set(held)) == len(held)


def _array(node: ast.expr) -> str:
    """Return what an array is called; of one in a graph's tuple, what its place there is."""
    match node:
        case ast.Subscript(value=ast.Name(id="graph"), slice=ast.Constant(value=int(place))):
            return GRAPH_PLACES.get(place, "")
        case ast.Subscript(value=ast.Attribute(attr="arrays"), slice=ast.Constant(value=int(at))):
            return GRAPH_PLACES.get(at, "")
        case ast.Subscript(value=value):
            return _array(value)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name.removeprefix("_")
    return ""


def uses() -> list[tuple[str, str, str]]:
    """Return where an array is indexed by a column: file and line, the namespace, the array."""
    found = []
    for file in sorted(ENGINE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Subscript):
                continue
            for part in ast.walk(node.slice):
                if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                    inner = any(
                        isinstance(one, ast.Subscript) and part in ast.walk(one)
                        for one in ast.walk(node.slice)
                    )
                    if part.value.id in ARRAYS and not inner:
                        place = f"{file.relative_to(ENGINE)}:{node.lineno}"
                        found.append((place, part.value.id, _array(node.value)))
    return found


def test_arrays_are_indexed_by_columns_of_their_own() -> None:
    found = uses()

    assert len(found) > 300
    wrong = [one for one in found if one[2] not in ARRAYS[one[1]]]
    assert wrong == []
