"""The promises about the code itself: who writes the log, how long a module may be, what it must say first."""

import ast
import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from newswire.store.database import Database
from newswire.store.tables import metadata
from tests.support.cases import case

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = sorted((REPOSITORY / "newswire").rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 400, 50
SAY_NOTHING = {"utils", "helpers", "common", "base", "manager", "service", "models", "misc"}
WRITES = {"insert", "update", "delete", "insert_unless_there"}


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_a_module_is_a_page_or_two_and_says_what_lives_there() -> None:
    for path in MODULES:
        with case(name_of(path)):
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
            assert ast.get_docstring(tree), "a module opens with what lives there"
            assert path.stem not in SAY_NOTHING
            assert len(text.splitlines()) <= LONGEST_MODULE
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


def test_only_the_wire_writes_the_log() -> None:
    for path in MODULES:
        # The wire has a backend store its entries; `tests/habits/test_engine_seam.py` says that nobody else does.
        if name_of(path) in ("newswire/wire.py", "newswire/store/sqlite/backend.py"):
            continue
        with case(name_of(path)):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WRITES:
                    written = {argument.id for argument in node.args if isinstance(argument, ast.Name)}
                    assert not written & {"entry", "head"}, f"line {node.lineno} writes the log"


def test_a_server_process_does_not_carry_what_hardly_any_request_needs() -> None:
    asked = "import sys, newswire.cli.serve; print({'alembic', 'bs4', 'markdownify'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_server_on_sqlite_does_not_carry_the_driver_of_postgresql(tmp_path: Path) -> None:
    asked = (
        "import sys, newswire.cli.serve, newswire.server.supervisor; from newswire.app import create_app;"
        "from newswire.config import Settings; from newswire.store.migrate import upgrade;"
        f"url = 'sqlite:///{tmp_path}/wire.db'; upgrade(url);"
        "asked = create_app(Settings(database_url=url)).test_client().get('/v1/articles');"
        "print(asked.status_code, 'psycopg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "401 False\n"


def test_the_migrations_make_the_tables_that_the_code_uses(database_url: str) -> None:
    database = Database(database_url)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, metadata) == []
    database.dispose()


def ours(item: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
    """Everything but the search index, whose tables each engine has of its own."""
    return not (kind == "table" and (name or "").startswith("search_"))
