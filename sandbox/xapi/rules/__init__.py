"""The toolstack's own checks, as functions over a pool's database. An error is XenAPI's array, None means yes."""

Error = list[str]
