"""Calls to one host itself, whoever its coordinator is: in a session of that host alone, which it also gives out in
emergency mode (`session.slave_local_login_with_password`). In that mode a host answers hardly anything; who it is, is
known by its address and its certificate.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import XenAPI

from bot import tally
from bot.errors import OutcomeUnknown, Unavailable, UserError
from bot.model import Expect, MemberTarget, Secret, Step, Target, Value
from bot.ports import HostAnswer, PoolHands, Sighting, Standpoint, Taken, TaskView
from bot.rules import conditions
from bot.text import quoted
from bot.xapi import failures, tasks, transport
from bot.xapi.addresses import endpoint_of, same
from bot.xapi.arguments import wire_value
from bot.xapi.broken import Broken, NotSent
from bot.xapi.settings import PoolSettings
from bot.xapi.transport import Exchange, OnceTransport, SessionGone

_log = logging.getLogger(__name__)


class Member:
    """One host of a pool by its address; `name` is what people call it."""

    def __init__(self, settings: PoolSettings, exchange: Exchange, address: str, name: str) -> None:
        self._settings = settings
        self._exchange = exchange
        self._endpoint = endpoint_of(address, settings.address_map, plain_http=settings.plain_http)
        self._called = f"{quoted(name)} ({address})" if name and name != address else address

    def read(self, method: str, *arguments: Any) -> Any:
        """A call without effect. :raises Unavailable: no answer. :raises ToolstackRefusal: it refuses."""
        with self._session() as handle:
            try:
                return self._call(handle, method, arguments)
            except (Broken, SessionGone) as error:
                raise self._unavailable(error) from error
            except XenAPI.Failure as failure:
                raise failures.refusal(failures.texts_of(failure.details), None) from failure

    def effect(self, method: str, *arguments: Any) -> Any:
        """A call with effect, sent once.

        :raises Unavailable: nothing was sent. :raises ToolstackRefusal: taken and refused.
        :raises OutcomeUnknown: it may have been taken.
        """
        with self._session() as handle:
            try:
                return self._call(handle, method, arguments)
            except NotSent as error:
                raise self._unavailable(error) from error
            except (Broken, SessionGone) as error:
                raise OutcomeUnknown(
                    f"{self._called} may or may not have taken the call: {self._why(error)}.",
                    remedy="It is not sent again; the bot looks what became of it.",
                ) from error
            except XenAPI.Failure as failure:
                raise failures.refusal(failures.texts_of(failure.details), None) from failure

    @contextmanager
    def _session(self) -> Iterator[str]:
        try:
            handle = transport.local_login(self._once(), self._settings.username, self._settings.password())
        except (Broken, SessionGone) as error:
            raise self._unavailable(error) from error
        except XenAPI.Failure as failure:
            text, remedy = failures.explain(failures.texts_of(failure.details), None)
            raise Unavailable(f"{self._called} gives out no session: {text}", remedy=remedy) from failure
        try:
            yield handle
        finally:
            with suppress(Broken, SessionGone, XenAPI.Failure):
                transport.local_logout(self._once(), handle)

    def _call(self, handle: str, method: str, arguments: tuple[Any, ...]) -> Any:
        tally.count(method)
        return transport.call(self._once(), handle, method, arguments)

    def _once(self) -> OnceTransport:
        return OnceTransport(self._exchange, self._endpoint, fresh=True, silence_seconds=self._settings.probe_seconds)

    def _unavailable(self, error: Exception) -> Unavailable:
        remedy = error.remedy if isinstance(error, Broken) else ""
        return Unavailable(f"{self._called} {self._why(error)}.", remedy=remedy)

    def _why(self, error: Exception) -> str:
        return error.why if isinstance(error, Broken) else "ended the session"


class MemberHands(PoolHands):
    """:class:`bot.ports.PoolHands` over a member itself. It has no tasks; what a call did shows elsewhere."""

    def __init__(
        self,
        member: Member,
        asked: Callable[[], HostAnswer],
        secret: Callable[[str], str] | None,
        elsewhere: Callable[[Target], PoolHands],
    ) -> None:
        self._asked = asked
        self._member = member
        self._secret = secret
        self._elsewhere = elsewhere

    def mark(self, step: Step) -> str:
        """:raises Unavailable: the host does not answer."""
        self._member.read("host.is_in_emergency_mode")
        return json.dumps({"held": self._held(step)})

    def send(self, step: Step, results: Mapping[int, str]) -> str:
        del results  # nothing but literals goes to a host without a database
        if step.asynchronous or not isinstance(step.target, MemberTarget):
            raise ValueError(f"{step.call} cannot be sent to a member itself")
        return tasks.value_text(self._member.effect(step.call, *map(self._wire, step.arguments)))

    def look(self, step: Step, mark: str, *, ended: str = "") -> Sighting:  # noqa: ARG002 - it has no tasks
        told = "a call to one host leaves no task to look for"
        if step.expect and not json.loads(mark)["held"]:
            checked = [self.holds(expect, {}) for expect in step.expect]
            if all(is_so for is_so, _ in checked):
                return Sighting(taken=Taken.DONE, evidence=f"its effect is there: {'; '.join(w for _, w in checked)}")
            told = "; ".join(words for is_so, words in checked if not is_so)
        return Sighting(taken=Taken.UNKNOWN, evidence=f"It cannot be told: {told}.")

    def task(self, task_uuid: str) -> TaskView | None:  # noqa: ARG002 - the protocol has it
        return None

    def explain(self, error: Sequence[str]) -> tuple[str, str]:
        return failures.explain(error, None)

    def holds(self, expect: Expect, results: Mapping[int, str]) -> tuple[bool, str]:
        if expect.at is None:
            return self._mute() if expect.rule == conditions.MUTE else self._follows(expect)
        return self._elsewhere(expect.at).holds(replace(expect, at=None), results)

    def _follows(self, expect: Expect) -> tuple[bool, str]:
        """:raises ValueError: something else is expected, which needs a database: the plan must say where."""
        if expect.rule != conditions.FOLLOWS or not isinstance(expect.equals, Value):
            raise ValueError("a member itself has no database to look into: say where")
        answer = self._asked()
        so = answer.standpoint is Standpoint.MEMBER and same(answer.coordinator, str(expect.equals.value))
        return so, f"{quoted(answer.called)} {answer.words}"

    def _mute(self) -> tuple[bool, str]:
        answer = self._asked()
        return answer.standpoint is Standpoint.SILENT, f"{quoted(answer.called)} {answer.words}"

    def cancel(self, task_uuid: str) -> None:  # noqa: ARG002 - the protocol has it
        raise failures.refusal(("HANDLE_INVALID", "task"), None)

    def forget(self, task_uuid: str) -> None:
        pass

    def _held(self, step: Step) -> bool:
        """Was everything so before? What cannot be asked (its coordinator is dead) was not."""
        try:
            return bool(step.expect) and all(self.holds(expect, {})[0] for expect in step.expect)
        except UserError:
            return False

    def _wire(self, argument: object) -> Any:
        match argument:
            case Value(value):
                return wire_value(value)
            case Secret(name) if self._secret is not None:
                return wire_value(self._secret(name))
        raise ValueError("a member itself takes literals and secrets only: it may have no database")
