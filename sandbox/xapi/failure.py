"""XenAPI's way to say no."""


class Failure(Exception):
    """A call failed; `description` is XenAPI's error array: the code, then its arguments, all strings."""

    def __init__(self, code: str, *args: object) -> None:
        self.description: list[str] = [code, *(str(a) for a in args)]
        super().__init__(*self.description)

    @property
    def code(self) -> str:
        return self.description[0]


class HostDown(ConnectionError):
    """The host that was called is off: what a client sees is a refused connection, not a XenAPI failure."""


def internal_error(text: str) -> Failure:
    return Failure("INTERNAL_ERROR", text)


def ocaml_failure(text: str) -> Failure:
    """What xapi answers when its own code ran into `failwith text`: the exception as OCaml prints it."""
    escaped = "".join(_ocaml_escape(c) for c in text)
    return internal_error(f'Failure("{escaped}")')


def _ocaml_escape(char: str) -> str:
    known = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b"}
    if char in known:
        return known[char]
    if " " <= char <= "~":
        return char
    return "".join(f"\\{byte:03d}" for byte in char.encode())
