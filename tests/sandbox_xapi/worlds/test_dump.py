"""Reading pool-dump-database files: our own small ones, which hold every escape and every kind of damage."""

from pathlib import Path

import pytest

from sandbox.xapi import lab
from sandbox.xapi.model import model
from sandbox.xapi.values import EPOCH, NULL
from sandbox.xapi.world import LabError, PoolWorld
from sandbox.xapi.worlds import check, dump, export
from sandbox.xapi.worlds.builder import derived_fields

FILES = Path(__file__).parent / "files"


@pytest.fixture(scope="module")
def world() -> PoolWorld:
    return dump.read((FILES / "escapes.xml").read_bytes())


def test_escapes_are_undone(world: PoolWorld) -> None:
    pool = world.objects["pool"]["OpaqueRef:pool"]
    assert pool["name_label"] == "Two  spaces, a 100% one"
    assert pool["name_description"] == "tab[\t] line[\n] return[\r] dot[ ] stray[%q] last[%"
    assert pool["tags"] == ["a", "b  c", ""]
    assert pool["other_config"] == {
        "quote": "it's",
        "backslash": "C:\\Program Files\\x",
        "double": '<a b="c"/>',
        "paren": ")(",
        "empty": "",
        "comment": "; not one",
    }


def test_values_have_the_types_of_their_fields(world: PoolWorld) -> None:
    vm = world.objects["VM"]["OpaqueRef:vm"]
    assert (vm["HVM_shadow_multiplier"], type(vm["HVM_shadow_multiplier"])) == (1.0, float)
    assert (vm["memory_static_max"], vm["domid"], vm["is_a_template"]) == (1073741824, -1, False)
    assert (vm["snapshot_time"], vm["appliance"], vm["PV_args"]) == (EPOCH, NULL, "a b")
    host = world.objects["host"]["OpaqueRef:h1"]
    assert (host["API_version_major"], host["API_version_minor"], host["memory_overhead"]) == (1, 10, 201326592)
    known = model(world.release)
    for cls, rows in world.objects.items():
        for row in rows.values():
            assert {n: v for n, v in row.items() if not check.fits(known, known.classes[cls].fields[n].type, v)} == {}


def test_fields_that_are_worked_out_are_not_kept(world: PoolWorld) -> None:
    derived = derived_fields(world.release)
    kept = {(cls, name) for cls, rows in world.objects.items() for row in rows.values() for name in row}
    assert not kept & derived
    assert {("host", "PBDs"), ("SR", "current_operations"), ("VM", "allowed_operations")} <= derived


def test_the_release_is_that_of_the_schema(world: PoolWorld) -> None:
    assert world.release == "tampa"
    assert "ipv6_configuration_mode" in model(world.release).classes["PIF"].fields


def test_all_that_is_lost_or_made_up_is_told(world: PoolWorld) -> None:
    assert set(world.notes) >= {
        "Columns that XenAPI does not show are left out: pool.wlb_password.",
        "The table Flux is of no class that XenAPI has; its 1 row left out.",
        "An element <leftover> was not understood and is left out.",
        "A row of the table VM has no reference and is left out.",
        "Two rows of the table VM have the same reference; the second is left out.",
        "XenServer 6.1 has no class Certificate; 1 object left out.",
        "Fields newer than XenServer 6.1 are left out: host.ntp_mode.",
        "host.enabled of 1 object could not be read (not a truth value); the default is shown.",
        "host.memory_overhead of 1 object could not be read (not a whole number); the default is shown.",
        "host.software_version of 1 object could not be read (an unclosed parenthesis); the default is shown.",
        "PBD.device_config of 1 object could not be read (a map with a repeated key); the default is shown.",
        "VM.actions_after_crash of 1 object could not be read (no on_crash_behaviour that XenAPI has); "
        "the default is shown.",
        "host.PBDs of 1 object disagrees with the objects it lists; these count.",
        "1 SR had operations under way when the file was written; they are not shown.",
        "host.metrics: 1 reference to objects that are not in the file.",
    }
    assert any(note.startswith("The file lacks the tables Bond, ") for note in world.notes)
    assert any(note.startswith("The file lacks fields of PBD, ") and "other_config" in note for note in world.notes)


def test_what_could_not_be_read_has_its_default(world: PoolWorld) -> None:
    h2 = world.objects["host"]["OpaqueRef:h2"]
    assert (h2["enabled"], h2["memory_overhead"], h2["software_version"]) == (False, 0, {})
    assert world.objects["PBD"]["OpaqueRef:pbd2"]["device_config"] == {}
    assert world.objects["VM"].keys() == {"OpaqueRef:vm"}


def test_notes_quote_no_values(world: PoolWorld) -> None:
    assert "hunter2" not in "\n".join(world.notes)
    assert "twice" not in "\n".join(world.notes)


def test_a_partial_file_without_a_manifest() -> None:
    world = dump.read((FILES / "partial.xml").read_bytes())
    assert world.release == "george"
    assert world.objects["host"]["OpaqueRef:h"]["name_label"] == "alone"
    assert "cpu_info" not in world.objects["host"]["OpaqueRef:h"], "5.5 did not have it"
    missing = [note for note in world.notes if note.startswith("The file lacks the tables ")]
    assert len(missing) == 1
    assert "Bond, PBD, PIF" in missing[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not XML"),
        ("<database>", "not XML"),
        ("<world/>", "not a pool database"),
        ("<database/>", "holds no pool"),
        ('<database><table name="pool"><row ref="p"/></table></database>', "holds no host"),
    ],
)
def test_what_is_no_dump_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=reason):
        dump.read(text)
    path = tmp_path / "pool.xml"
    path.write_text(text)
    with pytest.raises(LabError, match=r"pool\.xml: "):
        lab.load(db=path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="No such file"):
        lab.load(db=tmp_path / "none.xml")


def test_a_schema_between_two_releases_is_shown_as_the_later() -> None:
    text = (FILES / "partial.xml").read_text(encoding="utf-8")
    manifest = '<manifest><pair key="schema_minor_vsn" value="58"/></manifest>'
    world = dump.read(text.replace("<database>", f"<database>{manifest}").partition("?>")[2])
    assert world.release == "midnight-ride"
    assert world.objects["host"]["OpaqueRef:h"]["cpu_info"] == {}
    assert any("call themselves 5.5.0, but database schema 5.58" in note for note in world.notes)


@pytest.mark.parametrize("name", lab.names())
def test_a_lab_written_as_a_dump_is_read_back(name: str) -> None:
    for pool in lab.load(name).pools:
        objects = {cls: rows for cls, rows in pool.objects.items() if cls != "message"}
        again = dump.read(export.to_xml(pool))
        assert again.objects == objects
        assert again.release == pool.release
        assert [note for note in again.notes if "lack" not in note] == []
