"""Calls to a pool in the bot's one session with it, which is renewed when it is gone and moves with the coordinator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import XenAPI

from bot import tally
from bot.ports import Clock, ConnectionFacts
from bot.xapi import failures, transport
from bot.xapi.addresses import same
from bot.xapi.broken import Broken, NotSent, Strange, TooMuch, timed_out
from bot.xapi.coordinator import Doorbell
from bot.xapi.entrance import Entrance, Login
from bot.xapi.jsonrpc import JsonRpc
from bot.xapi.settings import PoolSettings
from bot.xapi.transport import Exchange, OnceTransport, SessionGone
from bot.xapi.words import Words

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
        self._counted = counted or (lambda *_: None)
        self._clock = clock
        self._exchange = Exchange(settings)
        self._json = JsonRpc(self._exchange, clock)
        self._words = Words(settings.called)
        doorbell = Doorbell(settings, self._exchange)
        self._entrance = Entrance(settings, clock, doorbell, self._words, witness or (lambda *_: None))

    def learn(self, names: Mapping[str, str]) -> None:
        """The pool's hosts, address → name: more doors to knock at when the coordinator is gone."""
        self._words.learn(names)

    def remember(self, names: Mapping[str, str]) -> None:
        """As :meth:`learn`, from an earlier run of the bot: counts for as long as nothing newer is known."""
        self._words.remember(names)

    def login(self) -> Login:
        """The session, opened if there is none. :raises Unavailable: as :meth:`Entrance.login`."""
        return self._entrance.login()

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
                raise self._words.unavailable([self._words.line(why)], why.remedy)
            if not self._json.offered_by(login.endpoint):
                fits = None
            try:
                return self._read_once(login, method, arguments, fresh=why is not None, fits=fits), login.number
            except SessionGone:
                self._entrance.drop(login)
            except TooMuch as broken:
                raise self._words.too_much(broken) from broken
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
                    self._entrance.drop(login, suspect=True)
                why = broken
            except Refusal as refusal:
                if fits is not None:
                    fits = None  # what is refused by XML-RPC too is refused
                    continue
                if failures.code_of(refusal.error) not in _NOT_THE_ONE_TO_ASK:
                    raise
                self._entrance.drop(login)
        last = self._words.line(why) if why else "its coordinator keeps changing, or ends each session"
        raise self._words.unavailable([last])

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
            self._entrance.drop(login)
            if at_the_door:
                raise self._words.unavailable(["the session had ended; nothing was started"]) from error
            raise self._words.unknown("the session ended before the answer came") from error
        except NotSent as broken:
            self._entrance.drop(login, suspect=True)
            raise self._words.unavailable([self._words.line(broken)], broken.remedy) from broken
        except Broken as broken:
            if timed_out(broken):
                self._entrance.drop(login, suspect=True)
            raise self._words.unknown(self._words.line(broken)) from broken
        except Refusal as refusal:
            if failures.code_of(refusal.error) in _NOT_THE_ONE_TO_ASK:
                self._entrance.drop(login)
            if at_the_door and failures.code_of(refusal.error) == "HOST_IS_SLAVE":
                raise self._words.unavailable(["the coordinator has changed; nothing was started"]) from refusal
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
            raise self._words.unavailable([self._words.line(broken)], broken.remedy) from broken

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
        self._entrance.close()
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
