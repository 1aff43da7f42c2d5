"""Links between the pages lead somewhere; what is said of files is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot import config
from docs.pictures import LARGEST_BYTES
from tests.docs.pages import PAGES, ROOT, name_of

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """A page's headings as GitHub makes anchors of them."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in _HEADING.findall(text)}


def links(page: Path) -> list[str]:
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), f"{name_of(page)} links to {link}"
        assert not anchor or anchor in anchors(target), f"{name_of(page)} links to {link}"


def test_every_page_is_reached_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        local = [link.partition("#")[0] for link in links(page) if not link.startswith("https://")]
        waiting += [(page.parent / name).resolve() for name in local if name]
    assert seen == set(PAGES)


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs/pictures").glob("*.png"))
    assert pictures
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size <= LARGEST_BYTES


def test_the_architecture_names_every_module() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    for path in (ROOT / "bot").iterdir():
        if path.name in ("__init__.py", "__pycache__") or not (path.suffix == ".py" or (path / "__init__.py").exists()):
            continue
        name = f"bot/{path.name}" + ("/" if path.is_dir() else "")
        assert f"`{name}`" in text, f"docs/architecture.md does not say what {name} is"


def test_the_example_configuration_has_no_mistakes() -> None:
    text = (ROOT / "docs/getting-started.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        settings = config.parse(tomllib.loads(block), block, "the example")
        assert settings.scopes().approvals_channel["lab"] in settings.channels
