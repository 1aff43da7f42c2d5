"""An audit's files, asked for in the workspace and at the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from bot.audits.files import as_json
from tests.e2e.conftest import Town, town
from tests.waiting import eventually


def files(place: Town, channel: str = "#infra") -> list[dict[str, Any]]:
    return [file for message in place.workspace.messages(channel, "olga") for file in message.get("files") or ()]


def content(place: Town, file: dict[str, Any]) -> bytes:
    with urllib.request.urlopen(place.workspace.base + file["url"], timeout=60) as answer:
        data: bytes = answer.read()
        return data


def test_files_are_posted_where_they_were_asked_for(tmp_path: Path) -> None:
    with town(tmp_path) as place:
        place.say("audit run clock in lab")
        place.say("audit run in lab")
        assert "Audit 1 of lab as files" in place.say("audit files 1")
        found = {file["name"]: file for file in eventually(lambda: files(place), "the files")}
        assert set(found) == {
            "xenia-lab-audit-1.csv",
            "xenia-lab-audit-1-clocks.csv",
            "xenia-lab-audit-1.json",
            "xenia-lab-audit-1.html",
            "xenia-lab-audit-1-clocks.png",
            "xenia-lab-audit-1-findings.png",
        }
        assert found["xenia-lab-audit-1-clocks.png"]["alt_txt"].startswith("Clocks against the bot: xs1")
        assert place.bot is not None
        run = place.bot.store.audits.audit_run(1)
        assert run is not None
        assert content(place, found["xenia-lab-audit-1.json"]).decode() == as_json(run)
        assert b"<!doctype html>" in content(place, found["xenia-lab-audit-1.html"])

        # Where the bot may not post it says so, and nothing appears.
        answer = place.say("audit files 2 json", channel="#random")
        assert "Audit 2 of lab as files" in answer
        refusal = eventually(
            lambda: [
                message["text"]
                for message in place.workspace.messages("#random", "olga")
                if "The files are not here" in message["text"]
            ],
            "the refusal",
        )
        assert "not a member" in refusal[0]
        assert files(place, "#random") == []


def test_the_terminal_writes_them(tmp_path: Path) -> None:
    with town(tmp_path, run=False) as place:

        def xenia(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "bot", "cmd", "--config", str(place.config), "--as", "operator", *words]
            return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

        assert xenia("audit run in lab").returncode == 0
        told = xenia("audit files json csv")
        assert "--to DIRECTORY" in told.stderr
        written = xenia("audit files", "--to", str(tmp_path / "new" / "folder"))
        assert written.returncode == 0, written.stderr
        names = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
        assert names == [
            "xenia-lab-audit-1-findings.png",
            "xenia-lab-audit-1.csv",
            "xenia-lab-audit-1.html",
            "xenia-lab-audit-1.json",
        ]
        told_json = (tmp_path / "new" / "folder" / "xenia-lab-audit-1.json").read_text(encoding="utf-8")
        assert len(json.loads(told_json)["findings"]) == 10
        refused = xenia("audit files", "--to", str(place.config))
        assert refused.returncode == 1
        assert "cannot be written" in refused.stderr
