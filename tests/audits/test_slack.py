"""An audit asked for in the workspace: the answer is one that Slack takes, whatever was found."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import town


def test_audits_are_answered_in_slack(tmp_path: Path) -> None:
    with town(tmp_path) as place:
        answer = place.say("audit run in lab")
        assert "lab: 10 findings (first audit)" in answer
        assert "The pool has only two hosts" in answer
        assert "vm eject" in place.say("audit show 1")
        assert "nothing has changed" in place.say("audit diff since 1")
        place.lab.clock("xs2", -40.0)
        assert "behind the coordinator's" in place.say("audit run clock in lab")
        assert "compatibility" in place.say("audit history in lab")
        assert set(place.lab.calls()) <= {"session.login_with_password", "event.from", "host.get_servertime"}
