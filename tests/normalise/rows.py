"""A seed -> rows of a table: right and wrong values for every column, absent and unknown columns, and what real records hold."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from local.load import TENANT
from local.load_entities import TABLES
from local.load_records import Scene
from local.load_world import hosts
from shared.normalise import categories
from shared.normalise.mapping import OBJECTS as LISTED
from shared.normalise.mapping import Column, Kind, Shape, Table
from shared.normalise.members import members_of
from shared.normalise.tables import all_tables, carrier

Row = dict[str, Any]

# fmt: off
TIMES = (
    "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.12Z", "2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.123456789Z",
    "2026-01-02T03:04:05.12345678901Z", "2026-01-02T03:04:05", "2026-01-02T03:04:05.5", "2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05.5-0130",
    "2026-01-02 03:04:05Z", "2026-01-02", "2026-01-02T03", "2026-01-02T03:04", "20260102T030405Z", "2026-W01-5T03:04:05Z", "2026-01-02t03:04:05z",
    "0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "1601-01-01T00:00:00Z", "1601-01-01T00:00:00.0000000Z", "1601-01-02T00:00:00Z", "1601-01-01",
    "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00", "2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05.Z",
    "2026-02-30T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T23:59:60Z", "01/02/2026 03:04:05", "yesterday", "1767323045",
)
ADDRESSES = (
    "192.0.2.1", "10.0.0.1", "::1", "2001:db8::1", "2001:DB8:0:0:0:0:0:1", "::ffff:192.0.2.1", "fe80::1%eth0", "fe80::1%12", "192.0.2.1:443",
    "[2001:db8::1]:443", "192.0.2.0/24", "192.0.2.01", "192.0.2", "999.0.2.1", "host.example.com", "1:2:3:4:5:6:7::", "::1.2.3.4", "%", "1" * 60,
    "192.0.2.1 ", "0x7f.1", "3221225985", "1\u0661.0.0.1",
)
NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 17, 65_535, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**30, 0.0, 1.0, 1.5, -2.5, 1e22, 1e300,
    "0", "17", " 17 ", "17.0", "1e3", "1_000", "0x10", "-5", "9223372036854775807", "9223372036854775808", "1" * 39, "1" * 500, "nan", "inf", "1e400",
    "\u0661\u0667",
)
DEGREES: tuple[Any, ...] = ("52.52", "-33.8", 13, 90, -90.0, "90.0000001", 180, "-180", 180.5, "181", "1e2", "52,5", "N 52", -0.0)
TRUTHS: tuple[Any, ...] = (True, False, "true", "False", "TRUE", "1", "0", "yes", "NO", 1, 0, 2, -1, "maybe", 1.0)
TEXTS = (
    "", "-", "N/A", "n/a", "NA", " ", "a", "ab", "null", "None", "text", "it's", "Grüße", "日本語", "😀🚀", "\ud800", "x\udc80y", "a\x00b", "\ufffe", "a\nb\tc",
    "C:\\Windows\\System32\\cmd.exe", "c:\\windows\\explorer.exe", "\\\\server\\share\\a.txt", "\\Device\\HarddiskVolume3\\x", "/usr/bin/bash", "/",
    "/Applications/Safari.app/Contents/MacOS/Safari", "C:\\", "cmd.exe", ".bashrc", "archive.tar.gz", "notes.txt:x.js", "a" * 300, "b" * 5_000,
    "\"C:\\Program Files\\a.exe\" -k \"x y\" \\\"q\\\" /c echo", "powershell -enc SQBFAFgA", "sh -c 'echo it'", "it's \"open", "   ",
    "HKEY_LOCAL_MACHINE\\SOFTWARE\\X", "HKEY_CURRENT_USER\\S-1-5-21-1-2-3-1001\\Software\\X", "\\REGISTRY\\MACHINE\\SYSTEM", "HKLM", "hklm:\\x\\",
    "S-1-5-18", "S-1-5-21-1-2-3-500", "S-1-5-80-1", "DOMAIN\\user", "user@example.com", "kim_example.com#EXT#@tenant.onmicrosoft.com", "\\", "@", "a@b@c",
    "https://Example.com:8443/a/b.php?x=1#y", "hxxp://evil[.]example", "host.example.com", "//x", "http://[::1]:80/", "http://a:99999/", "://", "?",
    "Tcp", "TcpV6", "Udp", "IcmpV6", "Ntlm", "Windows11", "Linux", "macOS", "00-0D-3A-9E-C7-81", "Valid", "DriverLoad", "OpenProcessApiCall",
)
OPENED: tuple[Any, ...] = (
    {}, [], {"a": 1}, {"a": {"b": [1, {"c": None}]}}, [{"a": 1}, {"b": 2}], [1, "a", None, True], [[1], [2]], {"": 1}, {"a\x00": 1, "a": 2}, {"k" * 300: 1},
    {"direction": "In"}, {"direction": "Out", "conn_state": "SF"}, {"PosixUserId": 0, "Name": "wheel", "PosixGroupId": 0},
    {"ProcessCurrentWorkingDirectory": "/tmp", "InitiatingProcessCurrentWorkingDirectory": "/root"}, {"DesiredAccess": "0x1000", "BaseAddress": 2**70},
    {"DnsQueryString": "www.example.com", "DnsQueryResult": "[{\"Result\":\"192.0.2.1\",\"DnsQueryType\":\"A\"}]"}, {"SamlToken": {"x": float("nan")}},
    {"method": "GET", "host": "example.com", "uri": "/a?b=c", "user_agent": "curl/8", "status_code": "200"}, {"server_name": "example.com", "version": "TLSv12"},
    [{"IPAddress": "192.0.2.1", "SubnetPrefix": 24}, {"IPAddress": 5}, "fe80::1%3", None], [{"UserName": "kim"}, {"UserName": 5}, "x"],
    ["Process Injection (T1055)", "Process Hollowing (T1055.012)", "T1078", 5, None, ""], ["192.0.2.1", "host", "::1", "192.0.2.1"],
    list(range(50)), {"big": 2**70, "small": -(2**70)}, {"\ud800": "\udfff"},
)
OBJECTS: tuple[Any, ...] = (
    *OPENED, [{"$id": "1", "Type": "host", "HostName": "A"}, {"$id": "2", "Type": "process", "Host": {"$ref": "1"}, "ProcessId": "0x1F", "CommandLine": "/bin/sh -c x"}],
    [{"Type": "ip", "Address": "192.0.2.1", "Location": {"CountryCode": "no"}}, {"Type": "file", "Directory": "C:\\a", "Name": "b.exe", "FileHashes": [{"Type": "filehash"}]}],
    [{"azureResourceId": "/subscriptions/s", "type": "AzureResource"}, {"Href": "https://example.com", "Novel": 1}],
)
ODD_TEXTS = (
    "{", "[", "{]", "[1,", "{'a': 'b', 'c': [1, None, True]}", "{'a\\x00': 1, '': 2}", "{'path': 'C:\\\\x'}", "{'path': 'C:\\d'}", "{1: 2, None: 3}", "{'a'}", "[b'x']",
    "{'a': 1or 2}", "[" * 200, "[" * 2_000 + "]" * 2_000, "{'a':" * 50 + "1" + "}" * 50, "{\"a\":" * 300 + "1" + "}" * 300, "[1e999]", "{\"a\":1}{\"b\":2}",
    "{\"\" : 1}", "{\"a\\u0000\": 1}", "{\"\\ud800\": 1}", "[NaN]", " {\"a\": 1}", "{\"a\": 18446744073709551616}", "{\"" + "k" * 300 + "\": 1}",
)
# fmt: on
UNKNOWN_TABLES = ("DeviceExampleEvents", "EmailExampleEvents", "IdentityExampleEvents", "Whatever", "DeviceTvmExample")

RIGHT: dict[Kind, tuple[Any, ...]] = {
    "keyword": TEXTS,
    "wildcard": TEXTS,
    "text": TEXTS,
    "long": NUMBERS,
    "double": NUMBERS,
    "latitude": DEGREES,
    "longitude": DEGREES,
    "boolean": TRUTHS,
    "date": TIMES,
    "ip": ADDRESSES,
    "flattened": OPENED,
    "object": OBJECTS,
}
ANYTHING = (*TIMES, *ADDRESSES, *NUMBERS, *TRUTHS, *TEXTS, *OPENED, *ODD_TEXTS, None, None, None)


def nested(levels: int) -> Any:
    """Objects and lists within one another."""
    value: Any = "end"
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


def layouts() -> Iterator[tuple[str, Table]]:
    """Every way to read a table that we have: tables, their variants, and what carries unknown ones; each with a name for the test."""
    for known in all_tables():
        yield known.name, known
        for number, variant in enumerate(dict.fromkeys(map(id, known.variants.values()))):
            yield f"{known.name} variant {number}", next(v for v in known.variants.values() if id(v) == variant)
    for name in UNKNOWN_TABLES:
        yield f"{name} carried", carrier(name)
    yield "a Defender for Cloud message", carrier("assessments", cloud=True)


def actions(table: Table) -> tuple[str, ...]:
    """The values that the table's action column may have, some of them in other letters and one that nobody knows."""
    known = (*categories.ACTIONS.get(table.name, {"Anything": None}), *table.variants)
    return (*known, *(name.upper() for name in known[:3]), "TeleportedExample")


def value(chance: random.Random, column: Column, table: Table) -> Any:
    """A value for a column: mostly one of its kind, often one that means absent, sometimes anything at all."""
    draw = chance.random()
    if column.source == table.action and draw < 0.8:
        return chance.choice(actions(table))
    listed = members_of(table.name, column.source)
    if listed is not None and draw > 0.6:  # members of its list, in several spellings
        known = (*(sorted(listed.plain) or sorted(map(str, listed.spelled))), "TELEPORTED Example")
        chosen = [chance.choice((str.upper, str.title, str))(chance.choice(known)) for _ in range(chance.randint(1, 3))]
        return chosen[0] if not column.many else chance.choice((chosen, ", ".join(chosen)))
    if draw < 0.2:
        return None
    if column.shape is not None and draw < 0.9:
        return (
            [one(chance, column.shape) for _ in range(chance.randint(0, 3))]
            if draw < 0.6
            else one(chance, column.shape)
        )
    if draw < 0.65 and column.kind != "object":
        right = chance.choice(RIGHT[column.kind])
        if column.many or column.kind in ("flattened", "object"):
            shape = chance.random()
            if column.many and shape < 0.6:
                right = [chance.choice(RIGHT[column.kind]) for _ in range(chance.randint(0, 4))]
            if shape < 0.4:
                return written(right)
            return repr(right) if shape < 0.5 else right
        return right
    if draw < 0.67:
        return nested(chance.choice((3, 11, 12, 13, 30, 260)))
    return chance.choice(ANYTHING)


def one(chance: random.Random, shape: Shape, levels: int = 3) -> Row:
    """An object of a shape: some of its members, mostly of the right kind, and now and then one that it does not know."""
    made: Row = {}
    share = min(1.0, 12 / len(shape))
    for key, (_, kind, *many) in shape.items():
        if chance.random() < share:
            members = [member(chance, kind, levels) for _ in range(chance.choice((1, 1, 1, 2, 0)) if all(many) else 1)]
            made[key.removesuffix(LISTED)] = members[0] if len(members) == 1 and chance.random() < 0.9 else members
    if chance.random() < 0.1:
        made["novelMember"] = chance.choice(ANYTHING)
    return made


def member(chance: random.Random, kind: Kind | Shape, levels: int) -> Any:
    """A value of a kind, or an object of a shape, or now and then anything at all."""
    if chance.random() < 0.1:
        return chance.choice(ANYTHING)
    if isinstance(kind, str):
        return chance.choice(RIGHT[kind])
    return one(chance, kind, levels - 1) if levels else None


def written(what: Any) -> str:
    """A value as JSON in a text, as Defender sends lists and objects."""
    return json.dumps(what)


def row(chance: random.Random, table: Table) -> tuple[Row, Row]:
    """(columns, envelope) of a record of the table; half of them begin as a real-looking record, of which some columns are changed."""
    maker = TABLES.get(table.name)
    real = maker is not None and chance.random() < 0.5
    properties: Row = {}
    envelope: Row = {}
    if maker is not None and real:
        moment = datetime(2026, 1, 2, tzinfo=UTC)
        properties = maker[0](Scene(chance, chance.choice(hosts(1)), moment, chance.randint(1, 10**6)))
        envelope = {
            "time": "2026-01-02T03:05:00.1234567Z",
            "tenantId": TENANT,
            "category": f"AdvancedHunting-{table.name}",
            "Tenant": "DefaultTenant",
        }
    share = chance.choice((0.02, 0.1, 0.5)) if real else chance.choice((0.1, 0.6, 1.0))
    for column in table.columns:
        if chance.random() < share:
            target, name = (
                (envelope, column.source[1:]) if column.source.startswith("/") else (properties, column.source)
            )
            target[name] = value(chance, column, table)
    for name in table.unmapped:
        if chance.random() < 0.2:
            properties[name] = chance.choice(ANYTHING)
    for _ in range(chance.choice((0, 0, 0, 1, 3))):
        properties[chance.choice(("ExampleColumn", "Another.One", "a\x00b", "", "k" * 300, "Zeit", "/time"))] = (
            chance.choice(ANYTHING)
        )
    return properties, envelope
