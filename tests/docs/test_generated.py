"""What the documentation takes from the code is what the code says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import commands
from bot.config.settings import Settings
from bot.registry import Registry
from docs import generate
from tests.docs.pages import ROOT


def test_nothing_is_out_of_date() -> None:
    assert [str(path.relative_to(ROOT)) for path in generate.stale()] == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The generated pages, to be spoilt."""
    for name in (*generate.PAGES, *generate.BLOCKS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", [*generate.PAGES, *generate.BLOCKS])
def test_a_change_by_hand_is_found_and_mended(copy: Path, name: str) -> None:
    page = copy / name
    right = page.read_text(encoding="utf-8")
    made = next(text for path, text in generate.wanted(copy) if path == page)
    middle = made.index("<!-- generated") + 60 if name in generate.BLOCKS else len(made) // 2
    page.write_text(right[:middle] + "by hand" + right[middle:], encoding="utf-8")
    assert generate.stale(copy) == [page]
    assert generate.write(copy) == [page]
    assert page.read_text(encoding="utf-8") == right
    assert generate.stale(copy) == []


def test_what_stands_outside_the_blocks_stays(copy: Path) -> None:
    page = copy / "README.md"
    page.write_text("By hand.\n" + page.read_text(encoding="utf-8"), encoding="utf-8")
    assert generate.stale(copy) == []


def test_a_missing_block_is_no_silence(copy: Path) -> None:
    (copy / "README.md").write_text("Nothing generated here.\n", encoding="utf-8")
    with pytest.raises(generate.Misplaced):
        generate.stale(copy)


def test_every_command_and_every_setting_is_there() -> None:
    reference = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for each in Registry.of_package(commands):
        assert f"\n## {each.name}\n" in reference
        assert f"[`{each.name}`](docs/commands.md#{each.name.replace(' ', '-')})" in readme
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"\n## {name}\n" in page
