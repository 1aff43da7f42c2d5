"""nginx with deploy/nginx.conf, the bot as a process of its own behind it, and a pretend workspace in front.

Ports are reserved by a socket that is bound and never listens, so that nobody else gets them while a server is away;
both servers bind with SO_REUSEADDR, as the reservation does.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from bot import compose, config
from bot.clock import SystemClock
from bot.demo.lab import write_config
from bot.slack.http_mode import PATH
from bot.store import SqliteStore
from sandbox.slack.running import start as start_workspace
from sandbox.slack.settings import Settings
from sandbox.xapi import lab as labs
from sandbox.xapi.running import start as start_lab
from sandbox.xapi.tls import certificate_of
from tests.e2e.conftest import SPEED, Town
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
SLACK_CLOCK = 0.2
"""Slack's three seconds become fifteen: a machine that is busy is no defect of the proxy's."""


@contextmanager
def reserved() -> Iterator[int]:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        yield int(sock.getsockname()[1])


class Process:
    def __init__(self, words: list[str], log: Path) -> None:
        self.log = log
        with log.open("ab") as out:
            self.popen = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.send_signal(how)
        return self.popen.wait(60)


class Nginx:
    """deploy/nginx.conf, unchanged but for ports and paths, within the least that nginx needs around it."""

    def __init__(self, folder: Path, port: int, bot_port: int) -> None:
        self.folder, self.port = folder, port
        folder.mkdir()
        made = certificate_of("xenia.example.com", "127.0.0.1")
        self.certificate = folder / "xenia.pem"
        self.certificate.write_bytes(made.certificate_pem)
        (folder / "xenia.key").touch(mode=0o600)
        (folder / "xenia.key").write_bytes(made.key_pem)
        text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        for ours, theirs in (
            ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
            ("/etc/ssl/", f"{folder}/"),
            ("127.0.0.1:3000", f"127.0.0.1:{bot_port}"),
        ):
            assert ours in text, ours
            text = text.replace(ours, theirs)
        (folder / "xenia.conf").write_text(text, encoding="utf-8")
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.main = folder / "main.conf"
        self.main.write_text(
            ("user root;\n" if os.geteuid() == 0 else "")
            + f"daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/error.log info;\n"
            + f"events {{}}\nhttp {{\naccess_log {folder}/access.log;\n{temporary}include {folder}/xenia.conf;\n}}\n",
            encoding="utf-8",
        )
        self.process: Process | None = None

    @property
    def words(self) -> list[str]:
        assert NGINX is not None
        return [NGINX, "-c", str(self.main), "-e", str(self.folder / "error.log")]

    def checked(self) -> subprocess.CompletedProcess[str]:
        """`nginx -t`."""
        return subprocess.run([*self.words, "-t"], capture_output=True, text=True, timeout=60, check=False)

    def start(self) -> None:
        self.process = process = Process(self.words, self.folder / "out.log")
        eventually(lambda: answers(self.port) or process.popen.poll() is not None, "nginx to listen")
        assert process.popen.poll() is None, process.said()

    def stop(self) -> None:
        """As the service manager does: what it works on is finished."""
        if self.process is not None:
            assert self.process.end(signal.SIGQUIT) == 0, self.process.said()
            self.process = None

    def errors(self) -> str:
        return (self.folder / "error.log").read_text(encoding="utf-8")


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 10).close()
    except OSError:
        return False
    return True


class Proxied(Town):
    """The town, with its bot as a process in HTTP mode behind nginx."""

    nginx: Nginx
    bot_port: int
    process: Process
    store: SqliteStore

    def run(self) -> None:
        self.process = Process(
            [sys.executable, "-m", "bot", "run", "--config", str(self.config)], self.config.parent / "bot.log"
        )
        eventually(lambda: answers(self.bot_port) or self.process.popen.poll() is not None, "the bot to listen")
        assert self.process.popen.poll() is None, self.process.said()

    def line(self) -> http.client.HTTPSConnection:
        """A connection to nginx that stays open."""
        trust = ssl.create_default_context(cafile=self.nginx.certificate)
        return http.client.HTTPSConnection("127.0.0.1", self.nginx.port, timeout=60, context=trust)

    def post(
        self, line: http.client.HTTPSConnection, body: bytes, *, secret: str = "", path: str = PATH, signed: bool = True
    ) -> int:
        """What is answered to a delivery, signed as Slack signs it (or with another secret)."""
        stamp = str(int(time.time()))
        key = (secret or self.workspace.signing_secret).encode()
        signature = "v0=" + hmac.new(key, f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": stamp}
        line.request("POST", path, body, headers | ({"X-Slack-Signature": signature} if signed else {}))
        answer = line.getresponse()
        answer.read()
        return answer.status

    def command(self, text: str, number: int) -> bytes:
        """`/xen TEXT` of olga's, as Slack sends it."""
        ws = self.workspace
        return urlencode(
            {
                "team_id": ws.settings.team_id,
                "channel_id": ws.channels["infra"],
                "user_id": ws.people["olga"],
                "user_name": "olga",
                "command": "/xen",
                "text": text,
                "api_app_id": ws.settings.app_id,
                "trigger_id": f"1.2.{number:x}",
                "response_url": "",
            }
        ).encode()

    def quiet(self) -> None:
        """Wait until no delivery is under way."""
        eventually(lambda: self.workspace.run(lambda: self.workspace.workspace.delivery.under_way == 0), "quiet")


@contextmanager
def proxied(folder: Path) -> Iterator[Proxied]:
    with ExitStack() as stack:
        proxy_port, bot_port = stack.enter_context(reserved()), stack.enter_context(reserved())
        nginx = Nginx(folder / "nginx", proxy_port, bot_port)
        lab = stack.enter_context(start_lab(labs.load("tutorial"), tls=True, speed=SPEED))
        url = f"https://127.0.0.1:{proxy_port}{PATH}"
        settings = replace(Settings(), request_url=url, request_ca=nginx.certificate)
        workspace = stack.enter_context(start_workspace(settings, clock_scale=SLACK_CLOCK))
        path = write_config(folder, lab, workspace)
        secret = folder / "signing-secret"
        secret.touch(mode=0o600)
        secret.write_text(workspace.signing_secret, encoding="utf-8")
        added = f'mode = "http"\nhttp_port = {bot_port}\nsigning_secret = "file:{secret}"\n'
        path.write_text(path.read_text(encoding="utf-8").replace("[slack]\n", f"[slack]\n{added}", 1), encoding="utf-8")
        made = Proxied(lab, workspace, path)
        made.nginx, made.bot_port = nginx, bot_port
        made.run()
        stack.callback(lambda: made.process.end())
        loaded = config.load(path)
        made.store = SqliteStore(loaded.bot.database, clock=SystemClock(), ledger_key=compose.ledger_key(loaded))
        stack.callback(made.store.close)
        nginx.start()
        stack.callback(nginx.stop)
        yield made
