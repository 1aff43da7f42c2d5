"""An audit as files: whole, escaped, and the same for the same audit."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.audits import charts, files, html
from bot.audits.charts import DARK, LIGHT, Theme
from bot.audits.files import Form
from bot.findings import Audited, Drift, Followed, Kind, NewRun, Offset, Run, TimeAnswer
from bot.model import Actor, Level, ObjectId
from bot.store import SqliteStore
from tests.bot_store.helpers import HandClock
from tests.sandbox_slack_page.conftest import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]  # the fixture of the page's own tests
PICTURES = Path(__file__).resolve().parents[2] / "artifacts"
AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OLGA = Actor(kind="slack", id="T1/U1", name="Olga")
EVIL = "<script>alert(1)</script>\"'&$x$\n]]> \u202e日本"


def host(name: str) -> ObjectId:
    return ObjectId("host", f"uuid-of-{name[:8]}", name)


def offset(name: str, middle: float, half: float = 0.012, true: bool = True) -> Offset:
    low, high = middle - half, middle + half
    return Offset(
        host=host(name),
        at=AT,
        low=low,
        high=high,
        readings=9,
        round_trip=0.01,
        true_low=low if true else None,
        true_high=high if true else None,
    )


def story(number: int, level: Level, text: str = "Something is wrong", subject: str = "xs1") -> Followed:
    drift = Drift(
        rule="storage.plugged", level=level, subject=host(subject), text=text, evidence=text, remedy="“sr repair NFS”"
    )
    return Followed(drift=drift, opened_at=AT, opened_run=1, seen_at=AT, seen_run=2, number=number)


def audited(number: int = 7, offsets: Sequence[Offset] = (), new: Sequence[Followed] = (), days: int = 0) -> Audited:
    run = Run(
        number=number,
        kind=Kind.CLOCK,
        pool="lab",
        actor=replace(OLGA, name=EVIL),
        started_at=AT + timedelta(days=days),
        ended_at=AT + timedelta(days=days, seconds=4),
    )
    return Audited(run=run, first=False, new=tuple(new), still=(), resolved=(), offsets=tuple(offsets))


FULL = replace(
    audited(
        offsets=[offset("xs1", 0.003), offset(EVIL, 312.2, 0.3), replace(offset("xs3", 0.0), low=1.0, high=-1.0)],
        new=[story(1, Level.BAD, f"The storage of {EVIL} is gone", EVIL), story(2, Level.WARN)],
    ),
    still=(story(3, Level.INFO, "=HYPERLINK(0)"),),
    resolved=(replace(story(4, Level.WARN), resolved_at=AT, resolved_run=7),),
    muted=(story(5, Level.WARN, "known"),),
    time_answers=(
        TimeAnswer(server="ntp1", at=AT, low=-0.01, high=0.02, stratum=2),
        TimeAnswer(server=EVIL, at=AT, failure="no answer within 2 s"),
    ),
)


class Elements(HTMLParser):
    """The page's elements, attributes and text, as a browser would take them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


# --- the page ---


def test_names_never_become_markup() -> None:
    page = Elements(html.page(FULL, [FULL]))
    assert "script" not in page.tags
    assert set(page.tags) <= {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "section", "div", "br", "span"),
        *("table", "thead", "tbody", "tr", "th", "td", "picture", "source", "img"),
    }
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert any("<script>alert(1)</script>" in words for words in page.words)
    assert "\u202e" not in "".join(page.words)


def test_the_page_fetches_nothing_and_its_policy_says_so() -> None:
    page = Elements(html.page(FULL, [FULL]))
    for name, value in page.attributes:
        if name in ("src", "srcset"):
            assert value.startswith("data:image/png;base64,")
        assert name not in ("href", "action", "style")
    (policy,) = (value for name, value in page.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "@import" not in "".join(page.words)
    assert "url(" not in "".join(page.words)


def test_the_page_tells_everything() -> None:
    text = " ".join(Elements(html.page(FULL, [FULL])).words)
    for part in ("New", "Still open", "Muted", "Resolved", "F-3", "grave", "“sr repair NFS”", "no answer within 2 s"):
        assert part in text
    assert "+312.200 s ± 0.301 s" in text
    assert "stepped" in text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_readable_in_both_modes(browser: Browser, tmp_path: Path, scheme: str) -> None:
    """Pictures of it are kept in artifacts/."""
    (tmp_path / "audit.html").write_text(html.page(FULL, [FULL, audited(6, days=-1)]), encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1100, "height": 900})  # type: ignore[arg-type]
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("request", lambda request: None if request.url.startswith("data:") else troubles.append(request.url))
    page.goto((tmp_path / "audit.html").as_uri())
    ground, ink = (page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
    assert contrast(_rgb(ground), _rgb(ink)) > 7
    assert (sum(_rgb(ground)) < 300) is (scheme == "dark")
    for picture in page.locator("img").all():
        assert picture.evaluate("each => each.naturalWidth") > 1000
        assert picture.evaluate("each => each.currentSrc.length") > 5000
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=str(PICTURES / f"audit-page-{scheme}.png"), full_page=True)
    context.close()
    assert troubles == [(tmp_path / "audit.html").as_uri()]


def _rgb(css: str) -> tuple[int, int, int]:
    red, green, blue = map(int, re.findall(r"\d+", css)[:3])
    return red, green, blue


# --- for programs ---


def test_json_is_the_whole_audit() -> None:
    told = json.loads(files.as_json(FULL))
    assert told["audit"] == 7
    assert told["kind"] == "clock"
    assert [each["state"] for each in told["findings"]] == ["new", "new", "open", "muted", "resolved"]
    assert told["findings"][0]["name"] == EVIL
    assert told["clocks"][0]["true_low"] == pytest.approx(-0.009)
    assert told["ntp_servers"][1]["failure"] == "no answer within 2 s"
    assert datetime.fromisoformat(told["ended_at"]) == FULL.run.ended_at


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def made(tmp_path: Path, run: Audited, form: Form) -> dict[str, bytes]:
    store = SqliteStore(tmp_path / "xenia.sqlite3", clock=HandClock(AT))
    try:
        return {each.name: each.data for each in files.made(run, store.audits, form)}
    finally:
        store.close()


def test_csv_holds_each_finding_and_no_formula(tmp_path: Path) -> None:
    found = made(tmp_path, FULL, Form.CSV)
    assert found.keys() == {"xenia-lab-audit-7.csv", "xenia-lab-audit-7-clocks.csv"}
    rows = table(found["xenia-lab-audit-7.csv"])
    assert [row["finding"] for row in rows] == ["F-1", "F-2", "F-3", "F-5", "F-4"]
    assert rows[2]["text"] == "'=HYPERLINK(0)"
    assert "\n" not in rows[0]["name"]
    assert rows[4]["resolved_at"] == AT.isoformat()
    clocks = table(found["xenia-lab-audit-7-clocks.csv"])
    assert float(clocks[1]["low"]) == pytest.approx(311.9)
    assert [row["host"][:3] for row in clocks] == ["xs1", "<sc", "xs3"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
@pytest.mark.parametrize(
    "before", ["", " ", '"', "x;", "x; ", 'x";', 'x;"', "x;;", "x\t", "x\n", "x\r\n", "x,"], ids=ascii
)
@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_no_spreadsheet_finds_a_formula_wherever_it_divides(
    tmp_path: Path, separator: str, before: str, sign: str
) -> None:
    found = made(tmp_path, audited(new=[story(1, Level.BAD, f"{before}{sign}cmd()")]), Form.CSV)
    text = found["xenia-lab-audit-7.csv"].decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]
    assert any("cmd()" in cell for cell in cells)
    assert not [cell for cell in cells if cell.strip(" \"'").startswith(sign) and not cell.startswith("'")]


def test_what_is_no_formula_stays_as_it_is(tmp_path: Path) -> None:
    found = made(tmp_path, audited(new=[story(1, Level.BAD, "a; b = c, -d")]), Form.CSV)
    (row,) = table(found["xenia-lab-audit-7.csv"])
    assert row["text"] == "a; b = c, -d"


# --- charts ---


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack("!II", png[16:24])
    return width, height


TWENTY = [offset(f"xs{n:02}", -400 + 800 * n / 19) for n in range(20)]
HUNDRED = [offset(f"host {n:03}", (n % 7) / 100, true=False) for n in range(100)]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    "offsets",
    [[offset("xs1", 0.003, true=False)], FULL.offsets, TWENTY, HUNDRED],
    ids=["one", "hostile", "twenty", "hundred"],
)
def test_clocks_are_drawn_whatever_they_are(offsets: Sequence[Offset], theme: Theme) -> None:
    width, height = size(charts.clocks(offsets, theme))
    assert width == 1440
    assert 200 < height < 2200


def test_the_same_audit_gives_the_same_picture_in_any_thread() -> None:
    wanted, drawn = charts.clocks(FULL.offsets), list[bytes]()
    threads = [threading.Thread(target=lambda: drawn.append(charts.clocks(FULL.offsets))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert drawn == [wanted] * 3


def test_another_offset_gives_another_picture() -> None:
    assert charts.clocks([offset("xs1", 0.0)]) != charts.clocks([offset("xs1", 0.01)])
    assert charts.clocks([offset("xs1", 0.0)], LIGHT) != charts.clocks([offset("xs1", 0.0)], DARK)


@pytest.mark.parametrize("name", ["東京-1", "خادم-1", "서버", "host 🐧"], ids=["kanji", "arabic", "hangul", "emoji"])
@pytest.mark.filterwarnings("error::UserWarning")  # which is how the library tells of characters that it lacks
def test_a_name_that_cannot_be_drawn_is_told_by_its_uuid(name: str) -> None:
    def of(uuid: str, called: str) -> list[Offset]:
        return [replace(offset("xs1", 0.003), host=ObjectId("host", uuid, called))]

    one, other = "af45de76-18fc-5a8d-9649-bf21c3f77bed", "1312ebe8-bc87-55b2-b67b-6f6ed620d3da"
    assert charts.clocks(of(one, name)) == charts.clocks(of(one, "機械"))
    assert charts.clocks(of(one, name)) != charts.clocks(of(other, name))
    assert f"{name} (af45de76)" in charts.clocks_in_words(of(one, name))
    vm = ObjectId("VM", one, name)
    assert charts.restarts(vm, [(vm, 3.0)]) != charts.restarts(vm, [(replace(vm, uuid=other), 3.0)])
    assert f"{name} (af45de76) 3 s" in charts.restarts_in_words(vm, [(vm, 3.0)])


def test_a_name_in_other_letters_of_the_font_is_drawn() -> None:
    greek = [replace(offset("xs1", 0.003), host=ObjectId("host", "af45de76-18fc-5a8d-9649-bf21c3f77bed", "Ξενία-ж"))]
    assert "Ξενία-ж " in charts.clocks_in_words(greek)
    assert "af45de76" not in charts.clocks_in_words(greek)


@pytest.mark.parametrize("count", [1, 2, 60])
def test_findings_over_time_are_drawn(count: int) -> None:
    runs = [audited(n, new=[story(k, Level.WARN) for k in range(n % 5)], days=n) for n in range(count)]
    assert size(charts.findings(runs))[0] == 1440
    assert charts.findings(runs) == charts.findings(runs[::-1])


def test_nothing_to_draw_is_an_error_and_gives_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no clock"):
        charts.clocks([replace(offset("xs1", 0.0, true=False), low=1.0, high=-1.0)])
    failed = replace(FULL.run, failure="silent")
    with pytest.raises(ValueError, match="no audit"):
        charts.findings([replace(FULL, run=failed)])
    assert made(tmp_path, replace(audited(), run=failed), Form.CHARTS) == {}
    assert "img" not in Elements(html.page(replace(audited(), run=failed), [])).tags


def contrast(one: Sequence[int], other: Sequence[int]) -> float:
    """WCAG 2.1, relative luminance."""

    def luminance(colour: Sequence[int]) -> float:
        parts = [value / 255 for value in colour]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "faint", "mark", "bad", "warn", "info"])
def test_colours_stand_out_from_their_ground(theme: Theme, name: str) -> None:
    colours = [getattr(theme, each).lstrip("#") for each in (name, "ground")]
    one, other = ([int(each[at : at + 2], 16) for at in (0, 2, 4)] for each in colours)
    assert contrast(one, other) >= 4.5


def test_pictures_are_told_in_words_too(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "xenia.sqlite3", clock=HandClock(AT))
    new = NewRun(kind=Kind.CLOCK, pool="lab", actor=OLGA, started_at=AT, ended_at=AT, offsets=tuple(TWENTY), found=())
    run = store.audits.record_audit(new)
    pictures = files.made(run, store.audits, Form.CHARTS)
    store.close()
    assert [each.name for each in pictures] == ["xenia-lab-audit-1-clocks.png", "xenia-lab-audit-1-findings.png"]
    assert "xs00 -400.000 s ± 0.013 s" in pictures[0].alt
    assert pictures[1].alt == "Open findings by audit (UTC): 2026-11-23 03:00: 0"
    assert all(len(each.alt) <= 1000 for each in pictures)
