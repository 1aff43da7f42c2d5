"""The bot's one session with a pool: logged in once, renewed when it is gone, moved when the coordinator moves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import XenAPI

from bot import logs, tally
from bot.errors import OutcomeUnknown, Unavailable
from bot.ports import Clock, ConnectionFacts
from bot.text import duration, one_line, quoted
from bot.xapi import failures, transport
from bot.xapi.addresses import Endpoint, same
from bot.xapi.broken import Broken, NotSent, Strange, TooMuch, timed_out
from bot.xapi.coordinator import LONGEST_ADDRESS, Doorbell, Tried, what_now
from bot.xapi.jsonrpc import JsonRpc
from bot.xapi.settings import PoolSettings
from bot.xapi.transport import Exchange, OnceTransport, SessionGone
from bot.xapi.trust import PLAIN_HTTP, Proof

_log = logging.getLogger(__name__)

#: After a refused password: the first pause and the longest. Each try is tallied by the pool (FAILED_LOGIN_ATTEMPTS).
FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 900.0
_TRIES_OF_A_READ = 3
_Fits = Callable[[Any], bool]
# Answers of a host that has lost its coordinator, or its place in the pool: somebody else must be asked.
_NOT_THE_ONE_TO_ASK = {
    "HOST_IS_SLAVE",
    "HOST_STILL_BOOTING",
    "HOST_UNKNOWN_TO_MASTER",
    "HOST_MASTER_CANNOT_TALK_BACK",
    "HOST_HAS_NO_MANAGEMENT_IP",
    "HOST_ITS_OWN_SLAVE",
    "HOST_BROKEN",
}


@dataclass(frozen=True, slots=True)
class Login:
    """One session on one coordinator. `number` counts logins: what was learnt under another number may be outdated."""

    endpoint: Endpoint
    handle: str
    number: int
    proof: Proof


class Refusal(Exception):
    """The pool took the call and refused it: XenAPI's error array."""

    def __init__(self, error: tuple[str, ...]) -> None:
        super().__init__(error[0] if error else "")
        self.error = error


class PoolSession:
    """Calls to one pool, from any thread. `counted` is told of each: its method, `answered`, `refused` or `lost`, and
    the seconds it took.
    """

    def __init__(
        self,
        settings: PoolSettings,
        clock: Clock,
        witness: Callable[[str, Mapping[str, str]], None] | None = None,
        counted: Callable[[str, str, float], None] | None = None,
    ) -> None:
        self._settings = settings
        self._witness = witness or (lambda *_: None)
        self._counted = counted or (lambda *_: None)
        self._clock = clock
        self._exchange = Exchange(settings)
        self._json = JsonRpc(self._exchange, clock)
        self._doorbell = Doorbell(settings, self._exchange)
        self._lock = threading.Lock()  # guards the fields below; never held while waiting
        self._login: Login | None = None
        self._logins = 0
        self._coordinator = ""
        self._suspect = ""
        self._names: dict[str, str] = {}
        self._closed = False
        self._door = threading.Lock()  # held by the one thread that logs in
        self._attempts = 0
        self._failure: Unavailable | None = None
        self._denied_password = ""
        self._denied_until = 0.0
        self._denials = 0

    def learn(self, names: Mapping[str, str]) -> None:
        """The pool's hosts, address → name: more doors to knock at when the coordinator is gone."""
        with self._lock:
            self._names = dict(names)

    def remember(self, names: Mapping[str, str]) -> None:
        """As :meth:`learn`, from an earlier run of the bot: counts for as long as nothing newer is known."""
        with self._lock:
            self._names = self._names or dict(names)

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

    def _state(self) -> tuple[Login | None, int, Unavailable | None]:
        with self._lock:
            return self._login, self._attempts, self._failure

    def read(self, method: str, *arguments: Any) -> Any:
        """A call without effect: sent again when the session or the connection turns out to be gone.

        :raises Refusal, Unavailable: see there.
        """
        return self._read(method, arguments)[0]

    def read_numbered(self, fits: _Fits, method: str, *arguments: Any, large: bool = False) -> tuple[Any, int]:
        """As :meth:`read`, with the number of the login that the answer belongs to. By JSON-RPC where the host has it
        and its answer `fits`: at once if it will be `large`, else when what came by XML-RPC is none (xapi does not
        escape a map's keys). Integers that are no decimal text by XML-RPC (`<i4>`) are by JSON-RPC.
        """
        return self._read(method, arguments, fits if large else None, None if large else fits)

    def _read(
        self, method: str, arguments: tuple[Any, ...], fits: _Fits | None = None, spare: _Fits | None = None
    ) -> tuple[Any, int]:
        """`fits`: JSON-RPC may be tried; once, whatever comes of it but the end of the session. `spare`: so it may when
        what comes by XML-RPC cannot be read.
        """
        why: Broken | None = None
        for _ in range(_TRIES_OF_A_READ + (fits is not None or spare is not None)):
            login = self.login()
            if why is not None and timed_out(why) and same(why.address, login.endpoint.address):
                raise self._unavailable([self._line(why)], why.remedy)
            if not self._json.offered_by(login.endpoint):
                fits = None
            try:
                return self._read_once(login, method, arguments, fresh=why is not None, fits=fits), login.number
            except SessionGone:
                self._drop(login)
            except TooMuch as broken:
                raise self._too_much(broken) from broken
            except Broken as broken:
                if fits is not None:
                    fits = None
                    self._json.failed(login.endpoint, broken)
                    if isinstance(broken, Strange):
                        continue
                elif isinstance(broken, Strange) and spare is not None:
                    fits, spare = spare, None
                    continue
                # A connection may break by itself: one more try in the same session, before anybody is suspected.
                if why is not None or isinstance(broken, NotSent) or timed_out(broken):
                    self._drop(login, suspect=True)
                why = broken
            except Refusal as refusal:
                if fits is not None:
                    fits = None  # what is refused by XML-RPC too is refused
                    continue
                if failures.code_of(refusal.error) not in _NOT_THE_ONE_TO_ASK:
                    raise
                self._drop(login)
        raise self._unavailable([self._line(why)] if why else ["its coordinator keeps changing, or ends each session"])

    def _read_once(
        self, login: Login, method: str, arguments: tuple[Any, ...], *, fresh: bool, fits: _Fits | None
    ) -> Any:
        """A read, counted as the pool counts it: a host that does not speak JSON-RPC has taken nothing."""
        try:
            answer = self._call(login, method, arguments, fresh=fresh, fits=fits)
        except Strange:
            if fits is None:
                tally.count(method)
            raise
        except Exception:
            tally.count(method)
            raise
        tally.count(method)
        return answer

    def effect(self, method: str, *arguments: Any) -> Any:
        """A call with effect: sent once, on a connection of its own, and never again whatever happens.

        :raises Refusal: taken and refused.
        :raises Unavailable: nothing was taken.
        :raises OutcomeUnknown: it may have been taken.
        """
        login = self.login()
        # What a host refuses at the door of an Async call has not been taken; a call that waits for its end may see the
        # session die in the middle ("session, then types, then rights, then the call": xapi 26.9 as recorded).
        at_the_door = method.startswith("Async.")
        tally.count(method)
        try:
            return self._call(login, method, arguments, fresh=True)
        except SessionGone as error:
            self._drop(login)
            if at_the_door:
                raise self._unavailable(["the session had ended; nothing was started"]) from error
            raise self._unknown("the session ended before the answer came") from error
        except NotSent as broken:
            self._drop(login, suspect=True)
            raise self._unavailable([self._line(broken)], broken.remedy) from broken
        except Broken as broken:
            if timed_out(broken):
                self._drop(login, suspect=True)
            raise self._unknown(self._line(broken)) from broken
        except Refusal as refusal:
            if failures.code_of(refusal.error) in _NOT_THE_ONE_TO_ASK:
                self._drop(login)
            if at_the_door and failures.code_of(refusal.error) == "HOST_IS_SLAVE":
                raise self._unavailable(["the coordinator has changed; nothing was started"]) from refusal
            raise

    def download(self, path: str, *, whole_seconds: float) -> Iterator[bytes]:
        """A file that the coordinator serves, in pieces. Read something else first: that renews a session that has
        ended, which only shows as HTTP 401 here.

        :raises Unavailable: it is not served, or the connection broke on the way.
        """
        login = self.login()
        tally.count(f"GET {path}")
        silence = self._settings.answer_seconds
        try:
            line = self._exchange.line(login.endpoint, fresh=True)
            try:
                query = urlencode({"session_id": login.handle})
                yield from line.fetch(f"{path}?{query}", silence_seconds=silence, whole_seconds=whole_seconds)
            finally:
                line.close()
        except Broken as broken:
            raise self._unavailable([self._line(broken)], broken.remedy) from broken

    @property
    def exchange(self) -> Exchange:
        """The connections to the pool's hosts."""
        return self._exchange

    def facts(self) -> ConnectionFacts:
        """:raises Unavailable: not connected, and cannot connect."""
        login = self.login()
        return ConnectionFacts(
            address=login.endpoint.address,
            tls=login.proof.tls,
            trust=login.proof.trust,
            weaknesses=login.proof.weaknesses,
        )

    def permissions(self) -> frozenset[str] | None:
        """What the account may do, as XenAPI names it (`vm.start`); None: everything.

        :raises Refusal, Unavailable: as :meth:`read`.
        """
        handle = self.login().handle
        if self.read("session.get_is_local_superuser", handle):
            return None
        return frozenset(map(str, self.read("session.get_rbac_permissions", handle)))

    def close(self) -> None:
        """Log out, if the pool can be reached quickly, and close the connections."""
        with self._lock:
            self._closed = True
            login, self._login = self._login, None
        if login is not None:
            self._doorbell.close(Tried(endpoint=login.endpoint, handle=login.handle))
        self._exchange.close()

    # --- one call ---

    def _call(
        self,
        login: Login,
        method: str,
        arguments: tuple[Any, ...],
        *,
        fresh: bool,
        fits: _Fits | None = None,
    ) -> Any:
        began, outcome = self._clock.monotonic(), "lost"
        endpoint, silence = login.endpoint, self._settings.answer_seconds
        try:
            if fits is not None:
                answer = self._json.call(endpoint, login.handle, method, arguments, fresh=fresh, fits=fits)
            else:
                once = OnceTransport(self._exchange, endpoint, fresh=fresh, silence_seconds=silence)
                answer = transport.call(once, login.handle, method, arguments)
            outcome = "answered"
            return answer
        except XenAPI.Failure as failure:
            outcome = "refused"
            raise Refusal(failures.texts_of(failure.details)) from failure
        finally:
            self._counted(method, outcome, self._clock.monotonic() - began)

    def _drop(self, login: Login, *, suspect: bool = False) -> None:
        with self._lock:
            if self._login is login:
                self._login = None
                self._suspect = login.endpoint.address if suspect else ""

    # --- logging in; by one thread at a time ---

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
        known = [*self._settings.addresses, *([self._coordinator] if self._coordinator else []), *self._names]
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
            raise self._unavailable(
                self._answers(tried),
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
        raise self._unavailable(self._answers(tried), remedy or what_now(tried, self._settings))

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
            evidence=(self._answer(tried),),
        )

    def _wait_out_a_denial(self, password: str) -> None:
        remains = self._denied_until - self._clock.monotonic()
        if self._denied_password and password == self._denied_password and remains > 0:
            raise Unavailable(
                f"The {self._settings.called} has refused the bot's user name and password.",
                remedy="Correct the password in the bot's configuration. With the same one the bot tries again in"
                f" {duration(remains)}, so that the account is not locked.",
            )

    # --- words ---

    def _unavailable(self, answers: list[str], remedy: str = "", *, message: str = "") -> Unavailable:
        return Unavailable(
            message or f"The {self._settings.called} cannot be reached.", remedy=remedy, evidence=tuple(answers)
        )

    def _too_much(self, broken: TooMuch) -> Unavailable:
        return self._unavailable(
            [self._line(broken)],
            "Look for what is there in such numbers (snapshots, disks, tasks), and whether it is a pool that answers.",
            message=f"The {self._settings.called} answers with more than the bot reads.",
        )

    def _unknown(self, line: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"The {self._settings.called} may or may not have taken the call: {line}.",
            remedy="It is not sent again; the bot looks what became of it.",
        )

    def _line(self, broken: Broken) -> str:
        return f"{self._called(broken.address)} {broken.why}"

    def _answer(self, tried: Tried) -> str:
        return f"{self._called(tried.endpoint.address)} {tried.words}"

    def _answers(self, tried: list[Tried]) -> list[str]:
        return [self._answer(each) for each in tried]

    def _called(self, address: str) -> str:
        with self._lock:
            name = next((name for known, name in self._names.items() if same(known, address)), "")
        shown = one_line(address, LONGEST_ADDRESS)  # a member may name anything
        return f"{quoted(name)} ({shown})" if name and name != address else shown


def _again(error: Unavailable) -> Unavailable:
    return Unavailable(error.message, remedy=error.remedy, evidence=error.evidence, choices=error.choices)
