"""Uploaded files: an upload URL, the bytes, and then a message that shows them (Slack docs: files, "Uploading")."""

import mimetypes
import secrets
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


@dataclass
class File:
    id: str
    name: str
    length: int
    title: str
    secret: str
    created: int
    alt_txt: str = ""
    content: bytes | None = None
    complete: bool = False
    channels: list[str] = field(default_factory=list)

    @property
    def mimetype(self) -> str:
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    def api(self, base: str, user: str) -> JSON:
        answer: JSON = {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title,
            "mimetype": self.mimetype,
            "filetype": self.name.rpartition(".")[2].lower() if "." in self.name else "text",
            "user": user,
            "mode": "hosted",
            "size": self.length,
            "is_external": False,
            "url_private": f"{base}/files-pri/{self.id}/{self.name}",
            "permalink": f"{base}/files/{user}/{self.id}/{self.name}",
            "channels": list(self.channels),
        }
        return answer | ({"alt_txt": self.alt_txt} if self.alt_txt else {})


class Files:
    def __init__(self) -> None:
        self._files: dict[str, File] = {}

    def reserve(self, name: str, length: int, alt_txt: str, now: float) -> File:
        one = File(
            "F0" + secrets.token_hex(5).upper(),
            name,
            length,
            name,
            secrets.token_urlsafe(24),
            int(now),
            alt_txt=alt_txt,
        )
        self._files[one.id] = one
        return one

    def find(self, file_id: str) -> File | None:
        return self._files.get(file_id)

    def by_secret(self, secret: str) -> File | None:
        return next((one for one in self._files.values() if one.secret == secret), None)
