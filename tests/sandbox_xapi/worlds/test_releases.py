"""Which release a database belongs to."""

import pytest

from sandbox.xapi.worlds import releases


@pytest.mark.parametrize(
    ("schema", "release"),
    [(57, "george"), (58, "midnight-ride"), (60, "midnight-ride"), (66, "tampa"), (73, "cream"), (601, "stockholm")],
)
def test_schemas(schema: int, release: str) -> None:
    assert releases.of_schema(schema) == release


def test_a_schema_after_the_last_named_release() -> None:
    assert releases.of_schema(775) is None


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("5.5.0", "george"),
        ("5.6.0", "midnight-ride"),
        ("5.9.950", "boston"),
        ("6.0.0", "boston"),
        ("6.0.50", "tampa"),
        ("6.2.0", "clearwater"),
        ("6.5.0", "creedence"),
        ("7.1.2", "ely"),
        ("7.6.0", "lima"),
        ("8.2.1", "stockholm"),
        ("8.3.0", "nile"),
        ("8.4.0", "nile"),
        ("", None),
        ("unknown", None),
        ("99.0", None),
    ],
)
def test_product_versions(version: str, release: str | None) -> None:
    assert releases.of_product(version) == release


@pytest.mark.parametrize(
    ("software", "release"),
    [
        ({"product_version": "6.5.0", "xapi": "1.3"}, "creedence"),
        ({"product_version": "8.2.1", "xapi": "1.20"}, "stockholm"),
        ({"product_version": "8.3.0", "xapi": "24.19"}, "24.19.0"),
        ({"product_version": "8.3.0", "xapi": "24.19", "xapi_build": "24.19.2"}, "24.19.2"),
        ({"product_version": "8.4.0", "xapi": "0.0"}, "nile"),
        ({"xapi": "25.33"}, "25.33.0"),
        ({}, None),
    ],
)
def test_software_versions(software: dict[str, str], release: str | None) -> None:
    assert releases.of_software(software) == release
