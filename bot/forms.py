"""Forms for commands whose arguments are missing, made from the same declaration as the parser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.answers import Form, FormField
from bot.errors import Choice, Refused
from bot.grammar import Parsed
from bot.inventory import SR, VDI, VM, Entity
from bot.lookup import candidates
from bot.model import Actor, Place
from bot.ports import Pools
from bot.registry import CANDIDATE, DESTINATION, OBJECTS, POOL, Command
from bot.scope import Scopes
from bot.text import joined, one_line
from bot.usage import EMERGENCY_SLOT, Slot

_LABELS = {
    "VM": "VM",
    "HOST": "Host",
    "SR": "Storage repository",
    "DISK": "Disk",
    "POOL": "Pool",
    "COMMAND": "Command",
    "TEXT": "Text",
    "WHEN": "When",
    "WHY": "Why it cannot wait",
    "CANDIDATE": "Host that is in no pool yet",
    "SURVIVOR": "Host that is to lead",
    "DESTINATION": "Another pool",
    "MEMBER": "Host",
    "NETWORK": "Network",
}
_HINTS = {
    "at WHEN": "22:00, tomorrow 06:30 or 2026-03-01 22:00 Europe/Amsterdam. Empty: as soon as it is approved.",
    "WHEN": 'daily 07:00, weekdays 07:00, every 15 minutes, or cron "0 7 * * 1-5"; a time zone can follow.',
    "until DATE": "2027-01-31, 2027-01-31 18:00, 3 days or 2 weeks.",
    "FINDING": "Its number, as F-12.",
    "REQUEST": "Its number, as X-7.",
    "SCHEDULE": "Its number, as S-1.",
    "servers SERVERS": "Addresses or names, with spaces between them.",
    "order ORDER": "VMs with a lower order start first.",
    "delay SECONDS": "What passes after its start before the next order begins.",
    "to SNAPSHOT": "Its name or uuid, as “vm snapshots VM” shows it.",
    "DISK": "Its name, its place in the VM (web-1/0) or its uuid.",
}
"""How an argument is written, by its keyword and placeholder."""


@dataclass(frozen=True, slots=True)
class Forms:
    """Makes forms, knows what can be picked, and spells the command that a filled form means."""

    pools: Pools
    scopes: Scopes

    def of(self, command: Command, parsed: Parsed) -> Form:
        """The form with what was typed already in it. Reads nothing."""
        wanted = (slot for slot in command.slots if slot != EMERGENCY_SLOT or slot.field in parsed.values)
        fields = tuple(self._field(slot, parsed) for slot in wanted)
        return Form(command=command.name, title=command.name, summary=command.summary, fields=fields)

    def _field(self, slot: Slot, parsed: Parsed) -> FormField:
        label = joined(slot.choices, last="or") or _LABELS.get(slot.placeholder, slot.field.capitalize())
        if slot.within:
            label += " there"
        word = parsed.values.get(slot.field)
        return FormField(
            name=slot.field,
            label=f"{label} ({slot.keyword} …)"
            if slot.keyword and slot.placeholder and slot.placeholder != POOL
            else label,
            object_class="pool"
            if slot.placeholder == POOL
            else OBJECTS[slot.placeholder].cls
            if slot.placeholder in OBJECTS
            else slot.field
            if slot.choices or slot.placeholder in (CANDIDATE, DESTINATION)
            else "",
            required=slot.required,
            flag=slot.flag,
            value=word.text if word else "",
            hint=_HINTS.get(f"{slot.keyword} {slot.placeholder}".strip(), ""),
        )

    def filled(self, form: Form, place: Place, actor: Actor) -> Form:
        """With the pool that is meant here; it must be picked when there are several and none is."""
        visible = self.scopes.visible(place, self.pools.names())
        default = self.scopes.default(place, actor, visible)
        fields = tuple(
            replace(field, value=field.value or default or "", required=default is None)
            if field.object_class == "pool"
            else field
            for field in form.fields
        )
        return replace(form, fields=fields)

    def options(
        self, command: Command, field: str, typed: str, values: Mapping[str, str], place: Place, actor: Actor
    ) -> tuple[Choice, ...]:
        """Up to 100 choices whose label holds what was typed; a choice's command is the value (a uuid, a pool's name).

        :raises UserError: the pool cannot be read, or cannot be named here.
        """
        names = self.pools.names()
        visible = self.scopes.visible(place, names)
        slot = next(each for each in command.slots if each.field == field)
        if slot.placeholder in (POOL, DESTINATION):
            return _matching([(name, name) for name in visible], typed)
        if slot.placeholder == CANDIDATE:
            return _matching([(name, name) for name in self.pools.candidates()], typed)
        if slot.choices:
            return _matching([(word, word) for word in slot.choices], typed)
        kind = OBJECTS.get(slot.placeholder)
        pool = values.get("pool") or self.scopes.default(place, actor, visible) or ""
        if command.far(slot):
            pool = values.get(DESTINATION.lower()) or pool
        if kind is None or not pool:
            return ()
        pool = self.scopes.named(pool, place, names, "", "")
        inventory = self.pools.view(pool).inventory()
        everything = candidates(inventory, kind)
        by_name = Counter(each.name for each in everything)
        return _matching([(_label(each, by_name[each.name] > 1), each.uuid) for each in everything], typed)

    def text(self, command: Command, values: Mapping[str, str]) -> str:
        """The command line that a filled form stands for; every value but one of the command's
        own words is quoted, so that none is taken for a keyword.

        :raises Refused: something was picked that belongs to something else, which was not.
        """
        parts = [command.name]
        for slot in command.slots:
            value = values.get(slot.field, "")
            if not value:
                continue
            if slot.within and not values.get(slot.within):
                outer = next(each for each in command.slots if each.field == slot.within)
                raise Refused(
                    f"“{slot.keyword} …” belongs to “{outer.keyword} …”, where nothing was picked.",
                    remedy=f"Pick something for “{outer.keyword} …”, or leave “{slot.keyword} …” empty.",
                )
            if slot.keyword:
                parts.append(slot.keyword)
            if slot.choices:
                parts.append(value)
            elif not slot.flag:
                escaped = value.replace("\\", "\\\\").replace('"', '\\"')
                parts.append(f'"{escaped}"')
        return " ".join(parts)


def _label(entity: Entity, namesake: bool) -> str:
    name = one_line(entity.name, 60)
    if isinstance(entity, SR) and not entity.shared:
        home = next((pbd.host for pbd in entity.pbds if pbd.host), None)
        name += f" – of {one_line(home.name, 30)}" if home else ""
    if isinstance(entity, VDI):
        vm = next((vbd.vm for vbd in entity.vbds if vbd.vm), None)
        name += f" – {one_line(vm.name, 30) if vm else 'of no VM'}"
    if isinstance(entity, VM):
        host = entity.resident_on
        name += f" – on {one_line(host.name, 30)}" if host else f" – {entity.power_state.lower()}"
    return f"{name} ({entity.uuid[:8]})" if namesake else name


def _matching(choices: list[tuple[str, str]], typed: str) -> tuple[Choice, ...]:
    wanted = typed.casefold().strip()
    begins = [choice for choice in choices if choice[0].casefold().startswith(wanted)]
    holds = [choice for choice in choices if wanted in choice[0].casefold() and choice not in begins]
    return tuple(Choice(label, value) for label, value in [*begins, *holds][:100])
