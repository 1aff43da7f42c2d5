"""Pools and hosts in the configuration: what they become, their secrets by name, and a pool that is another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import cli, config
from bot.clock import SystemClock
from bot.compose import open_store
from sandbox.xapi.lab import load as load_lab
from sandbox.xapi.running import start
from tests.bot.configs import BASE, load, mistakes

UUID = "11111111-2222-3333-4444-555555555555"
HOSTS = """
[hosts.xs3]
address = "10.0.0.103"
username = "admin"
password = "env:XENIA_TEST_XS3"
address_map = { "10.0.0.103" = "127.0.0.1:8443" }

[secrets]
chap = "env:XENIA_TEST_CHAP"
"""


def test_a_host_beside_the_pools_is_asked_alone(tmp_path: Path) -> None:
    (host,) = load(BASE + HOSTS, tmp_path).host_settings()
    assert (host.name, host.addresses, host.username, host.alone) == ("xs3", ("10.0.0.103",), "admin", True)
    assert host.address_map == {"10.0.0.103": "127.0.0.1:8443"}
    pools = load(BASE, tmp_path)
    assert pools.host_settings() == ()
    assert not any(each.alone or each.uuid for each in pools.pool_settings())


def test_a_pool_can_be_held_to_its_uuid(tmp_path: Path) -> None:
    text = BASE.replace("[pools.lab]", f'[pools.lab]\nuuid = "{UUID}"')
    assert load(text, tmp_path).pool_settings()[0].uuid == UUID
    (told,) = mistakes(text.replace(UUID, "lab"), tmp_path)
    assert "pools.lab.uuid" in told


TWIN = """
[pools.play]
hosts = ["10.9.9.9", "{host}"]
username = "root"
password = "env:XENIA_TEST_PASSWORD"
{more}
"""


@pytest.mark.parametrize(
    ("host", "more", "told"),
    [
        ("10.0.0.101", "", "pools.play.hosts: 10.0.0.101 is a host of pools.lab already; a pool has one name"),
        ("10.0.0.101:443", "", "pools.play.hosts: 10.0.0.101:443 is a host of pools.lab already; a pool has one name"),
        (
            "10.0.0.1",
            'address_map = { "10.0.0.1" = "10.0.0.101" }',
            "pools.play.hosts: 10.0.0.1 is a host of pools.lab",
        ),
        ("10.0.0.101", 'address_map = { "10.0.0.101" = "127.0.0.1:8443" }', ""),
        ("10.0.0.201", f'uuid = "{UUID}"', "pools.play.uuid: it is that of pools.lab already; a pool has one name"),
    ],
    ids=["the same host", "with its port", "by another address", "another behind NAT", "the same uuid"],
)
def test_a_pool_has_one_name(tmp_path: Path, host: str, more: str, told: str) -> None:
    text = BASE.replace("[pools.lab]", f'[pools.lab]\nuuid = "{UUID}"') + TWIN.format(host=host, more=more)
    if not told:
        assert set(load(text, tmp_path).pools) >= {"lab", "play"}
        return
    (found,) = mistakes(text, tmp_path)
    assert told in found


def test_secrets_are_found_by_what_steps_call_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(BASE + HOSTS, tmp_path)
    for name in ("XS3", "CHAP", "PASSWORD"):
        monkeypatch.setenv(f"XENIA_TEST_{name}", name.lower())
    assert settings.secret("pools.lab.password") == "password"
    assert settings.secret("hosts.xs3.password") == "xs3"
    assert settings.secret("secrets.chap") == "chap"
    for name in ("hosts.xs4.password", "secrets.other", "slack.bot_token", "pools.lab", "chap", ""):
        with pytest.raises(config.ConfigError, match="no secret"):
            settings.secret(name)


def test_a_host_s_settings_are_checked_like_a_pool_s(tmp_path: Path) -> None:
    found = mistakes(BASE + HOSTS.replace("username", "plain_http = true\nca_file = '/x'\nusername"), tmp_path)
    assert "hosts.xs3: The host xs3 has plain_http and a certificate to trust" in found[0]


def test_the_sandbox_setting_also_looks_at_hosts(tmp_path: Path) -> None:
    text = BASE.replace("[slack]", '[bot]\nsandbox = true\n\n[slack]\napi_url = "http://127.0.0.1:1/api/"')
    told = " ".join(mistakes(text + HOSTS.replace("127.0.0.1:8443", "192.0.2.7:443"), tmp_path))
    assert "hosts.xs3.address: 10.0.0.103" in told


@pytest.mark.parametrize("right", [True, False], ids=["it answers", "another answers"])
def test_accepting_another_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], right: bool
) -> None:
    with start(load_lab("tutorial")) as lab:
        monkeypatch.setenv("XENIA_TEST_PASSWORD", lab.password)
        mapped = ", ".join(f'"{address}" = "{end}"' for address, end in lab.addresses.items())
        text = BASE.replace("[pools.lab]", f"[pools.lab]\nplain_http = true\naddress_map = {{ {mapped} }}")
        text = f'[bot]\ndatabase = "{tmp_path / "x.sqlite3"}"\n\n{text}'
        path = tmp_path / "xenia.toml"
        path.write_text(text, encoding="utf-8")
        uuid = lab.pools["lab"]["uuid"] if right else UUID
        status = cli.main(["config", "accept-pool", "lab", uuid, "--config", str(path)])
        told = capsys.readouterr()
        store = open_store(config.load(path), SystemClock())
        known, rows = store.pools.known("lab"), store.ledger(pools=None, last=10)
        store.close()
    if right:
        assert status == 0
        assert f"lab is lab ({uuid}) from now on" in told.out
        assert known is not None
        assert known.uuid == uuid
        assert [row.body["uuid"] for row in rows if row.kind == "pool accepted"] == [uuid]
    else:
        assert status == 1
        assert known is None
        assert "Another pool answers" in told.err


@pytest.mark.parametrize(
    ("pool", "uuid", "told"), [("lap", UUID, "There is no pool lap"), ("lab", UUID[:-1] + "6", "names 1111")]
)
def test_accepting_what_the_configuration_contradicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pool: str, uuid: str, told: str
) -> None:
    load(BASE.replace("[pools.lab]", f'[pools.lab]\nuuid = "{UUID}"'), tmp_path)
    assert cli.main(["config", "accept-pool", pool, uuid, "--config", str(tmp_path / "xenia.toml")]) == 1
    assert told in capsys.readouterr().err
