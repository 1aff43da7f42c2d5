"""Decoded wire values → typed values, with xapi's own words for what does not fit (xapi 26.9 as recorded).

A value of the wrong type is INTERNAL_ERROR with the text of an OCaml exception, as is an unknown enum value.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.xapi.failure import internal_error, ocaml_failure
from sandbox.xapi.model import Class, Model, Type
from sandbox.xapi.values import NULL, Time

_INT64 = 1 << 63


def show(value: Any) -> str:
    """A wire value as xapi's RPC library prints it: S(text), I(5), B(true), F(2.5), [..;..], {k:v;..}."""
    if isinstance(value, bool):
        return f"B({str(value).lower()})"
    if isinstance(value, int):
        return f"I({value})"
    if isinstance(value, float):
        return f"F({value:g})"
    if isinstance(value, Time):
        return f"D({value})"
    if isinstance(value, str):
        return f"S({value})"
    if isinstance(value, Mapping):
        return "{" + ";".join(f"{k}:{show(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ";".join(show(v) for v in value) + "]"
    return "N"


def read(type_: Type, value: Any, model: Model) -> Any:
    """`value` as `type_`. Raises Failure INTERNAL_ERROR as xapi does."""
    scalar = _SCALARS.get(type_.kind)
    return scalar(value) if scalar else _READERS[type_.kind](type_, value, model)


def _string(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    raise ocaml_failure(f"Expected string, got '{show(value)}'")


def _ref(value: Any) -> str:
    return _string(value) or NULL


def ocaml_int64(text: str) -> int:
    """OCaml's `Int64.of_string`: decimal with sign, 0x/0o/0b/0u prefixes, underscores; no white space."""
    body = text[1:] if text[:1] in ("-", "+") else text
    sign = -1 if text[:1] == "-" else 1
    digits = body.replace("_", "")
    try:
        if not body[:1].isdigit() or not body.isascii() or body != body.strip():
            raise ValueError
        if body[:2].lower() in ("0x", "0o", "0b"):
            number = int(digits, 0)
            if number >= 2 * _INT64:
                raise ValueError
            number = number - 2 * _INT64 if number >= _INT64 else number
            return sign * number
        number = sign * int(digits.removeprefix("0u"), 10)
    except ValueError:
        raise ocaml_failure("Int64.of_string") from None
    if not -_INT64 <= number < _INT64:
        raise ocaml_failure("Int64.of_string")
    return number


def _int(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return ocaml_int64(value)
    raise ocaml_failure(f"Expected int64, got '{show(value)}'")


def _float(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise ocaml_failure("float_of_string") from None
    raise ocaml_failure(f"Expected float, got '{show(value)}'")


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ocaml_failure(f"Expected bool, got '{show(value)}'")


def _datetime(value: Any) -> Time:
    if not isinstance(value, str):
        raise ocaml_failure("Date.t_of_rpc")
    try:
        return Time.parse(value)
    except ValueError:
        raise internal_error(f"Invalid argument: Clock__Date.of_iso8601: {value}") from None


def _enum(type_: Type, value: Any, model: Model) -> str:
    if isinstance(value, str) and type_.name == "cls":  # message.create takes the class in any case
        value = next((c for c in model.enums["cls"] if c.lower() == value.lower()), value)
    if isinstance(value, str) and value in model.enums[type_.name]:
        return str(value)
    raise ocaml_failure("Unmarshalling error in bond-mode" if type_.name == "bond_mode" else "Unknown tag/contents")


def _set(type_: Type, value: Any, model: Model) -> list[Any]:
    if isinstance(value, list | tuple):
        return [read(type_.of[0], v, model) for v in value]
    raise ocaml_failure(f"Expecting Rpc.Enum, but found '{show(value)}'")


def _map(type_: Type, value: Any, model: Model) -> dict[str, Any]:
    key, member = type_.of
    if not isinstance(value, Mapping):
        # Maps whose key is neither a string nor a reference have a hand-written reader in xapi.
        text = f"Expecting Rpc.Dict, but found '{show(value)}'"
        raise ocaml_failure(text if key.kind in ("string", "ref") else "Unmarshalling error")
    return {str(read(key, k, model)): read(member, v, model) for k, v in value.items()}


def _record(type_: Type, value: Any, model: Model) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ocaml_failure("bad __structure")
    return constructor_record(model.classes[type_.name], value, model)


def constructor_record(cls: Class, given: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """The argument of `X.create`: each field of the constructor in its order, defaults for what may be left out.

    The first required field that is missing is INTERNAL_ERROR Dispatcher_FieldNotFound; others are ignored.
    """
    out: dict[str, Any] = {}
    for name, required in cls.create.items():
        field = cls.fields[name]
        if name in given:
            out[name] = read(field.type, given[name], model)
        elif required:
            raise internal_error(f'Server_helpers.Dispatcher_FieldNotFound("{name}")')
        else:
            out[name] = field.default
    return out


def _option(type_: Type, value: Any, model: Model) -> Any:
    return None if value in (None, "") else read(type_.of[0], value, model)


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "ref": _ref,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "datetime": _datetime,
}
_READERS: dict[str, Callable[[Type, Any, Model], Any]] = {
    "enum": _enum,
    "set": _set,
    "map": _map,
    "record": _record,
    "option": _option,
}
