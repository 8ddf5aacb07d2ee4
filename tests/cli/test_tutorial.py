"""Pages that were executed as written: their commands are run in their order, in one bash, in an empty folder.

What a page shows below a command is held against what the command prints. A line `…` stands for
any lines, a `…` inside a line for any text; what differs from run to run is masked in both. The only thing
that is changed in a command is the port.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.command import Cli

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("tutorial.md", "how-to/publish-from-a-cms.md", "how-to/follow-the-wire.md", "how-to/back-up-and-restore.md",
         "how-to/push-from-superdesk.md", "how-to/read-as-a-feed.md", "how-to/map-subjects.md",
         "how-to/search.md")  # fmt: skip
PORT = "8000"
SECONDS = 120.0
needs_curl = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="the commands need bash and curl"
)
MARK = "=====end-of-step====="
ANY = "…"

# In this order: the longer things hold the shorter ones.
VARYING = {
    "KEY": r"\bnw_(?:[A-Za-z0-9_-]{5}…|[A-Za-z0-9_-]{16,})",
    "DIGEST": r"\b[0-9a-f]{64}\b",
    "ID": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "HEX": r"\b[0-9a-f]{32}\b",
    "TIME": r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "MINUTE": r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(?![:\d])",
    "PORT": r"(?<=127\.0\.0\.1:)\d+",
    "SECONDS": r"\b\d+\.\d(?= seconds)",
    "BYTES": r"(?<=^Size in bytes  )[\d,]+",
    "CURSOR": r"(?<=cursor=)[A-Za-z0-9_%-]{16,}|(?<=next_cursor\": \")[A-Za-z0-9_=-]{16,}",
}


class Step(NamedTuple):
    """A command of the page: in which line it stands, and the lines that the page shows below it."""

    line: int
    command: str
    shown: list[str]


def steps(page: str) -> list[Step]:
    """The commands in the `console` blocks: after `$ `, and after `> ` where they go on."""
    found: list[Step] = []
    inside = False
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append(Step(number, line[2:], []))
        elif inside and (line.startswith("> ") or line == ">") and not found[-1].shown:
            found[-1] = found[-1]._replace(command=f"{found[-1].command}\n{line[2:]}")
        elif inside:
            found[-1].shown.append(line)
    return found


def run(commands: Sequence[str], folder: Path) -> list[str]:
    """What each command prints, on both outputs, in one bash session in `folder`; it and all it started is ended."""
    script = "\n".join(f"{command}\nprintf '%s\\n' {MARK}" for command in commands)
    return in_bash(["-c", script], folder, None).split(f"{MARK}\n")[:-1]


def in_bash(arguments: Sequence[str], folder: Path, pasted: str | None) -> str:
    """What a bash session in `folder` prints on both outputs, whose standard input is `pasted`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWSWIRE_")}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{environment['PATH']}", "no_proxy": "127.0.0.1"}
    with subprocess.Popen(
        ["bash", "--noprofile", "--norc", *arguments], cwd=folder, env=environment, text=True,
        stdin=subprocess.DEVNULL if pasted is None else subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
    ) as bash:  # fmt: skip
        try:
            out, _ = bash.communicate(pasted, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            end(bash)
            out, _ = bash.communicate()
        finally:
            end(bash)
    return out


def end(bash: "subprocess.Popen[str]") -> None:
    """Ends a shell and the processes that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(bash.pid, signal.SIGKILL)


def masked(text: str) -> str:
    for name, pattern in VARYING.items():
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return text


def says(shown: Sequence[str], printed: str) -> bool:
    """Whether `printed` is what the page shows; empty lines at the end do not count."""
    wanted = masked("\n".join(shown)).rstrip("\n")
    real = masked(printed).rstrip("\n")
    patterns = ("(?:.*\n)*?" if line.strip() == ANY else pattern(line) for line in wanted.split("\n"))
    return re.fullmatch("".join(patterns), f"{real}\n") is not None


def pattern(line: str) -> str:
    return ".*".join(map(re.escape, line.split(ANY))) + "\n"


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.slow
@needs_curl
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_prints_what_the_page_shows(page: str, tmp_path: Path) -> None:
    written = steps((DOCUMENTATION / page).read_text(encoding="utf-8"))
    port = free_port()
    printed = run([step.command.replace(PORT, port) for step in written], tmp_path)
    assert len(printed) == len(written), f"not finished: $ {written[len(printed)].command}"
    differing = [
        "\n".join([f"{page}, line {step.line}: $ {step.command}", "--- shown", *step.shown, "--- printed", real])
        for step, real in zip(written, printed, strict=True)
        if not says(step.shown, real)
    ]
    assert not differing, "\n\n".join(differing)


@pytest.mark.slow
@needs_curl
def test_the_readme_works_as_it_is_pasted_into_a_shell_at_once(tmp_path: Path) -> None:
    readme = (DOCUMENTATION.parent / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Publish and pull\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    # The virtual environment of a checkout, which `make run` has set up before.
    activate = tmp_path / ".venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.write_text(f'PATH="{Path(sys.executable).parent}:$PATH"\n')
    paste = "".join(content for language, content in blocks if language == "bash").replace(PORT, free_port())
    printed = in_bash([], tmp_path, paste)
    statuses = re.findall(r"^\d{3}$", printed, re.MULTILINE)
    assert statuses == ["201", "200", "201", "201", "201", "200"], printed
    shown = [content.splitlines() for language, content in blocks if not language]
    assert len(shown) == 2
    for lines in shown:
        assert re.search("^" + "".join(map(pattern, lines)), printed, re.MULTILINE), f"{lines}\n--- printed\n{printed}"
    log = [json.loads(line) for line in (tmp_path / "serve.log").read_text().splitlines() if line.startswith("{")]
    assert log[-1]["level"] == "info", "the server was stopped in order"
    assert "rror" not in printed


def test_the_example_of_markdown_becomes_the_article_that_the_page_shows(sqlite_cli: Cli, tmp_path: Path) -> None:
    page = (DOCUMENTATION / "reference" / "markdown.md").read_text(encoding="utf-8")
    examples = dict(re.findall(r"^```(\w+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE))
    file = tmp_path / "example.md"
    file.write_text(examples["markdown"], encoding="utf-8")
    sqlite_cli.must("publisher", "add", "gazette", "--name", "The Gazette", "--url", "https://gazette.example")
    sqlite_cli.must("import", str(file), "--publisher", "gazette")
    article = json.loads(sqlite_cli.must("export"))["article"]
    printed = json.dumps(article, indent=2, ensure_ascii=False)
    assert says(examples["json"].splitlines(), printed), printed


def test_a_page_is_read_as_commands_with_what_they_print() -> None:
    page = "Text\n\n```\n$ ignored\n```\n\n```console\n$ cat <<END\n> a\n>\n> END\na\n\n$ true\n```\n"
    assert steps(page) == [Step(8, "cat <<END\na\n\nEND", ["a", ""]), Step(14, "true", [])]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["one", "two"], "one\ntwo\n", True),
        (["one", "two"], "one\nthree\n", False),
        (["one"], "one\ntwo\n", False),
        (["one", ANY], "one\ntwo\nthree\n", True),
        ([ANY, "two"], "one\ntwo\n", True),
        (["the …, and"], "the end, and\n", True),
        (["the …, and"], "the end,\nand\n", False),
        ([], "", True),
        ([], "curl: (7) Failed to connect\n", False),
        (["at 2026-11-22T09:30:00.000Z"], "at 2027-01-02T03:04:05.678Z\n", True),
        (["version 1"], "version 2\n", False),
    ],
)
def test_what_a_page_shows_is_held_against_what_was_printed(shown: list[str], printed: str, same: bool) -> None:
    assert says(shown, printed) is same
