"""Measures of the source: sizes, names, prose. `python -m tests.habits.measures [CHECKOUT]` prints them as a table.

test_names.py holds the floors that these measures must keep. Only the text of the source is read; nothing is imported.
"""

import ast
import io
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SMALLEST_MODULE = 40
"""Non-blank lines below which a module is a crumb, unless it is a package face or an entry point."""

ENTRY_POINTS = {"__init__.py", "__main__.py"}


@dataclass(frozen=True)
class Module:
    """A source file, by its path below the root of the checkout."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """All lines, as an editor numbers them."""
        return len(self.text.splitlines())

    @property
    def full_lines(self) -> int:
        """The lines that are not blank."""
        return sum(1 for line in self.text.splitlines() if line.strip())

    @property
    def is_crumb(self) -> bool:
        return self.full_lines < SMALLEST_MODULE and self.path.name not in ENTRY_POINTS

    @property
    def comment_lines(self) -> int:
        """The lines that hold a comment, alone or after code; directives of tools are no comments."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        comments = (token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT)
        return sum(1 for comment in comments if not comment.startswith(("type:", "fmt:", "noqa", "!")))


@dataclass(frozen=True)
class Function:
    """A function or method, at any depth."""

    name: str
    module: Path
    lines: int
    """All lines from `def` to the end, with the docstring and without decorators."""
    is_top_level: bool
    has_docstring: bool

    @property
    def is_public(self) -> bool:
        return not self.name.startswith("_")


def read_modules(root: Path, folder: str = "newswire") -> list[Module]:
    """The Python files below a folder of a checkout, in the order of their paths."""
    paths = sorted((root / folder).rglob("*.py"))
    texts = ((path.relative_to(root), path.read_text(encoding="utf-8")) for path in paths)
    return [Module(path, text, ast.parse(text)) for path, text in texts]


def list_functions(modules: Iterable[Module]) -> list[Function]:
    """Every function and method."""
    return [
        Function(
            name=node.name,
            module=module.path,
            lines=(node.end_lineno or node.lineno) - node.lineno + 1,
            is_top_level=node in module.tree.body,
            has_docstring=ast.get_docstring(node) is not None,
        )
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def public_functions(functions: Iterable[Function]) -> list[Function]:
    """The functions at the top level of a module that other modules may call: no underscore begins their name."""
    return [function for function in functions if function.is_top_level and function.is_public]


def one_word_names(functions: Iterable[Function]) -> list[Function]:
    """The functions whose name is a single word, which says either what is done or to what, not both."""
    return [function for function in functions if "_" not in function.name.strip("_")]


def shared_names(functions: Iterable[Function]) -> dict[str, set[Path]]:
    """The names that functions of several modules bear, with these modules."""
    modules = defaultdict(set)
    for function in functions:
        modules[function.name].add(function.module)
    return {name: found for name, found in modules.items() if len(found) > 1}


def names_shared_in_a_package(functions: Iterable[Function]) -> dict[tuple[Path, str], set[Path]]:
    """The names that functions of several modules of one folder bear, by folder and name."""
    packages = defaultdict(list)
    for function in functions:
        packages[function.module.parent].append(function)
    return {
        (package, name): found for package, members in packages.items() for name, found in shared_names(members).items()
    }


def repeated_classes(modules: Iterable[Module]) -> dict[str, list[Path]]:
    """The class names that stand more than once at the top level of a module, with the modules."""
    found = defaultdict(list)
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                found[node.name].append(module.path)
    return {name: paths for name, paths in found.items() if len(paths) > 1}


def percentile(values: Iterable[int], share: float) -> int:
    """The value that a share (0 to 1) of all values does not exceed."""
    ranked = sorted(values)
    return ranked[min(int(len(ranked) * share), len(ranked) - 1)]


def share_of(part: Sequence[object], whole: Sequence[object]) -> float:
    return len(part) / len(whole)


def measure_checkout(root: Path) -> dict[str, str]:
    """The rows of the table, by their titles."""
    modules = read_modules(root)
    functions = list_functions(modules)
    public = public_functions(functions)
    shared = shared_names(public)
    full_lines = [module.full_lines for module in modules]
    lengths = [function.lines for function in functions]
    callable_by_others = [function for function in functions if function.is_public]
    documented = [function for function in callable_by_others if function.has_docstring]
    tests, bench = (sum(module.full_lines for module in read_modules(root, folder)) for folder in ("tests", "bench"))
    return {
        "modules / non-blank lines": f"{len(modules)} / {sum(full_lines):,}",
        "module median / p90 / max (non-blank)": " / ".join(str(percentile(full_lines, at)) for at in (0.5, 0.9, 1)),
        "longest module (all lines)": str(max(module.lines for module in modules)),
        f"modules under {SMALLEST_MODULE} non-blank lines": str(sum(module.is_crumb for module in modules)),
        "function p50 / p90 / p99 / max": " / ".join(str(percentile(lengths, at)) for at in (0.5, 0.9, 0.99, 1)),
        "public top-level functions": str(len(public)),
        "one-word names among them": f"{share_of(one_word_names(public), public):.1%}",
        "names shared with another module": f"{share_of([f for f in public if f.name in shared], public):.1%}",
        "names shared within a package": str(len(names_shared_in_a_package(public))),
        "class names used twice": ", ".join(sorted(repeated_classes(modules))) or "none",
        "comment lines": f"{sum(module.comment_lines for module in modules) / sum(full_lines):.1%}",
        "public functions and methods with docstring": f"{share_of(documented, callable_by_others):.1%}",
        "tests : source; with bench": f"{tests / sum(full_lines):.2f}; {(tests + bench) / sum(full_lines):.2f}",
    }


def main() -> None:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY
    for title, value in measure_checkout(root).items():
        print(f"{title:45} {value}")


if __name__ == "__main__":
    main()
