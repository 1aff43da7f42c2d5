"""The ledger's hash chain: what is hashed, with what, and how a chain is walked. Pure.

**Encoding.** A row's hash is over the ASCII JSON array `["xenia-ledger-1", seq, at, kind, actor_kind, actor_id,
actor_name, pool, request_id, body, mode, prev]`, no spaces, the columns exactly as stored (`body` is a text: canonical
JSON). `prev` is the hash of the row before, 64 zeros for row 1. `mode` says with what: `sha256`, which anybody can
compute, or `hmac-sha256/KEYID`, which needs the key; KEYID tells keys apart and reveals nothing of them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bot.errors import Unavailable

FORMAT = "xenia-ledger-1"
COLUMNS = (
    "seq",
    "at",
    "kind",
    "actor_kind",
    "actor_id",
    "actor_name",
    "pool",
    "request_id",
    "body",
    "mode",
    "prev",
)
"""What is hashed, in this order; `hash` is the one column besides."""

RETIRED = "ledger key retired"
"""The kind of the last row under a key; its body names the mode of the next."""

PLAIN = "sha256"
_KEYED = "hmac-sha256"
_SHORTEST_KEY = 16


class Head(NamedTuple):
    """A row's number and hash: who has noted one can tell later that all rows up to it are as they were. Half of the
    digits do as well (128 bits): so a card shows it.
    """

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    def is_of(self, digest: str) -> bool:
        """Is it the head of the row with this hash?"""
        return digest.startswith(self.hash)


GENESIS = Head(0, "0" * 64)


class Seal:
    """Computes rows' hashes, with a key or (None) without. Rows that were sealed with `former` keys can be checked;
    new ones are not sealed with them, but for the row that retires one.

    :raises Unavailable: a key is shorter than 16 bytes.
    """

    def __init__(self, key: bytes | None, former: Sequence[bytes] = ()) -> None:
        self.mode = PLAIN if key is None else _mode(key)
        self._keys = {_mode(each): each for each in (*former, *(() if key is None else (key,)))}

    @property
    def keyed(self) -> bool:
        return self.mode != PLAIN

    def knows(self, mode: str) -> bool:
        """Is it the mode of a key that this seal has, the present one or a former?"""
        return mode in self._keys

    def hash(self, row: Mapping[str, Any]) -> str:
        """The row's hash by its own mode. :raises ValueError: the mode is neither plain nor a known key's."""
        message = json.dumps([FORMAT, *(row[name] for name in COLUMNS)], separators=(",", ":")).encode()
        if row["mode"] == PLAIN:
            return hashlib.sha256(message).hexdigest()
        if (key := self._keys.get(str(row["mode"]))) is not None:
            return hmac.new(key, message, hashlib.sha256).hexdigest()
        raise ValueError("another seal")


def _mode(key: bytes) -> str:
    if len(key) < _SHORTEST_KEY:
        raise Unavailable(
            f"The ledger's key is too short: {len(key)} bytes.",
            remedy=f"Make one of at least {_SHORTEST_KEY} random bytes, e.g. with `openssl rand -hex 32`.",
        )
    return f"{_KEYED}/{hmac.new(key, b'xenia ledger key id', hashlib.sha256).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """The first thing that is wrong: the row it shows at (None: not at a row) and why, as a sentence."""

    row: int | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What walking the chain found."""

    rows: int
    """Rows whose hash was checked, up to the flaw."""
    head: Head
    """The last row that is right."""
    flaw: Flaw | None = None
    keyed_from: int | None = None
    """The first row sealed with the key. Rows before it are plain: who can write the file could have redone them."""
    vouched_to: int = 0
    """Up to this row everything is as it was when its head was noted elsewhere; 0 when no head was given."""
    vouched_at: str = ""
    """When that row was written."""
    base: Head = GENESIS
    """The row before the first that was checked; of it and those before only this hash is known."""
    unseen: tuple[int, ...] = ()
    """Rows whose heads were given and that stand before `base`: nothing can be said of them."""

    @property
    def ok(self) -> bool:
        return self.flaw is None


def walk(
    rows: Iterable[Mapping[str, Any]], seal: Seal, *, expected: Iterable[Head] = (), base: Head = GENESIS
) -> Verification:
    """Walk the rows that should follow `base`, and compare with heads noted earlier, up to the first flaw."""
    noted: dict[int, set[Head]] = {}
    for each in expected:
        noted.setdefault(each.seq, set()).add(each)
    head, count, keyed_from, vouched, vouched_at = base, 0, None, 0, ""
    before: Mapping[str, Any] | None = None

    def verdict(row: int | None = None, why: str = "") -> Verification:
        return Verification(
            rows=count,
            head=head,
            flaw=Flaw(row=row, why=why) if why else None,
            keyed_from=keyed_from,
            vouched_to=vouched,
            vouched_at=vouched_at,
            base=base,
            unseen=tuple(sorted(seq for seq in noted if seq < base.seq)),
        )

    if not all(each.is_of(base.hash) for each in noted.get(base.seq, ())):
        return verdict(
            base.seq, f"row {base.seq} is not the row whose head was noted: it or a row before it was redone"
        )
    for row in rows:
        seq = row["seq"]
        if seq != head.seq + 1:
            if not isinstance(seq, int) or seq <= head.seq:
                return verdict(None, f"row {seq} stands after row {head.seq}")
            gone = f"row {seq - 1} is" if seq == head.seq + 2 else f"rows {head.seq + 1} to {seq - 1} are"
            return verdict(seq, f"{gone} missing: row {seq} comes after row {head.seq}")
        why = (
            _wrong(row, seal, keyed_from is not None)
            or (f"row {seq} does not follow row {head.seq}" if row["prev"] != head.hash else "")
            or _other_key(row, before)
        )
        if why:
            return verdict(seq, why)
        if not all(each.is_of(row["hash"]) for each in noted.get(seq, ())):
            return verdict(seq, f"row {seq} is not the row whose head was noted: it or a row before it was redone")
        head, count, before = Head(seq, row["hash"]), count + 1, row
        if seq in noted:
            vouched, vouched_at = seq, row["at"]
        if keyed_from is None and row["mode"] != PLAIN:
            keyed_from = seq
    lost = max(noted, default=0)
    if lost > head.seq:
        gone = f"row {lost} is" if lost == head.seq + 1 else f"rows {head.seq + 1} to {lost} are"
        return verdict(lost, f"the ledger ends at row {head.seq}, but a head of row {lost} was noted: {gone} gone")
    if seal.keyed and count and keyed_from is None:
        return verdict(head.seq, f"row {head.seq} is not sealed with the key, nor is any before it")
    return verdict()


def _other_key(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """A key is only followed by the one that its last row names: a retired key, stolen later, seals nothing more."""
    if before is None or before["mode"] == row["mode"] or before["mode"] == PLAIN:
        return ""
    if before["kind"] == RETIRED and json.loads(before["body"]).get("next") == row["mode"]:
        return ""
    return f"row {row['seq']} is sealed with another key, and row {before['seq']} does not hand over to it"


def _wrong(row: Mapping[str, Any], seal: Seal, keyed: bool) -> str:
    """What is wrong with the row by itself; "" when nothing is."""
    seq, mode = row["seq"], row["mode"]
    if mode == PLAIN and keyed:
        return f"row {seq} is not sealed with the key, but rows before it are"
    try:
        right = seal.hash(row)
    except ValueError:
        if not str(mode).startswith(f"{_KEYED}/"):
            return f"row {seq} does not match its hash"
        return f"row {seq} is sealed with {'another' if seal.keyed else 'a'} key, so it cannot be checked"
    except TypeError:
        return f"row {seq} does not match its hash"
    return (
        ""
        if hmac.compare_digest(right, str(row["hash"]).encode("ascii", "replace").decode())
        else (f"row {seq} does not match its hash")
    )
