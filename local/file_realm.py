"""A user, its password and its role -> lines of Elasticsearch's file realm: `users`, `users_roles`, `roles.yml`."""

from __future__ import annotations

import base64
import hashlib
import os
import pwd
import re
import secrets
import shutil
from pathlib import Path

from local.process import Owner


def server_owner() -> Owner | None:
    """Who the server runs as: it refuses to be root, so then it is `nobody`."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Owner(nobody.pw_uid, nobody.pw_gid)


def password_hash(password: str) -> str:
    """A password as the file realm's `users` file keeps it, in Elasticsearch's PBKDF2 form."""
    salt, rounds = secrets.token_bytes(32), 10_000
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, dklen=32)
    return f"{{PBKDF2}}{rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def put_line(file: Path, line: str, replaced: str) -> None:
    """Put `line` in place of the lines that look like `replaced`; the file is swapped, never seen half-written."""
    old = file.read_text().splitlines()
    new = [*(other for other in old if not re.fullmatch(replaced, other)), line]
    beside = file.with_name(f".{file.name}.new")
    beside.write_text("\n".join(new) + "\n")
    shutil.copymode(file, beside)
    owner = server_owner()
    if owner:
        os.chown(beside, owner.user, owner.group)
    beside.replace(file)
