"""Migrations depend on nothing of the product: tomorrow's code must not change what a revision of today does."""

import ast
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = sorted((REPOSITORY / "migrations").rglob("*.py"))


def imported(tree: ast.Module) -> set[str]:
    """The packages that a module imports, at its top or within a function."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            names.append(node.module or "")
        if isinstance(node, ast.Name | ast.Attribute):
            named = node.id if isinstance(node, ast.Name) else node.attr
            assert named not in {"import_module", "__import__"}, f"line {node.lineno}: an import that cannot be read"
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_migration_imports_nothing_of_the_product(path: Path) -> None:
    assert imported(ast.parse(path.read_text("utf-8"))) <= {"alembic", "sqlalchemy"} | sys.stdlib_module_names


def test_there_are_migrations_to_look_at() -> None:
    assert len(FILES) >= 9
    assert [path.name for path in FILES if path.parent.name == "migrations"] == ["env.py"]
