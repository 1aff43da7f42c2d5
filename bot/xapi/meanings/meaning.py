"""The form of an entry, and what an argument is called when its object is not known."""

from __future__ import annotations

from dataclasses import dataclass

BYTES = "bytes"

#: The remedy for what no choice of a person can bring about.
BUG = "This should not happen: it is a mistake of the bot. Please report it with the request's number."

#: Argument name → what the object is called when it has no name to show. `bytes` marks amounts of memory or storage;
#: an argument that is not here is free text. The plural (`vms`) stands for all arguments that remain.
NOUNS = {
    "vm": "the VM",
    "host": "the host",
    "source": "the host it runs on",
    "destination": "the other host",
    "sr": "the storage",
    "vdi": "the disk",
    "vbd": "the drive",
    "vif": "the virtual NIC",
    "pif": "the NIC",
    "pbd": "the storage connection",
    "network": "the network",
    "object": "the object",
    "task": "the task",
    "needed": BYTES,
    "available": BYTES,
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """`{argument}` in the texts is replaced by the argument's name, amount or text."""

    arguments: tuple[str, ...]
    text: str
    remedy: str = ""
    see: str = ""
    """A command of the bot that shows more; left out when an object in it is not known."""
    do: str = ""
    """A command of the bot that mends it; left out likewise."""
    xe: str = ""
    """A command line of the toolstack's own `xe`, without the word xe; `{vm}` is a uuid. Left out likewise."""
    only_with: int | None = None
    """This meaning applies only with so many arguments."""


def entry(
    arguments: str,
    text: str,
    remedy: str = "",
    *,
    see: str = "",
    do: str = "",
    xe: str = "",
    only_with: int | None = None,
) -> tuple[Meaning, ...]:
    """A table's value: one meaning. `arguments` are names with spaces between."""
    return (Meaning(tuple(arguments.split()), text, remedy, see, do, xe, only_with),)
