"""Help, versions, wrong usage: what every command has in common."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from newswire import __version__
from newswire.cli import COMMANDS, main

HEAVY = ("sqlalchemy", "flask", "marshmallow", "alembic", "gunicorn", "rich", "orjson", "psycopg")


def test_the_help_is_there_at_once_because_nothing_heavy_is_loaded_for_it() -> None:
    script = "import sys; from newswire.cli import main; sys.argv[1:] = ['--help']\ntry: main()\nfinally:"
    script += " print(*sys.modules, sep='\\n', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "demo" in done.stdout
    assert not set(HEAVY) & set(done.stderr.split())


def test_the_help_fits_into_a_terminal() -> None:
    assert [line for line in CliRunner().invoke(main, ["--help"]).stdout.splitlines() if len(line) > 80] == []


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout == f"newswire {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_as_the_table_says(name: str) -> None:
    listed = CliRunner().invoke(main, ["--help"]).stdout
    explained = CliRunner().invoke(main, [name, "--help"])
    assert explained.exit_code == 0
    assert f"Usage: newswire {name}" in explained.stdout
    assert f"\n  {name} " in listed


def test_a_mistyped_command_is_a_usage_error_with_a_suggestion() -> None:
    result = CliRunner().invoke(main, ["partnr", "list"])
    assert result.exit_code == 2
    assert "Did you mean 'partner'?" in result.stderr


def test_an_unknown_setting_stops_every_command_with_a_suggestion() -> None:
    result = CliRunner().invoke(main, ["stats"], env={"NEWSWIRE_DATABASE_ULR": "sqlite:///x.db"})
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: NEWSWIRE_DATABASE_ULR is not a setting of Newswire. Did you mean NEWSWIRE_DATABASE_URL?\n"
    )
