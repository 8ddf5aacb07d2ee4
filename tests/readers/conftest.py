"""A wire with its HTTP interface, on both engines: the one of the API tests."""

from tests.api.conftest import wire as wire
