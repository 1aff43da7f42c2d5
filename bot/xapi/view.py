"""What may be read of a pool."""

from __future__ import annotations

from typing import Any

from bot.errors import ToolstackRefusal
from bot.inventory import Inventory
from bot.model import Argument
from bot.ports import Account, ConnectionFacts, HostAnswer, KnownHost, KnownPool, PoolView
from bot.xapi import failures
from bot.xapi.arguments import Arguments
from bot.xapi.identity import Identity
from bot.xapi.reader import Reader
from bot.xapi.readonly import is_read_only
from bot.xapi.rollcall import RollCall
from bot.xapi.session import PoolSession, Refusal


class XapiView(PoolView):
    """:class:`bot.ports.PoolView` over one session."""

    def __init__(
        self, name: str, session: PoolSession, reader: Reader, account: Account, identity: Identity, calls: RollCall
    ) -> None:
        self._account = account
        self._identity = identity
        self._calls = calls
        self._name = name
        self._session = session
        self._reader = reader

    @property
    def name(self) -> str:
        return self._name

    @property
    def account(self) -> Account:
        return self._account

    def inventory(self) -> Inventory:
        return self._reader.read(patient=False)

    def latest(self) -> Inventory | None:
        return self._reader.latest()

    def known(self) -> KnownPool | None:
        return self._identity.known()

    def roll_call(self) -> tuple[HostAnswer, ...]:
        known = self.known()
        return self._calls.all(known.hosts if known else ())

    def nobody_leads(self) -> bool:
        known = self.known()
        return self._calls.nobody_leads(known.hosts if known else ())

    def answer_of(self, host: KnownHost) -> HostAnswer:
        return self._calls.one(host)

    def lacking(self, host: KnownHost) -> tuple[str, ...]:
        return self._calls.lacking(host)

    def ask(self, call: str, *arguments: Argument) -> Any:
        if not is_read_only(call):
            raise ValueError(f"{call} is not known to be read-only")
        # References stay what they are while an object lives, so the last inventory will do; an object that is gone
        # is refused by the pool itself.
        inventory = self._reader.latest() or self._reader.read()
        try:
            wire = [Arguments(self._session, inventory).wire(argument) for argument in arguments]
        except ToolstackRefusal:
            inventory = self._reader.read()
            wire = [Arguments(self._session, inventory).wire(argument) for argument in arguments]
        try:
            return self._session.read(call, *wire)
        except Refusal as refusal:
            raise failures.refusal(refusal.error, inventory) from refusal

    def connection(self) -> ConnectionFacts:
        return self._session.facts()
