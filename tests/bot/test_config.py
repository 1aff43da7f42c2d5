"""The configuration: what it becomes, and every mistake with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot import cli, config
from bot.config.lines import line_of
from bot.model import Risk
from bot.policy import EVERYONE, Rules
from sandbox.slack import RunningWorkspace, start
from tests.bot.configs import BASE, load, mistakes

RULES = """
[[policy.rules]]
name = "production"
pools = ["prod*"]
tags = ["customer"]
approvers = ["C0LEADS"]
approvals = 2
type_name = true

[[policy.rules]]
name = "lab"
commands = ["vm *"]
risks = ["routine"]
pools = ["lab"]
approvals = 0
expiry_minutes = 5

[[policy.freezes]]
name = "weekend"
when = "Fri 18:00 – Mon 08:00 Europe/Amsterdam"
risks = ["disruptive", "destructive"]
override = ["S0ONCALL"]
"""


def line(text: str, of: str, nth: int = 1) -> int:
    """The line of the nth appearance of `of`."""
    return [number for number, each in enumerate(text.splitlines(), 1) if of in each][nth - 1]


# --- what it becomes --------------------------------------------------------------------------------------------------


def test_the_simple_form_is_a_whole_policy(tmp_path: Path) -> None:
    rules = load(BASE, tmp_path).rules()
    assert rules == Rules(
        operators=frozenset({"U0OLGA"}),
        approvers=frozenset({"U0ANA", "S0APPROVERS"}),
        readers=frozenset({EVERYONE}),
        type_name=frozenset({Risk.DESTRUCTIVE}),
    )


def test_rules_and_freezes_are_read_in_order(tmp_path: Path) -> None:
    settings = load(BASE + RULES, tmp_path)
    first, second = settings.rules().rules
    assert (first.name, first.match.pools, first.match.tags) == ("production", ("prod*",), frozenset({"customer"}))
    assert (first.approvers, first.approvals, first.type_name, first.operators) == (
        frozenset({"C0LEADS"}),
        2,
        True,
        None,
    )
    assert (second.match.commands, second.match.risks, second.expiry_seconds) == (
        ("vm *",),
        frozenset({Risk.ROUTINE}),
        300,
    )
    assert second.approvals == 0
    (freeze,) = settings.rules().freezes
    assert [str(window) for window in freeze.windows] == ["Fri 18:00 – Mon 08:00 Europe/Amsterdam"]
    assert freeze.override == {"S0ONCALL"}


def test_slack_is_asked_about_every_group_and_channel_that_is_named(tmp_path: Path) -> None:
    groups = load(BASE + RULES, tmp_path).slack_settings().groups
    assert groups == ("C0LEADS", "S0APPROVERS", "S0ONCALL")


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "right", "where", "words"),
    [
        ('operators = ["U0OLGA"]', 'operatrs = ["U0OLGA"]', "operatrs", "did you mean “operators”?"),
        ("approvals = 0", "aprovals = 0", "aprovals", "did you mean “approvals”?"),
        ('tags = ["customer"]', 'labels = ["customer"]', "labels", "it can have: commands, risks, pools, tags, name"),
        ("override =", "overide =", "overide", "did you mean “override”?"),
        ('hosts = ["10.0.1.101"]', 'hostz = ["10.0.1.101"]', "hostz", "did you mean “hosts”?"),
        ('["vm *"]', '["vm migrat"]', "commands", "there is no command “vm migrat”; did you mean “vm migrate”?"),
        ('["vm *"]', '["vmx *"]', "commands", "there is no command “vmx *”"),
        ('["prod*"]', '["prd*"]', 'pools = ["prd', "there is no pool “prd*”"),
        ('pools = ["lab"]', 'pools = ["lap"]', 'pools = ["lap', "there is no pool “lap”; did you mean “lab”?"),
        ('["C0LEADS"]', '["leads"]', '["leads"]', "“leads” is nobody"),
        ('["C0LEADS"]', '["everyone"]', 'approvers = ["everyone"]', "“everyone” is nobody"),
        ('["routine"]', '["rutine"]', '["rutine"]', "'routine', 'disruptive' or 'destructive'"),
        ("approvals = 2", "approvals = 11", "approvals = 11", "less than or equal to 10"),
        ("approvals = 2", 'approvals = "two"', 'approvals = "two"', "integer"),
        ("expiry_minutes = 5", "expiry_minutes = 0", "expiry_minutes", "greater than or equal to 1"),
        ("Europe/Amsterdam", "Europe/Amsterdm", "when =", "there is no time zone Europe/Amsterdm"),
        ("Fri 18:00", "Fry 18:00", "when =", "no day of the week"),
        ('when = "Fri 18:00 – Mon 08:00 Europe/Amsterdam"', "when = []", "when =", "at least one window"),
        ('name = "lab"', 'name = "production"', 'name = "production"', "“production” is there twice"),
    ],
)
def test_a_mistake_is_told_with_its_line(wrong: str, right: str, where: str, words: str, tmp_path: Path) -> None:
    text = (BASE + RULES).replace(wrong, right)
    assert text != BASE + RULES
    (told,) = [each for each in mistakes(text, tmp_path) if "Field required" not in each]
    assert words in told
    at = line(text, where, 2 if "twice" in words else 1)
    assert told.startswith(f"line {at}: "), told


def test_every_mistake_is_told_at_once_in_the_files_order(tmp_path: Path) -> None:
    text = (BASE + RULES).replace("approvals = 0", "approvals = -1").replace("team =", "taem =")
    text = text.replace("type_name = true", 'type_name = "perhaps"').replace("Mon 08:00", "Mon 8 o'clock")
    told = mistakes(text, tmp_path)
    numbers = [int(each.removeprefix("line ").partition(":")[0]) for each in told]
    places = ("taem", "type_name", "approvals = -1", "when =")
    assert numbers == [line(text, place) for place in places]


def test_what_sections_say_of_each_other_has_lines_too(tmp_path: Path) -> None:
    text = BASE + '\n[channels.C0A]\npools = ["lab"]\ndefault = "production"\n[people.U0ANA]\ndefault = "lap"\n'
    text += '[channels.C0B]\npools = ["nowhere"]\n'
    text = text.replace('app_token = "env:XENIA_TEST_APP_TOKEN"\n', 'mode = "socket"\n')
    told = mistakes(text, tmp_path)
    assert len(told) == 4
    for words, where in (
        ("needs app_token", "[slack]"),
        ("not among its pools", 'default = "production"'),
        ("did you mean “lab”?", 'default = "lap"'),
        ("no pool “nowhere”", 'pools = ["nowhere"]'),
    ):
        (each,) = [one for one in told if words in one]
        assert each.startswith(f"line {line(text, where)}: ")


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        ("[slack]\n", '[bot]\nsandbox = true\n[slack]\napi_url = "https://slack.com/api/"\n', "slack.api_url"),
        ("[slack]\n", '[bot]\nsandbox = true\n[slack]\napi_url = "http://127.0.0.1:1/api/"\n', "10.0.0.101"),
        ("[pools.lab]\n", "[pools.lab]\nplain_http = true\nca_file = 'x'\n", "plain HTTP has none"),
        ("[pools.lab]\n", "[pools.lab]\nallow_tls1 = true\n", "pinned"),
        ("[pools.lab]\n", "[pools.lab]\nfingerprints = ['12:34']\n", "SHA-256"),
        ("env:XENIA_TEST_PASSWORD", "hunter2", "a secret is named, not written"),
        ("[slack]\n", '[slack]\napi_url = "http://slack.com/api/"\n', "the tokens travel there"),
        ("[slack]\n", '[slack]\napi_url = "slack.com/api/"\n', "the tokens travel there"),
        ("[slack]\n", '[slack]\napi_url = "https://[/"\n', "the tokens travel there"),
        ("[slack]\n", '[bot]\nheads_channel = "#ops"\n[slack]\n', "“#ops” is no channel's id"),
        ("[pools.lab]\n", '[pools.lab]\napprovals_channel = "infra"\n', "“infra” is no channel's id"),
        ("[pools.lab]\n", '[channels.infra]\ndefault = "lab"\n[pools.lab]\n', "“infra” is no channel's id"),
    ],
)
def test_other_contradictions(wrong: str, right: str, words: str, tmp_path: Path) -> None:
    told = mistakes(BASE.replace(wrong, right), tmp_path)
    assert any(words in each and each.startswith("line ") for each in told)
    assert not any("hunter2" in each for each in told)


@pytest.mark.parametrize("content", [b"[slack", b"\xff\xfe", b"a = 1\na = 2\n"])
def test_what_is_no_toml_says_where(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "xenia.toml"
    path.write_bytes(content)
    with pytest.raises(config.ConfigError, match="is not TOML"):
        config.load(path)
    with pytest.raises(config.ConfigError, match="cannot be read"):
        config.load(tmp_path / "missing.toml")


def test_a_character_of_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "xenia.toml"
    path.write_bytes(BASE.encode() + "# Zürich\n".encode("latin-1"))
    with pytest.raises(config.ConfigError) as raised:
        config.load(path)
    assert raised.value.evidence == (f"line {len(BASE.splitlines()) + 1}: a character that is no UTF-8",)
    assert "UTF-8" in raised.value.remedy


def test_a_file_of_an_editor_of_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "xenia.toml"
    path.write_bytes(b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode())
    assert config.load(path) == load(BASE, tmp_path)


def test_lines_of_arrays_of_tables() -> None:
    text = (
        "[a]\nx = 1\n[[a.b]]\ny = 1\n[a.b.c]\nz = 1\n[[a.b]]\n'y' = 2\n[a.b.c]\nz = 2\n[[a.b.d]]\n[[a.b.d]]\nq.r = 1\n"
    )
    assert line_of(text, ("a", "x")) == 2
    assert line_of(text, ("a", "b", 0, "y")) == 4
    assert line_of(text, ("a", "b", 0, "c", "z")) == 6
    assert line_of(text, ("a", "b", 1)) == 7
    assert line_of(text, ("a", "b", 1, "y", 3)) == 8
    assert line_of(text, ("a", "b", 1, "c", "z")) == 10
    assert line_of(text, ("a", "b", 1, "d", 1, "q", "r")) == 13
    assert line_of(text, ("a", "b", 1, "d", 1, "missing")) == 12
    assert line_of(text, ("elsewhere",)) == 0


# --- xenia config check -----------------------------------------------------------------------------------------------


@pytest.fixture
def slack() -> Iterator[RunningWorkspace]:
    with start() as running:
        yield running


@pytest.fixture
def check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, list[str]]]:
    def run(text: str, *options: str, workspace: RunningWorkspace | None = None) -> tuple[int, list[str]]:
        path = tmp_path / "xenia.toml"
        if workspace:
            monkeypatch.setenv("XENIA_TEST_BOT_TOKEN", workspace.bot_token)
            monkeypatch.setenv("XENIA_TEST_APP_TOKEN", workspace.app_token)
            text = text.replace("[slack]\n", f'[slack]\napi_url = "{workspace.api}"\n')
        path.write_text(text, encoding="utf-8")
        status = cli.main(["config", "check", "--config", str(path), *options])
        told = capsys.readouterr()
        return status, (told.out + told.err).splitlines()

    return run


def test_check_says_that_there_is_nothing_wrong(check: Callable[..., tuple[int, list[str]]]) -> None:
    status, (last,) = check(BASE, "--offline")
    assert status == 0
    assert "has no mistakes: 2 pools, no rules" in last


def test_check_tells_mistakes_and_fails(check: Callable[..., tuple[int, list[str]]]) -> None:
    status, told = check(BASE.replace("operators", "operatrs"), "--offline")
    assert status == 1
    assert any("did you mean “operators”?" in each for each in told)


def test_check_warns_of_what_is_odd_with_its_line(check: Callable[..., tuple[int, list[str]]]) -> None:
    text = (
        BASE
        + RULES
        + '\n[[policy.rules]]\nname = "late"\ncommands = ["vm migrate"]\nrisks = ["routine"]\npools = ["lab"]\n'
    )
    status, told = check(text, "--offline")
    assert status == 0
    assert told[0].startswith(f"warning: line {line(text, '[[policy.rules]]', 3)}: rule late is never reached")
    assert "has no mistakes, 1 warning" in told[-1]


def test_check_asks_slack_whom_it_knows(check: Callable[..., tuple[int, list[str]]], slack: RunningWorkspace) -> None:
    text = (
        (BASE + RULES).replace('["U0OLGA"]', '["U0OLGA", "U0DEE", "U0GIL", "U0NOBODY"]').replace("C0LEADS", "C0INFRA")
    )
    status, told = check(text, workspace=slack)
    assert status == 0
    warned = [each for each in told if each.startswith("warning")]
    for words in (
        "U0DEE: the account is deactivated",
        "U0GIL: the person is a guest",
        "U0NOBODY: Slack does not know such a person",
        "S0ONCALL: Slack does not know it",
        "C0INFRA: the channel is public",
    ):
        assert any(words in each and "line " in each for each in warned), words
    assert len(warned) == 5
    assert not any("S0APPROVERS" in each or "U0ANA" in each for each in warned)


def test_check_says_that_slack_could_not_be_asked(check: Callable[..., tuple[int, list[str]]]) -> None:
    status, told = check(BASE.replace("[slack]\n", '[slack]\napi_url = "http://127.0.0.1:9/api/"\n'))
    assert status == 0
    assert any("Slack was not asked" in each for each in told)


@pytest.mark.parametrize("zone", ["Middle/Earth", "../etc/passwd", ""])
def test_a_time_zone_that_does_not_exist_is_told_with_its_line(zone: str, tmp_path: Path) -> None:
    (told,) = mistakes(f'[bot]\ntimezone = "{zone}"\n{BASE}', tmp_path)
    assert "no time zone" in told
    assert "line 2" in told
