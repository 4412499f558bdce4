"""The small faults that are put into a function: each is one change of its syntax tree.

Strings, log lines, assertions and annotations stay as they are: changing them changes no decision.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

Function = ast.FunctionDef | ast.AsyncFunctionDef

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
NAMED = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "floor": "ceil",
    "ceil": "floor",
    "ROUND_FLOOR": "ROUND_CEILING",
    "ROUND_CEILING": "ROUND_FLOOR",
}
DECLARED = {"annotation", "returns", "decorator_list", "args"}
LOGS = {"log", "_log", "logger", "_logger", "logging"}


@dataclass(slots=True)
class Change:
    """One node in the place of another; it is made in the tree that it was found in."""

    old: ast.AST
    new: ast.AST
    parent: ast.AST
    name: str
    index: int | None = None
    outermost: Function = field(kw_only=True)
    qualname: str = field(kw_only=True)

    def make(self) -> None:
        ast.fix_missing_locations(ast.copy_location(self.new, self.old))
        if self.index is None:
            setattr(self.parent, self.name, self.new)
        else:
            getattr(self.parent, self.name)[self.index] = self.new

    @property
    def line(self) -> int:
        return getattr(self.old, "lineno", self.outermost.lineno)


def find_changes(tree: ast.Module) -> Iterator[Change]:
    """Find every change of every function, always in the same order."""
    for function, qualname in _functions(tree, ""):
        yield from _changes(function, function, qualname)


def _functions(place: ast.AST, within: str) -> Iterator[tuple[Function, str]]:
    for node in ast.iter_child_nodes(place):
        if isinstance(node, ast.ClassDef):
            if not any(ast.unparse(base).startswith("Protocol") for base in node.bases):
                yield from _functions(node, f"{within}{node.name}.")
        elif isinstance(node, Function) and node.name != "__repr__":
            yield node, within + node.name


def _changes(node: ast.AST, outermost: Function, qualname: str) -> Iterator[Change]:
    for name, held in ast.iter_fields(node):
        if name in DECLARED and not isinstance(node, ast.Call):
            continue
        for index, child in enumerate(held) if isinstance(held, list) else [(None, held)]:
            if not isinstance(child, ast.AST) or _stays(child):
                continue
            for new in _variants(child, node):
                yield Change(child, new, node, name, index, outermost=outermost, qualname=qualname)
            yield from _changes(child, outermost, qualname)


def _stays(node: ast.AST) -> bool:
    """Tell what is not changed: a docstring, an assertion, a log line, a text."""
    if isinstance(node, ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Raise):
        return not isinstance(node, ast.Raise)
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or _is_log(node.value)
    return False


def _is_log(node: ast.AST) -> bool:
    while isinstance(node, ast.Call | ast.Attribute | ast.Await):
        node = node.value if isinstance(node, ast.Attribute | ast.Await) else node.func
        if isinstance(node, ast.Attribute) and node.attr in LOGS:
            return True
    return isinstance(node, ast.Name) and node.id in LOGS


def _variants(node: ast.AST, parent: ast.AST) -> Iterator[ast.AST]:  # noqa: C901, PLR0912
    match node:
        case ast.Compare(left=left, ops=[op], comparators=comparators):
            for other in COMPARED[type(op)]:
                yield ast.Compare(left, [other()], comparators)
        case ast.Compare(left=left, ops=[first, *rest], comparators=comparators):
            yield ast.Compare(left, [COMPARED[type(first)][0](), *rest], comparators)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in COUNTED:
            if not isinstance(left, ast.Constant | ast.JoinedStr) or _is_number(left):
                yield ast.BinOp(left, COUNTED[type(op)](), right)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value) if not isinstance(parent, ast.Subscript):
            yield ast.Constant(value + 1)
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in NAMED:
            other_name = NAMED[name]
            if isinstance(node, ast.Name):
                yield ast.Name(other_name, node.ctx)
            elif isinstance(node, ast.Attribute):
                yield ast.Attribute(node.value, other_name, node.ctx)
        case ast.Call(func=func, args=[one, two, *rest], keywords=keywords) if type(one) is type(
            two
        ) and isinstance(one, ast.Name | ast.Attribute):
            if not _is_type_test(func):
                yield ast.Call(func, [two, one, *rest], keywords)
        case ast.AugAssign(target=target, op=op, value=value):
            if type(op) in COUNTED:
                yield ast.AugAssign(target, COUNTED[type(op)](), value)
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.Raise() | ast.Delete():
            if not _is_init(parent):  # nothing works without its fields: that shows nothing
                yield ast.Pass()
        case ast.Expr(value=ast.Call() | ast.Await()):
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case _:
            pass
    if _is_plain_condition(node, parent):
        yield ast.UnaryOp(ast.Not(), node)  # type: ignore[arg-type] # a condition is an expression


def _is_plain_condition(node: ast.AST, parent: ast.AST) -> bool:
    """Tell a condition that no other variant turns round."""
    is_condition = isinstance(parent, ast.If | ast.While) and node is parent.test
    return is_condition and isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.NamedExpr)


def _is_type_test(func: ast.expr) -> bool:
    return isinstance(func, ast.Name) and func.id in ("isinstance", "cast", "getattr", "hasattr")


def _is_init(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "__init__"


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)
