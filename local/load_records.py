"""A seed -> stream records of the Device* and Alert* tables, as Defender XDR's streaming export writes them.

Every column that a table's rows have in the export is there, most filled, the others null; AdditionalFields is JSON in a
string; timestamps have 0 to 7 fractional digits; report ids of DeviceInfo and DeviceNetworkInfo exceed 2^53.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from local.load_world import DOMAIN, REGISTRY, SITES, Host, Program, dice, fingerprint, programs

Row = dict[str, Any]


class Scene:
    """What happens on one host at one moment: the shared columns of a row, and the chance that decides the rest."""

    def __init__(self, chance: random.Random, host: Host, moment: datetime, number: int) -> None:
        self.chance, self.host, self.moment, self.number = chance, host, moment, number
        self.n = chance.randint(1, 5000)

    def time(self, before: float = 0.0) -> str:
        """The moment, or so many seconds before it, as Defender writes it."""
        return stamp(self.moment - timedelta(seconds=before), self.chance)

    def program(self) -> Program:
        """One of the host's programs."""
        return self.chance.choice(programs(self.host))

    def command(self, program: Program) -> str:
        """A command line of it."""
        line = self.chance.choice(program.commands)
        return line.replace("{{", "{").replace("}}", "}").replace("{n}", str(self.n)).replace("{u}", self.host.user)

    def device(self, action: str | None) -> Row:
        """The columns that every Device* event has."""
        row = {
            "Timestamp": self.time(),
            "DeviceId": self.host.id,
            "DeviceName": self.host.name,
            "ReportId": self.number,
            "AppGuardContainerId": "",
            "MachineGroup": self.host.group,
        }
        return row if action is None else {**row, "ActionType": action}

    def account(self, prefix: str = "") -> Row:
        """The host's user or the system, in the columns of that prefix."""
        system = self.chance.random() < 0.4
        values = (
            (
                "nt authority" if self.host.windows else self.host.name.split(".")[0],
                "system" if self.host.windows else "root",
            )
            if system
            else (DOMAIN, self.host.user)
        )
        return {
            f"{prefix}AccountDomain": values[0],
            f"{prefix}AccountName": values[1],
            f"{prefix}AccountSid": ("S-1-5-18" if system else self.host.sid) if self.host.windows else None,
            f"{prefix}AccountUpn": None if system else f"{self.host.user}@example.com",
            f"{prefix}AccountObjectId": None if system else self.host.object_id,
        }

    def file(self, name: str, path: str) -> Row:
        """A file's columns."""
        size = dice(name).randint(1_000, 5_000_000)
        hashes = {algorithm: fingerprint(name, algorithm) for algorithm in ("SHA1", "SHA256", "MD5")}
        return {"FileName": name, "FolderPath": path, "FileSize": size, **hashes}

    def initiating(self, *left_out: str) -> Row:
        """The InitiatingProcess* columns that most tables have, without those that this one lacks."""
        program, prefix = self.program(), "InitiatingProcess"
        facts = self.file(program.name, program.path.lower() if self.chance.random() < 0.5 else program.path)
        row = {
            **{prefix + column: value for column, value in facts.items()},
            **self.account(prefix),
            **version_info(program, prefix),
            "InitiatingProcessId": self.chance.randint(4, 65_000),
            "InitiatingProcessCommandLine": self.command(program),
            "InitiatingProcessCreationTime": self.time(self.chance.uniform(1, 3_600)),
            "InitiatingProcessParentId": self.chance.randint(4, 65_000),
            "InitiatingProcessParentFileName": program.parent,
            "InitiatingProcessParentCreationTime": self.time(self.chance.uniform(3_600, 90_000)),
            "InitiatingProcessIntegrityLevel": self.chance.choice(("System", "High", "Medium"))
            if self.host.windows
            else None,
            "InitiatingProcessTokenElevation": "TokenElevationTypeDefault" if self.host.windows else None,
            "InitiatingProcessSessionId": self.chance.randint(0, 3),
            "IsInitiatingProcessRemoteSession": False,
            "InitiatingProcessRemoteSessionDeviceName": None,
            "InitiatingProcessRemoteSessionIP": None,
            "InitiatingProcessUniqueId": str(self.chance.getrandbits(60)),
        }
        return {column: value for column, value in row.items() if column.removeprefix(prefix) not in left_out}


def stamp(moment: datetime, chance: random.Random) -> str:
    """A time of 100 ns ticks with its trailing zeros cut off, and Z."""
    digits = f"{moment.microsecond:06d}{chance.randint(0, 9)}"[: chance.choice((7, 7, 7, 7, 6, 5, 4, 3, 0))].rstrip("0")
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{digits}Z"


def version_info(program: Program, prefix: str) -> Row:
    """The *VersionInfo* columns; null where the platform has none."""
    there = bool(program.company)
    values = {
        "CompanyName": program.company,
        "ProductName": "Microsoft® Windows® Operating System"
        if program.company.startswith("Microsoft")
        else program.description,
        "ProductVersion": "10.0.22621.1",
        "InternalFileName": program.name.rpartition(".")[0].upper(),
        "OriginalFileName": program.name.upper() if len(program.name) % 2 else program.name,
        "FileDescription": program.description,
    }
    return {f"{prefix}VersionInfo{name}": value if there else None for name, value in values.items()}


def process_events(scene: Scene) -> Row:
    """DeviceProcessEvents."""
    program = scene.program()
    posix = {"ProcessPosixProcessGroupId": scene.n, "ProcessPosixSessionId": scene.n, "ProcessPosixUserId": 1000}
    return {
        **scene.device("ProcessCreated"),
        **scene.initiating(),
        "InitiatingProcessLogonId": scene.chance.choice((999, 0x3E4, 1_357_805_418)),
        "InitiatingProcessSignerType": "OsVendor",
        "InitiatingProcessSignatureStatus": "Valid",
        **scene.file(program.name, program.path),
        **scene.account(),
        **version_info(program, "Process"),
        "ProcessId": scene.chance.randint(4, 65_000),
        "ProcessCommandLine": scene.command(program),
        "ProcessCreationTime": scene.time(0.05),
        "ProcessIntegrityLevel": scene.chance.choice(("System", "High", "Medium")) if scene.host.windows else None,
        "ProcessTokenElevation": "TokenElevationTypeDefault" if scene.host.windows else None,
        "LogonId": scene.chance.choice((999, 1_357_805_418)),
        "CreatedProcessSessionId": 1,
        "IsProcessRemoteSession": False,
        "ProcessRemoteSessionDeviceName": None,
        "ProcessRemoteSessionIP": None,
        "ProcessUniqueId": str(scene.chance.getrandbits(60)),
        "AdditionalFields": None if scene.host.windows else json.dumps(posix),
    }


def file_events(scene: Scene) -> Row:
    """DeviceFileEvents."""
    action = scene.chance.choice(("FileCreated", "FileCreated", "FileModified", "FileRenamed", "FileDeleted"))
    name = f"file{scene.n}." + scene.chance.choice(("txt", "tmp", "docx", "dll", "exe", "ps1", "log"))
    folder = (
        rf"C:\Users\{scene.host.user}\AppData\Local\Temp" + "\\" if scene.host.windows else f"/home/{scene.host.user}/"
    )
    renamed = action == "FileRenamed"
    return {
        **scene.device(action),
        **scene.initiating(),
        **scene.file(name, folder + name),
        "FileOriginUrl": site(scene) if scene.chance.random() < 0.1 else None,
        "FileOriginReferrerUrl": None,
        "FileOriginIP": None,
        "PreviousFileName": f"{name}.part" if renamed else None,
        "PreviousFolderPath": folder.rstrip("\\/") if renamed else None,
        "RequestProtocol": "Local",
        "RequestSourceIP": None,
        "RequestSourcePort": None,
        "RequestAccountName": scene.host.user,
        "RequestAccountDomain": DOMAIN,
        "RequestAccountSid": scene.host.sid if scene.host.windows else None,
        "ShareName": None,
        "SensitivityLabel": None,
        "SensitivitySubLabel": None,
        "IsAzureInfoProtectionApplied": None,
        "AdditionalFields": json.dumps({"FileType": "Unknown"}),
    }


def network_events(scene: Scene) -> Row:
    """DeviceNetworkEvents."""
    action = scene.chance.choice(
        ("ConnectionSuccess", "ConnectionSuccess", "ConnectionAttempt", "ConnectionFailed", "InboundConnectionAccepted")
    )
    sixth = scene.chance.random() < 0.1
    return {
        **scene.device(action),
        **scene.initiating(),
        "RemoteIP": f"2001:db8:1::{scene.n:x}" if sixth else remote_ip(scene),
        "RemotePort": scene.chance.choice((443, 443, 80, 53, 445, 22, 8443)),
        "RemoteUrl": site(scene) if scene.chance.random() < 0.6 else "",
        "LocalIP": scene.host.address6 if sixth else scene.host.address,
        "LocalPort": scene.chance.randint(49_152, 65_535),
        "Protocol": scene.chance.choice(("Tcp", "Tcp", "Udp", "TcpV4")),
        "LocalIPType": "Private",
        "RemoteIPType": "Public",
        "AdditionalFields": None,
    }


def registry_events(scene: Scene) -> Row:
    """DeviceRegistryEvents."""
    key, name, kind, data = scene.chance.choice(REGISTRY)
    action = scene.chance.choice(("RegistryValueSet", "RegistryValueSet", "RegistryKeyCreated", "RegistryValueDeleted"))
    full, is_set = key.replace("{sid}", scene.host.sid).replace("{n}", str(scene.n)), action == "RegistryValueSet"
    return {
        **scene.device(action),
        **scene.initiating(),
        "RegistryKey": full,
        "RegistryValueType": kind if is_set else None,
        "RegistryValueName": name if action != "RegistryKeyCreated" else None,
        "RegistryValueData": data.replace("{n}", str(scene.n)) if is_set else None,
        "PreviousRegistryKey": full,
        "PreviousRegistryValueName": name if is_set else None,
        "PreviousRegistryValueData": None,
    }


def image_load_events(scene: Scene) -> Row:
    """DeviceImageLoadEvents."""
    name = scene.chance.choice(("ntdll.dll", "amsi.dll", "wininet.dll", "System.Management.Automation.ni.dll"))
    path = rf"C:\Windows\System32\{name}" if scene.host.windows else f"/usr/lib/{name}"
    return {**scene.device("ImageLoaded"), **scene.initiating(), **scene.file(name, path)}


def logon_events(scene: Scene) -> Row:
    """DeviceLogonEvents."""
    failed = scene.chance.random() < 0.15
    return {
        **scene.device("LogonFailed" if failed else "LogonSuccess"),
        **scene.initiating(),
        **{name: value for name, value in scene.account().items() if name not in ("AccountUpn", "AccountObjectId")},
        "LogonType": scene.chance.choice(("Interactive", "Network", "RemoteInteractive", "Batch")),
        "Protocol": scene.chance.choice(("Negotiate", "Kerberos", "NTLM")),
        "FailureReason": "InvalidUserNameOrPassword" if failed else None,
        "IsLocalAdmin": None if failed else scene.chance.random() < 0.2,
        "LogonId": scene.n,
        "RemoteDeviceName": None,
        "RemoteIP": scene.chance.choice(("", "-", remote_ip(scene))),
        "RemoteIPType": None,
        "RemotePort": None,
        "AdditionalFields": json.dumps({"IsLocalLogon": True}),
    }


def device_events(scene: Scene) -> Row:
    """DeviceEvents, a few of its hundreds of actions."""
    actions: Mapping[str, Mapping[str, Any]] = {
        "PowerShellCommand": {"Command": "Get-ChildItem"},
        "AntivirusScanCompleted": {"ScanTypeIndex": "Quick", "Domain": "NT AUTHORITY", "User": "SYSTEM"},
        "NamedPipeEvent": {"FileOperation": "File opened", "PipeName": rf"\Device\NamedPipe\example{scene.n}"},
        "ScheduledTaskCreated": {"TaskName": rf"\Example\Update {scene.n}", "SubjectUserName": scene.host.user},
        "AsrOfficeChildProcessAudited": {"IsAudit": True, "RuleId": "d4f940ab-401b-4efc-aadc-ad5f3c50688a"},
        "DnsQueryResponse": {"DnsQueryString": "www.example.com", "DnsQueryResult": []},
    }
    action = scene.chance.choice(tuple(actions))
    empty = (
        *("FileName", "FolderPath", "SHA1", "SHA256", "MD5", "FileSize", "RemoteUrl", "RemoteDeviceName", "ProcessId"),
        *("ProcessCommandLine", "ProcessCreationTime", "ProcessTokenElevation", "LogonId", "RegistryKey", "RemoteIP"),
        *(
            "RegistryValueName",
            "RegistryValueData",
            "RemotePort",
            "LocalIP",
            "LocalPort",
            "FileOriginUrl",
            "FileOriginIP",
        ),
        *(
            "CreatedProcessSessionId",
            "IsProcessRemoteSession",
            "ProcessRemoteSessionDeviceName",
            "ProcessRemoteSessionIP",
        ),
    )
    return {
        **dict.fromkeys(empty),
        **scene.device(action),
        **scene.initiating("IntegrityLevel", "TokenElevation"),
        "InitiatingProcessLogonId": scene.chance.choice((999, 0x3E4, 1_357_805_418)),
        "AccountDomain": DOMAIN,
        "AccountName": scene.host.user,
        "AccountSid": None,
        "AdditionalFields": json.dumps(actions[action]),
    }


def site(scene: Scene) -> str:
    """An address of a made-up site."""
    return scene.chance.choice(SITES).replace("{n}", str(scene.n))


def remote_ip(scene: Scene) -> str:
    """An address that stands for one on the internet."""
    return f"{scene.chance.choice(('198.51.100', '203.0.113'))}.{scene.n % 254 + 1}"
