"""Fixtures of the tests of commands: wires with one publisher, into which files are loaded."""

import pytest

from tests.support.command import Cli


@pytest.fixture
def port(cli: Cli) -> Cli:
    """A wire with the publisher `port`, once on each engine."""
    return with_publisher(cli)


@pytest.fixture
def sqlite_port(sqlite_cli: Cli) -> Cli:
    return with_publisher(sqlite_cli)


def with_publisher(cli: Cli) -> Cli:
    cli.must("publisher", "add", "port", "--name", "Port Authority", "--url", "https://port.example")
    return cli
