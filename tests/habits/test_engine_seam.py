"""What differs between SQLite and PostgreSQL lies in one package for each; nobody else asks which one it is."""

import ast
import re
from collections import defaultdict
from pathlib import Path

from tests.support.cases import case

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINE_FOLDERS = {"sqlite", "postgres"}
OUTSIDE = [
    path
    for path in sorted((REPOSITORY / "newswire").rglob("*.py"))
    if not ENGINE_FOLDERS & {*path.relative_to(REPOSITORY).parts}
]
ASKS = re.compile(r"dialect\.name|is_sqlite|is_postgres|psycopg|sqlite3|backend\.name *(?:[=!]=|in )")


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def imported_engines(path: Path) -> set[str]:
    """The engine packages that a module imports from: store.sqlite, search.postgres …"""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "newswire" and (engine := ENGINE_FOLDERS.intersection(parts)):
                found.add(f"{parts[1]}.{engine.pop()}")
    return found


def test_the_engines_have_a_package_each() -> None:
    for room in ("store", "search"):
        for engine in ENGINE_FOLDERS:
            assert (REPOSITORY / "newswire" / room / engine / "__init__.py").exists()


def test_no_module_outside_of_the_engines_asks_for_the_engine() -> None:
    for path in OUTSIDE:
        with case(name_of(path)):
            lines = path.read_text(encoding="utf-8").splitlines()
            asking = [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if ASKS.search(line)]
            assert not asking, asking


def test_each_engine_is_chosen_in_one_module() -> None:
    importers = defaultdict(set)
    for path in OUTSIDE:
        for engine in imported_engines(path):
            importers[engine].add(name_of(path))
    assert importers == {
        "store.sqlite": {"newswire/store/database.py"},
        "store.postgres": {"newswire/store/database.py"},
        "search.sqlite": {"newswire/search/index.py"},
        "search.postgres": {"newswire/search/index.py"},
    }


def test_only_the_wire_has_entries_stored() -> None:
    calling = {
        name_of(path)
        for path in (REPOSITORY / "newswire").rglob("*.py")
        if re.search(r"backend\w*(\(\w+\))?\.write_entries\(", path.read_text(encoding="utf-8"))
    }
    assert calling == {"newswire/wire.py"}
