"""Promises about what Newswire is installed with: pins for all of it, bounds, and the oldest Python that runs it."""

import tomllib
import warnings
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OLDEST_PYTHON = "3.11.2"
"""Debian 12's own."""

NUMBERED_BY_DATE = {"regex"}
"""Their numbers say nothing about a changed API, so that an upper bound would have no meaning."""


def read_pins() -> dict[str, str]:
    """The version that constraints.txt gives for each distribution, by its canonical name."""
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pins}


def required_distributions(requirements: list[str], extras: set[str] | None = None) -> set[str]:
    """The canonical names of the requirements and of all that they require in turn, as far as they are installed."""
    found: set[str] = set()
    for requirement in map(Requirement, requirements):
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            continue
        found.add(canonicalize_name(requirement.name))
        needs = distribution(requirement.name).requires or []
        found |= required_distributions(needs, {"", *requirement.extras})
    return found


def test_every_release_that_runs_the_product_is_pinned() -> None:
    assert required_distributions(PROJECT["dependencies"]) - read_pins().keys() == set()


def test_every_pinned_release_supports_the_oldest_promised_python() -> None:
    assert SpecifierSet(PROJECT["requires-python"]).contains(OLDEST_PYTHON)
    too_new = {}
    for name in read_pins():
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # Only `make bench` installs the peers.
        if "Requires-Python" in installed.metadata:
            wanted = installed.metadata["Requires-Python"]
            if not SpecifierSet(wanted).contains(OLDEST_PYTHON):
                too_new[name] = f"{installed.version} wants Python {wanted}"
    assert too_new == {}, "choose older releases in constraints.txt; if it has them already, run make again"


@pytest.mark.parametrize("text", PROJECT["dependencies"])
def test_a_requirement_is_bounded_above_and_admits_its_pin(text: str) -> None:
    requirement = Requirement(text)
    name = canonicalize_name(requirement.name)
    assert requirement.specifier.contains(read_pins()[name])
    assert name in NUMBERED_BY_DATE or "<" in {specifier.operator for specifier in requirement.specifier}


def test_a_deprecation_fails_the_test_that_meets_it() -> None:
    with pytest.raises(DeprecationWarning):
        warnings.warn("an API that goes", DeprecationWarning, stacklevel=1)
