"""The way into a pool: one thread opens the session for all, at whichever host is the coordinator by now, and never so
often that a wrong password locks the account.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot import logs
from bot.errors import Unavailable
from bot.ports import Clock
from bot.text import duration, quoted
from bot.xapi.addresses import Endpoint, same
from bot.xapi.coordinator import Doorbell, Tried, what_now
from bot.xapi.settings import PoolSettings
from bot.xapi.trust import PLAIN_HTTP, Proof
from bot.xapi.words import Words

_log = logging.getLogger(__name__)

#: After a refused password: the first pause and the longest. Each try is tallied by the pool (FAILED_LOGIN_ATTEMPTS).
FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Login:
    """One session on one coordinator. `number` counts logins: what was learnt under another number may be outdated."""

    endpoint: Endpoint
    handle: str
    number: int
    proof: Proof


class Entrance:
    """Logs in, and keeps the session until it is dropped. `witness` is told of every login and every refusal."""

    def __init__(
        self,
        settings: PoolSettings,
        clock: Clock,
        doorbell: Doorbell,
        words: Words,
        witness: Callable[[str, Mapping[str, str]], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._doorbell = doorbell
        self._words = words
        self._witness = witness
        self._lock = threading.Lock()  # guards the fields below; never held while waiting
        self._login: Login | None = None
        self._logins = 0
        self._coordinator = ""
        self._suspect = ""
        self._closed = False
        self._door = threading.Lock()  # held by the one thread that logs in
        self._attempts = 0
        self._failure: Unavailable | None = None
        self._denied_password = ""
        self._denied_until = 0.0
        self._denials = 0

    def login(self) -> Login:
        """The session, opened if there is none.

        :raises Unavailable: no coordinator answers, or it refuses the credentials; the evidence has each host's answer.
        """
        login, seen, _ = self._state()
        if login is not None:
            return login
        with self._door:
            login, attempts, failure = self._state()
            if login is not None:
                return login
            if attempts > seen and failure is not None:
                raise _again(failure)  # it failed for the thread that this one waited for
            try:
                with logs.about(pool=self._settings.name):
                    login = self._open()
            except Unavailable as error:
                with self._lock:
                    self._attempts += 1
                    self._failure = error
                raise
            with self._lock:
                self._attempts += 1
                self._failure = None
                self._login = login
                self._coordinator = login.endpoint.address
                self._suspect = ""
            return login

    def drop(self, login: Login, *, suspect: bool = False) -> None:
        """The session is over. With `suspect` its host may not be the one to ask any more."""
        with self._lock:
            if self._login is login:
                self._login = None
                self._suspect = login.endpoint.address if suspect else ""

    def close(self) -> None:
        """Log out, if the pool can be reached quickly; nobody logs in any more."""
        with self._lock:
            self._closed = True
            login, self._login = self._login, None
        if login is not None:
            self._doorbell.close(Tried(endpoint=login.endpoint, handle=login.handle))

    def _state(self) -> tuple[Login | None, int, Unavailable | None]:
        with self._lock:
            return self._login, self._attempts, self._failure

    # --- by one thread at a time ---

    def _open(self) -> Login:
        password = self._settings.password()
        self._wait_out_a_denial(password)
        with self._lock:
            if self._closed:
                raise Unavailable(f"The bot is shutting down; the {self._settings.called} is not asked any more.")
            first = self._coordinator or self._settings.addresses[0]
            suspect = self._suspect
        tried = [] if suspect else self._doorbell.follow(first, password)
        if tried and (tried[-1].handle or tried[-1].denied):
            return self._settled(tried[-1:], password)
        known = [*self._settings.addresses, *([self._coordinator] if self._coordinator else []), *self._words.addresses]
        return self._settled(self._doorbell.ring_the_others(tried, known, password), password)

    def _settled(self, tried: list[Tried], password: str) -> Login:
        accepted = [each for each in tried if each.handle]
        if len(accepted) > 1:
            hosts = {self._doorbell.this_host(each) or each.endpoint.address for each in accepted}
            if len(hosts) == 1:  # one host under two addresses
                for each in accepted[1:]:
                    self._doorbell.close(each)
                return self._accepted(accepted[0])
            for each in accepted:
                self._doorbell.close(each)
            raise self._words.unavailable(
                self._words.answers(tried),
                "Two coordinators must not run one pool: find out which one is right (xe pool-list on each), keep the"
                " other one off; or take the other pool's host out of this pool's configuration.",
                message=f"Several hosts of the pool {self._settings.name} say that they are its coordinator.",
            )
        if accepted:
            return self._accepted(accepted[0])
        denied = next((each for each in tried if each.denied), None)
        if denied is not None:
            raise self._denial(denied, password)
        remedy = next((each.remedy for each in tried if each.remedy), "")
        remedy = remedy.replace("in POOL”", f"in {quoted(self._settings.name)}”")  # which the codes' words cannot know
        raise self._words.unavailable(self._words.answers(tried), remedy or what_now(tried, self._settings))

    def _accepted(self, tried: Tried) -> Login:
        self._denials = 0
        self._denied_password = ""
        self._logins += 1
        if self._coordinator and not same(self._coordinator, tried.endpoint.address):
            _log.warning("the coordinator is now %s", tried.endpoint.address)
        else:
            _log.info("logged in at %s", tried.endpoint.address)
        proof = tried.proof or PLAIN_HTTP
        self._witness("pool login", {**self._door_told(tried), "tls": proof.tls, "trust": proof.trust})
        return Login(tried.endpoint, tried.handle, self._logins, proof)

    def _door_told(self, tried: Tried) -> dict[str, str]:
        return {"address": tried.endpoint.address, "username": self._settings.username}

    def _denial(self, tried: Tried, password: str) -> Unavailable:
        pause = min(FIRST_PAUSE_SECONDS * 2**self._denials, LONGEST_PAUSE_SECONDS)
        self._denials += 1
        self._denied_password = password
        self._denied_until = self._clock.monotonic() + pause
        _log.error("%s refuses the credentials", tried.endpoint.address)
        self._witness("pool login refused", self._door_told(tried))
        return Unavailable(
            f"The {self._settings.called} refuses the bot's user name and password.",
            remedy=f"Correct the password in the bot's configuration. The bot tries again in {duration(pause)} at the"
            " earliest, or at once with another password.",
            evidence=(self._words.answer(tried),),
        )

    def _wait_out_a_denial(self, password: str) -> None:
        remains = self._denied_until - self._clock.monotonic()
        if self._denied_password and password == self._denied_password and remains > 0:
            raise Unavailable(
                f"The {self._settings.called} has refused the bot's user name and password.",
                remedy="Correct the password in the bot's configuration. With the same one the bot tries again in"
                f" {duration(remains)}, so that the account is not locked.",
            )


def _again(error: Unavailable) -> Unavailable:
    return Unavailable(error.message, remedy=error.remedy, evidence=error.evidence, choices=error.choices)
