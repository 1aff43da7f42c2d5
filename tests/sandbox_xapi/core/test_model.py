"""What each release knew."""

from __future__ import annotations

import json
import pathlib

import pytest

from sandbox.xapi.failure import Failure
from sandbox.xapi.model import api_version, model, parse_type, release_key
from sandbox.xapi.tools import derive_model
from tests.sandbox_xapi.core import world

DUMP = pathlib.Path(__file__).parents[4] / "shared" / "xenapi" / "datamodel.json"


def test_a_release_has_only_what_it_had() -> None:
    old, new = model("cream"), model("26.9.0")
    assert "ntp_mode" not in old.classes["host"].fields
    assert "ntp_mode" in new.classes["host"].fields
    assert old.knows("host.set_cpu_features")
    assert not new.knows("host.set_cpu_features")
    assert new.message("host.set_cpu_features") is not None, "removed is not unknown"
    assert old.message("VM.sysprep") is None
    assert "Cluster" not in old.classes
    assert [p.name for p in old.classes["host"].messages["evacuate"].params] == ["host"]
    assert len(new.classes["host"].messages["evacuate"].params) == 3


def test_releases_are_in_order() -> None:
    names = ["rio", "cream", "stockholm", "1.250.0", "22.20.0", "nile", "26.14.0", "26.14.0-next", "26.17.0"]
    assert sorted(names, key=release_key) == names
    assert release_key("1.249.9") < release_key("1.250.0")
    assert api_version("cream") == (2, 4)
    assert api_version("26.9.0") == (2, 21)
    with pytest.raises(ValueError, match="unknown release"):
        release_key("nosuch")


def test_types_are_read() -> None:
    found = parse_type("(VDI ref -> SR ref) map")
    assert found.kind == "map"
    assert [t.name for t in found.of] == ["VDI", "SR"]
    assert parse_type("enum vm_operations set").of[0].name == "vm_operations"


def test_old_releases_enforce_their_parameter_counts() -> None:
    estate = world.estate(release="cream")
    client = world.Client(estate)
    with pytest.raises(Failure) as refused:
        client("host.evacuate", world.ref("h3"), "OpaqueRef:NULL")
    assert refused.value.description == ["MESSAGE_PARAMETER_COUNT_MISMATCH", "host.evacuate", "1", "2"]
    with pytest.raises(Failure) as unknown:
        client("host.get_ntp_mode", world.ref("h1"))
    assert unknown.value.code == "MESSAGE_METHOD_UNKNOWN"
    assert "ntp_mode" not in client("host.get_record", world.ref("h1"))
    operations = client("VM.get_allowed_operations", world.ref("spare"))
    assert "start" in operations
    assert "create_vtpm" not in operations
    estate.close()


def test_old_releases_name_missing_drivers_their_way() -> None:
    for release, code in (("cream", "VM_MISSING_PV_DRIVERS"), ("26.9.0", "VM_LACKS_FEATURE")):
        estate = world.estate(release=release)
        client = world.Client(estate)
        db = estate.pools[0].db
        with db.lock:
            db.write("VM_guest_metrics", world.ref("web guest"), PV_drivers_version={}, other={})
        with pytest.raises(Failure) as refused:
            client("VM.clean_shutdown", world.ref("web"))
        assert refused.value.description == [code, world.ref("web")]
        estate.close()


@pytest.mark.skipif(not DUMP.exists(), reason="the full dump of the data model is not beside this checkout")
def test_the_packaged_table_is_what_the_script_makes() -> None:
    made = derive_model.render(derive_model.derive(json.loads(DUMP.read_text())))
    assert made == derive_model.TARGET.read_text()
