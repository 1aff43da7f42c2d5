"""JSON-RPC as xapi reads and writes it (rpclib's `Jsonrpc`; the answers as recorded from xapi 26.9).

The request's `"jsonrpc": "2.0"` picks the second version, its absence the first. There are no notifications and no
batches: without an id, HTTP 500. A release that only knows the first version ignores the member, wants a number as id,
and answers 0 as id whatever it was (rpclib 1.4).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sandbox.xapi.wire import Call, JsonRpc, Malformed, Outcome

ERROR_CODE = 1


@dataclass(frozen=True)
class Envelope:
    """What the answer has to repeat: the version and the id of the request."""

    version_2: bool
    id: int | str


def read_call(body: bytes, json_rpc: JsonRpc) -> tuple[Envelope, Call]:
    """Raises Malformed. Named parameters arrive as one struct, which no call takes (as xapi has it)."""
    request = _object(body)
    method = request.get("method")
    if not isinstance(method, str):
        raise Malformed("Invalid field 'method' in request body")
    version_2 = json_rpc is JsonRpc.V1_AND_V2 and "jsonrpc" in request
    if version_2 and request["jsonrpc"] != "2.0":
        raise Malformed("Invalid field 'jsonrpc' in request body")
    params = request.get("params")
    if version_2 and params is None:
        params = []
    elif version_2 and isinstance(params, dict):
        params = [params]
    if not isinstance(params, list):
        raise Malformed("Invalid field 'params' in request body")
    number = request.get("id")
    first_only = json_rpc is JsonRpc.V1_ONLY
    if isinstance(number, bool) or not isinstance(number, int if first_only else int | str):
        raise Malformed("Invalid field 'id' in request body")
    if first_only:
        number = 0
    return Envelope(version_2, number), Call(method, params)


def write_answer(envelope: Envelope, outcome: Outcome) -> bytes:
    """Version 1 always has result and error, version 2 one of them; the error's code is always 1."""
    value = "" if outcome.value is None and outcome.failure is None else outcome.value
    failure: Any = outcome.failure
    answer: dict[str, Any]
    if not envelope.version_2:
        answer = {"result": value, "error": failure, "id": envelope.id}
    elif failure is None:
        answer = {"jsonrpc": "2.0", "result": value, "id": envelope.id}
    else:
        error = {"code": ERROR_CODE, "message": failure[0], "data": failure[1:]}
        answer = {"jsonrpc": "2.0", "error": error, "id": envelope.id}
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def _object(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body.decode(), object_pairs_hook=_first_of_each, parse_int=_int64)
        if b"\\u" in body:
            json.dumps(request, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from error
    if not isinstance(request, dict):
        raise Malformed("Invalid request body")
    return request


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, value in pairs:
        record.setdefault(name, value)
    return record


def _int64(text: str) -> int:
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError("Int64.of_string")
    return number
