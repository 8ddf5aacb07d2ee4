"""Promises of docker-compose.yml: what an intruder in a container would meet."""

from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
COMPOSED: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSED["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_read_only_bounded_and_gains_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert name == "postgres" or service["cap_drop"] == ["ALL"]


def test_newswire_is_not_the_superuser_of_its_database() -> None:
    postgres = SERVICES["postgres"]
    assert "POSTGRES_USER" not in postgres["environment"]
    (created,) = postgres["configs"]
    assert created["target"].startswith("/docker-entrypoint-initdb.d/")
    script = COMPOSED["configs"][created["source"]]["content"]
    assert "CREATE ROLE newswire LOGIN PASSWORD" in script
    assert "SUPERUSER" not in script.upper()


def test_nothing_is_published_to_other_machines_and_no_secret_is_a_variable() -> None:
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        assert not any("PASSWORD" in name and not name.endswith("_FILE") for name in service.get("environment", ()))
