"""The command of `make judge-clients`: clients made of the OpenAPI document publish, list and follow on a demo.

Each gets a demo of its own. What they need is installed once, into `.clients` (or the folder that CLIENT_TOOLS names):
a virtual environment, and npm packages. Without npm or Java the clients that need them are skipped, and it is said.
Arguments are the names of the clients to run, else all of them run.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
TOOLS = Path(os.environ.get("CLIENT_TOOLS", REPOSITORY / ".clients")).resolve()
PYTHON, MODULES = TOOLS / "python" / "bin", TOOLS / "node_modules"
PYTHON_PACKAGES = (
    "openapi-generator-cli==7.26.0", "openapi-python-client==0.29.1", "ruff", "pydantic", "urllib3", "python-dateutil",
    "typing-extensions", "lazy-imports", "httpx", "attrs",
)  # fmt: skip
RECORDED_TESTS = ("tests/api", "tests/changes", "tests/publishing", "tests/reading", "-m", "not slow", "-q", "-n", "2")
SECONDS = 900


class Skipped(Exception):
    """A client cannot run here; the text says why."""


def run(*command: object, cwd: Path | None = None, **environment: str) -> str:
    """Runs a command to its end and returns what it prints; raises `CalledProcessError` with it otherwise."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env={**os.environ, **environment}, timeout=SECONDS, check=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout


def python_tool(name: str) -> Path:
    """A program of the virtual environment, which is made at the first call."""
    if not (PYTHON / "openapi-python-client").exists():
        venv.create(PYTHON.parent, with_pip=True)
        run(PYTHON / "pip", "install", "--quiet", *PYTHON_PACKAGES, PIP_CONSTRAINT="", PIP_BUILD_CONSTRAINT="")
    return PYTHON / name


def node_tool(name: str) -> Path:
    """A program of the npm packages, which are installed at the first call."""
    if shutil.which("npm") is None:
        raise Skipped("npm is not installed")
    if not (MODULES / ".bin" / name).exists():
        shutil.copy(HERE / "package.json", TOOLS)
        run("npm", "install", "--no-audit", "--no-fund", "--silent", cwd=TOOLS)
    return MODULES / ".bin" / name


@contextmanager
def running_demo() -> Iterator[dict[str, Any]]:
    """A demo on a free port: what `newswire demo --json` prints."""
    command = [sys.executable, "-m", "newswire", "demo", "--port", "0", "--json"]
    demo = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert demo.stdout is not None
    try:
        printed = ""
        for line in demo.stdout:
            printed += line
            if line.startswith("}"):
                break
        yield json.loads(printed)
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(60)


def with_openapi_generator(demo: dict[str, Any], document: Path, folder: Path) -> str:
    if shutil.which("java") is None:
        raise Skipped("Java is not installed")
    run(python_tool("openapi-generator-cli"), "generate", "-i", document, "-g", "python", "-o", folder / "made")
    script = HERE / "with_openapi_generator.py"
    return run(python_tool("python"), script, *arguments(demo), PYTHONPATH=str(folder / "made"))


def with_openapi_python_client(demo: dict[str, Any], document: Path, folder: Path) -> str:
    path = f"{PYTHON}{os.pathsep}{os.environ['PATH']}"
    tool = python_tool("openapi-python-client")
    run(tool, "generate", "--path", document, "--output-path", folder / "made", PATH=path)
    script = HERE / "with_openapi_python_client.py"
    return run(python_tool("python"), script, *arguments(demo), PYTHONPATH=str(folder / "made"))


def with_openapi_fetch(demo: dict[str, Any], document: Path, folder: Path) -> str:
    run(node_tool("openapi-typescript"), document, "-o", folder / "newswire.d.ts")
    link_modules(folder)
    shutil.copy(HERE / "with_openapi_fetch.ts", folder)
    run(node_tool("tsc"), "--strict", "--target", "es2022", "--module", "preserve", "--moduleResolution", "bundler",
        "--skipLibCheck", "--types", "node", folder / "with_openapi_fetch.ts", cwd=folder)  # fmt: skip
    return run("node", folder / "with_openapi_fetch.js", *arguments(demo))


def with_postman(demo: dict[str, Any], document: Path, folder: Path) -> str:
    node_tool("newman")
    link_modules(folder)
    shutil.copy(HERE / "with_postman.mjs", folder)
    return run("node", folder / "with_postman.mjs", document, demo["url"], demo["keys"]["publisher"])


def with_prism(demo: dict[str, Any], document: Path, folder: Path) -> str:
    prism = node_tool("prism")
    recorded = folder / "recorded"
    recorded.mkdir()
    run(sys.executable, "-m", "pytest", "-p", "tests.clients.recording", *RECORDED_TESTS, cwd=REPOSITORY,
        RECORDED_ANSWERS=str(recorded))  # fmt: skip
    return run(sys.executable, HERE / "with_prism.py", prism, document, recorded)


def arguments(demo: dict[str, Any]) -> tuple[str, str, str]:
    return demo["url"], demo["keys"]["publisher"], demo["keys"]["partner"]


def link_modules(folder: Path) -> None:
    """Lets the programs of a folder import the npm packages."""
    (folder / "node_modules").symlink_to(MODULES)
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")


CLIENTS: dict[str, Callable[[dict[str, Any], Path, Path], str]] = {
    "openapi-generator": with_openapi_generator,
    "openapi-python-client": with_openapi_python_client,
    "openapi-fetch": with_openapi_fetch,
    "postman": with_postman,
    "prism": with_prism,
}


def judge(name: str) -> bool:
    """Runs one client, prints a line about it, and returns whether it did not fail."""
    try:
        with TemporaryDirectory() as folder, running_demo() as demo:
            document = Path(folder, "openapi.json")
            with urlopen(f"{demo['url']}/v1/openapi.json", timeout=30) as response:
                document.write_bytes(response.read())
            print(f"PASS {name}: {CLIENTS[name](demo, document, Path(folder)).splitlines()[-1]}", flush=True)
    except Skipped as reason:
        print(f"SKIP {name}: {reason}", flush=True)
    except subprocess.CalledProcessError as error:
        print(f"FAIL {name}\n{error.stdout[-4000:]}", flush=True)
        return False
    return True


if __name__ == "__main__":
    TOOLS.mkdir(exist_ok=True)
    names = sys.argv[1:] or [*CLIENTS]
    if unknown := {*names} - CLIENTS.keys():
        raise SystemExit(f"There is no {', '.join(unknown)}; there are: {', '.join(CLIENTS)}.")
    passed = [judge(name) for name in names]
    raise SystemExit(not all(passed))
