"""The unpacked distribution -> real Elasticsearch servers on 127.0.0.1 with security on, each in a private folder.

Several can run at once: configuration, data, logs and temporary files are in a folder per server, and the distribution is
only read. Users and roles are those of Elasticsearch's file realm, so privileges are really enforced.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from elasticsearch import Elasticsearch

from local.file_realm import password_hash, put_line, server_owner
from local.process import Server, free_port, start, temporary_folder
from local.setup import ELASTICSEARCH, Missing, available, java_home
from local.templates import adapt_template

__all__ = ["ADMIN", "SHIPPER_ROLE", "LocalElasticsearch", "User", "adapt_template", "elasticsearch"]

ADMIN = "admin"
START_SECONDS = 120.0
USER_SECONDS = 90.0
NUDGE_SECONDS = 5.0  # after which the files are touched again, should the server have missed a change
RELOAD = "250ms"  # how often the server looks at the users and roles files (5 s if not set)

# What may ship and nothing more: make our data streams, add documents to them, and renew entries of latest views.
SHIPPER_ROLE: dict[str, Any] = {
    "indices": [
        {
            "names": [
                "logs-m365_defender.*-*",
                "logs-microsoft_defender_cloud.*-*",
                "logs-defender_to_elasticsearch.*-*",
            ],
            "privileges": ["auto_configure", "create_doc"],
        },
        {
            "names": ["m365_defender.*_latest-*", "security_solution-*_latest-v1"],
            "privileges": ["auto_configure", "create_index", "index"],
        },
    ]
}


@dataclass(frozen=True, slots=True)
class User:
    """A user of the file realm and its password."""

    name: str
    password: str


@dataclass(slots=True)
class LocalElasticsearch:
    """One server: its address, its administrator, its folder, and the process if it was started here."""

    port: int
    admin: User
    home: Path
    server: Server | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of its HTTP interface."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, user: User | None = None, **options: Any) -> Elasticsearch:
        """The real client, as the administrator or as `user`; whoever asks closes it."""
        who = user or self.admin
        return Elasticsearch(self.url, basic_auth=(who.name, who.password), **options)

    def app_settings(self, user: User | None = None) -> dict[str, str]:
        """The app settings that make the app ship to this server as `user`."""
        who = user or self.admin
        return {
            "ELASTICSEARCH_URL": self.url,
            "ELASTICSEARCH_USERNAME": who.name,
            "ELASTICSEARCH_PASSWORD": who.password,
        }

    def start(self) -> None:
        """Start it (again) on the same data and port, and wait until it answers."""
        if self.server is not None and self.server.running():
            return
        command, log = [_distribution(self.home) / "bin" / "elasticsearch"], self.home / "output.log"
        self.server = start("Elasticsearch", command, log=log, environment=self.environment, owner=server_owner())
        self.server.wait_until(self._answers, START_SECONDS)

    def stop(self) -> None:
        """Stop it in order; the data stay."""
        self._own().stop(seconds=30)

    def kill(self) -> None:
        """Kill it, as a crash would; the data stay."""
        self._own().kill()

    def add_user(
        self,
        name: str,
        password: str | None = None,
        role: Mapping[str, Any] | None = None,
    ) -> User:
        """Add or change a user with a role of its own, and wait until the server knows both.

        role: as in Elasticsearch's role API (`cluster`, `indices`: names and privileges); default `SHIPPER_ROLE`. The
        same call gives the same user, in any process that shares the server; another role or password changes the user.
        """
        role = dict(SHIPPER_ROLE if role is None else role)
        mark = hmac.new(self.admin.password.encode(), f"{name} {json.dumps(role)}".encode(), "sha256").hexdigest()
        user = User(name, password or mark[:20])
        role_name = (
            f"{name}-{mark[20:30]}"  # a name per content: its being there shows which content the server has read
        )
        config = self.home / "config"
        with (config / ".lock").open("w") as lock:  # several test processes may add users to one server
            fcntl.flock(lock, fcntl.LOCK_EX)
            put_line(config / "roles.yml", f"{role_name}: {json.dumps(role)}", rf"{re.escape(name)}-[0-9a-f]{{10}}: .*")
            put_line(config / "users_roles", f"{role_name}:{name}", rf"[^:]*:{re.escape(name)}")
            put_line(config / "users", f"{name}:{password_hash(user.password)}", rf"{re.escape(name)}:.*")
        self._wait_for(user, role_name, role)
        return user

    def _wait_for(self, user: User, role_name: str, role: Mapping[str, Any]) -> None:
        """Return when `user` can log in, has its new role, and the role's privileges are in force."""
        deadline, nudge = time.monotonic() + USER_SECONDS, time.monotonic() + NUDGE_SECONDS
        who, wanted = (user.name, user.password), _question(role)
        while time.monotonic() < deadline:
            answer = requests.get(f"{self.url}/_security/_authenticate", auth=who, timeout=10)
            if answer.status_code == 200 and role_name in answer.json()["roles"]:
                if not any(wanted.values()):
                    return  # nothing is allowed, so nothing has to be in force
                privileges = requests.post(
                    f"{self.url}/_security/user/_has_privileges",
                    auth=who,
                    json=wanted,
                    timeout=10,
                )
                if privileges.status_code == 200 and privileges.json()["has_all_requested"]:
                    return
            if time.monotonic() > nudge:
                nudge = time.monotonic() + NUDGE_SECONDS
                for name in ("roles.yml", "users_roles", "users"):
                    os.utime(self.home / "config" / name)
            time.sleep(0.05)
        raise RuntimeError(f"Elasticsearch did not take up the user {user.name} within {USER_SECONDS:.0f} seconds.")

    def _answers(self) -> bool | None:
        """True when the server lets the administrator in and can take documents."""
        try:
            answer = requests.get(
                f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s",
                auth=(self.admin.name, self.admin.password),
                timeout=10,
            )
        except requests.RequestException:
            return None
        return True if answer.status_code == 200 else None

    def _own(self) -> Server:
        if self.server is None:
            raise RuntimeError("This server is shared: start one of your own to stop and start it.")
        return self.server


@contextmanager
def elasticsearch(
    *,
    settings: Mapping[str, Any] | None = None,
    heap: str = "512m",
    home: Path | None = None,
) -> Iterator[LocalElasticsearch]:
    """A running server, stopped and wiped at the end; raises `Missing` with the reason if it can not run here.

    settings: for elasticsearch.yml, for example {"http.max_content_length": "1mb"}. home: its folder (default: a new
    temporary one).
    """
    missing = available("elasticsearch")
    if missing:
        raise Missing(missing)
    folder = home or temporary_folder("elasticsearch")
    server = None
    try:
        server = prepare(folder, settings or {}, heap)
        server.start()
        yield server
    finally:
        if server is not None and server.server is not None:
            server.server.stop(seconds=30)
        shutil.rmtree(folder, ignore_errors=True)


def prepare(home: Path, settings: Mapping[str, Any], heap: str) -> LocalElasticsearch:
    """Write a server's configuration into `home`; nothing is started yet."""
    config = home / "config"
    for part in (config, home / "data", home / "logs", home / "tmp"):
        part.mkdir(parents=True)
    for name in ("jvm.options", "log4j2.properties", "role_mapping.yml"):
        shutil.copyfile(ELASTICSEARCH / "config" / name, config / name)
    (config / "jvm.options.d").mkdir()
    port, admin = free_port(), User(ADMIN, secrets.token_urlsafe(16))
    options = {
        "cluster.name": "local",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": port,
        "transport.port": free_port(),
        "path.data": str(home / "data"),
        "path.logs": str(home / "logs"),
        "xpack.security.enabled": True,
        "xpack.security.http.ssl.enabled": False,
        "xpack.security.transport.ssl.enabled": False,
        "resource.reload.interval.high": RELOAD,
        "cluster.routing.allocation.disk.threshold_enabled": False,  # a full developer's disk is not what we test
        **settings,
    }
    # JSON is YAML, and quotes what must be quoted.
    (config / "elasticsearch.yml").write_text(
        "".join(f"{key}: {json.dumps(value)}\n" for key, value in options.items())
    )
    (config / "roles.yml").write_text("")
    (config / "users").write_text(f"{admin.name}:{password_hash(admin.password)}\n")
    (config / "users_roles").write_text(f"superuser:{admin.name}\n")
    environment = {
        "ES_JAVA_HOME": str(java_home()),
        "ES_PATH_CONF": str(config),
        "ES_TMPDIR": str(home / "tmp"),
        "ES_JAVA_OPTS": f"-Xms{heap} -Xmx{heap}",
        "HOME": str(home),
    }
    result = LocalElasticsearch(port, admin, home, environment=environment)
    owner = server_owner()
    if owner:
        _make_readable(home)
        for path in (home, *home.rglob("*")):
            os.chown(path, owner.user, owner.group)
    return result


def _question(role: Mapping[str, Any]) -> dict[str, Any]:
    """A role as a question to `_has_privileges`."""
    return {
        "cluster": role.get("cluster", []),
        "index": [{"names": rule["names"], "privileges": rule["privileges"]} for rule in role.get("indices", [])],
    }


def _distribution(home: Path) -> Path:
    """The distribution; a copy of it in `home` if that other user can not reach the checkout (below root's home, say)."""
    if server_owner() is None or all(part.stat().st_mode & 0o001 for part in ELASTICSEARCH.parents):
        return ELASTICSEARCH
    copy = home / ELASTICSEARCH.name
    if not copy.exists():
        shutil.copytree(ELASTICSEARCH, copy, ignore=shutil.ignore_patterns("config"))
    return copy


def _make_readable(folder: Path) -> None:
    """Raise `Missing` if another user can not reach `folder` (a temporary folder below root's home, say)."""
    closed = [part for part in folder.parents if not part.stat().st_mode & 0o001]
    if closed:
        raise Missing(f"Elasticsearch can not run as another user than root here: {closed[-1]} is closed to others.")
