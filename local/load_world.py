"""A seed -> a made-up company: hosts, users and programs that generated records tell of. No real names, no real addresses.

Names are below example.com, addresses from the ranges kept for documentation (RFC 5737, RFC 3849), accounts are userN.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Literal

Platform = Literal["Windows11", "WindowsServer2022", "Linux", "macOS"]
PLATFORMS: tuple[Platform, ...] = ("Windows11",) * 14 + ("WindowsServer2022",) * 3 + ("Linux",) * 2 + ("macOS",)
DOMAIN = "example"


@dataclass(frozen=True, slots=True)
class Program:
    """An executable: where it is, who made it, and command lines that it is seen with ({n} is a number, {u} a user)."""

    name: str
    folder: str
    company: str
    description: str
    commands: tuple[str, ...]
    parent: str

    @property
    def path(self) -> str:
        """The folder with the name, as FolderPath has it."""
        return f"{self.folder}{'/' if self.folder.startswith('/') else chr(92)}{self.name}"


@dataclass(frozen=True, slots=True)
class Host:
    """A device of the company."""

    name: str
    id: str
    platform: Platform
    address: str
    address6: str
    mac: str
    user: str
    sid: str
    object_id: str
    group: str | None

    @property
    def windows(self) -> bool:
        """Whether it runs Windows."""
        return self.platform.startswith("Windows")


# fmt: off
SYSTEM32 = r"C:\Windows\System32"
MICROSOFT = "Microsoft Corporation"
WINDOWS: tuple[Program, ...] = (
    Program("powershell.exe", SYSTEM32 + r"\WindowsPowerShell\v1.0", MICROSOFT, "Windows PowerShell", (
        r'"powershell.exe" -NoProfile -ExecutionPolicy Bypass -File "C:\ProgramData\Inventory\scan_{n}.ps1" -Verbose',
        r"powershell.exe -NonInteractive -EncodedCommand ZQB4AGEAbQBwAGwAZQA=",
        r'powershell.exe -Command "Get-Service | Where-Object {{$_.Status -eq \"Running\"}} | Export-Csv C:\Temp\s{n}.csv"',
    ), "svchost.exe"),
    Program("cmd.exe", SYSTEM32, MICROSOFT, "Windows Command Processor", (
        r'"cmd.exe" /c dir "C:\Users\{u}\Documents" > C:\Temp\list{n}.txt',
        r"cmd.exe /d /s /c " + r'"node build.js --out dist\{n}"',
        r"cmd.exe /c whoami /all & net localgroup administrators",
    ), "explorer.exe"),
    Program("svchost.exe", SYSTEM32, MICROSOFT, "Host Process for Windows Services", (
        "svchost.exe -k netsvcs -p -s Schedule", "svchost.exe -k LocalService -p -s nsi",
        "svchost.exe -k LocalServiceNetworkRestricted -p -s Dhcp",
    ), "services.exe"),
    Program("rundll32.exe", SYSTEM32, MICROSOFT, "Windows host process (Rundll32)", (
        r"rundll32.exe C:\Windows\System32\shell32.dll,Control_RunDLL desk.cpl",
        r"rundll32.exe printui.dll,PrintUIEntry /in /n \\host{n}.example.com\printer",
    ), "explorer.exe"),
    Program("reg.exe", SYSTEM32, MICROSOFT, "Registry Console Tool", (
        r"reg.exe query HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run",
        r"reg.exe add HKCU\Software\Example\Settings /v Size /t REG_DWORD /d {n} /f",
    ), "cmd.exe"),
    Program("schtasks.exe", SYSTEM32, MICROSOFT, "Task Scheduler Configuration Tool", (
        r'schtasks.exe /create /tn "Example Update {n}" /tr "C:\Program Files\Example\update.exe /quiet" /sc daily /st 03:00',
    ), "cmd.exe"),
    Program("chrome.exe", r"C:\Program Files\Google\Chrome\Application", "Google LLC", "Google Chrome", (
        r'"C:\Program Files\Google\Chrome\Application\chrome.exe" --type=renderer --renderer-client-id={n} --lang=en-GB',
        r'"C:\Program Files\Google\Chrome\Application\chrome.exe" --profile-directory="Profile {n}"',
    ), "explorer.exe"),
    Program("WINWORD.EXE", r"C:\Program Files\Microsoft Office\root\Office16", MICROSOFT, "Microsoft Word", (
        r'"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "C:\Users\{u}\Documents\Bericht Größe {n}.docx" /o ""',
    ), "explorer.exe"),
    Program("MsMpEng.exe", r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24090.11-0", MICROSOFT,
            "Antimalware Service Executable", ("MsMpEng.exe",), "services.exe"),
)
LINUX: tuple[Program, ...] = (
    Program("bash", "/usr/bin", "", "", ("-bash", "bash -c 'ls -la /home/{u} | head -n {n}'"), "sshd"),
    Program("python3.11", "/usr/bin", "", "", ("/usr/bin/python3 /opt/example/job.py --number {n}",), "cron"),
    Program("curl", "/usr/bin", "", "", ("curl -fsSL https://www.example.net/packages/{n}.tar.gz -o /tmp/p{n}.tgz",), "bash"),
    Program("sudo", "/usr/bin", "", "", ("sudo systemctl restart example-{n}.service",), "bash"),
)
MACOS: tuple[Program, ...] = (
    Program("zsh", "/bin", "", "", ("-zsh", "/bin/zsh -c 'brew upgrade formula{n}'"), "Terminal"),
    Program("osascript", "/usr/bin", "", "", ("osascript -e 'display notification \"{n}\"'",), "zsh"),
    Program("Safari", "/Applications/Safari.app/Contents/MacOS", "", "", ("/Applications/Safari.app/Contents/MacOS/Safari",),
            "launchd"),
)
REGISTRY: tuple[tuple[str, str, str, str], ...] = (  # key, value's name, type, data
    (r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Run", "ExampleAgent", "String",
     r'"C:\Program Files\Example\agent.exe" /background'),
    (r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\ExampleSvc", "Start", "Dword", "2"),
    (r"HKEY_CURRENT_USER\{sid}\Software\Example\Settings", "Path", "ExpandString", r"%APPDATA%\Example\{n}"),
    (r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows Defender", "DisableAntiSpyware", "Dword", "0"),
    (r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\.example{n}", "", "String", "Example.Document.{n}"),
    (r"HKEY_USERS\.DEFAULT\Control Panel\Desktop", "Blob", "Binary", ""),
)
SITES: tuple[str, ...] = (
    "https://www.example.com/", "https://update.example.net/v2/check?client={n}", "login.example.org", "https://cdn.example.com/a/{n}.js",
)
TECHNIQUES: tuple[tuple[str, str, str, str], ...] = (  # title, category, severity, technique
    ("Suspicious PowerShell command line", "Execution", "Medium", "PowerShell (T1059.001)"),
    ("Suspicious scheduled task", "Persistence", "Medium", "Scheduled Task (T1053.005)"),
    ("Anomalous account lookups", "Discovery", "Low", "Account Discovery (T1087)"),
    ("Malware was prevented", "Malware", "Informational", "User Execution (T1204)"),
    ("Credential dumping activity observed", "CredentialAccess", "High", "OS Credential Dumping (T1003)"),
)
# fmt: on


def dice(seed: str) -> random.Random:
    """What decides by chance, the same way for the same seed."""
    return random.Random(seed)  # noqa: S311  made-up data need no secrets


@cache
def hosts(seed: int, count: int = 120) -> tuple[Host, ...]:
    """The company's devices; the same for the same seed."""
    chance = dice(f"hosts {seed}")
    result = []
    for number in range(1, count + 1):
        user = f"user{chance.randint(1, count)}"
        result.append(
            Host(
                name=f"host{number}.example.com",
                id=hexadecimal(chance, 40),
                platform=chance.choice(PLATFORMS),
                address=f"192.0.2.{number % 254 + 1}",
                address6=f"2001:db8::{number:x}",
                mac="-".join(("02", *(hexadecimal(chance, 2).upper() for _ in range(5)))),
                user=user,
                sid=f"S-1-5-21-1000000001-2000000002-3000000003-{1000 + int(user[4:])}",
                object_id=guid(chance),
                group=chance.choice((None, "servers", "workstations")),
            )
        )
    return tuple(result)


def programs(host: Host) -> tuple[Program, ...]:
    """The programs that run on a host."""
    return WINDOWS if host.windows else LINUX if host.platform == "Linux" else MACOS


def hexadecimal(chance: random.Random, digits: int) -> str:
    """So many random hexadecimal digits."""
    return f"{chance.getrandbits(4 * digits):0{digits}x}"


def guid(chance: random.Random) -> str:
    """A random GUID."""
    text = hexadecimal(chance, 32)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


@cache
def fingerprint(name: str, algorithm: Literal["SHA1", "SHA256", "MD5"]) -> str:
    """The made-up hash of a file: the same for the same name everywhere."""
    return hexadecimal(dice(f"{algorithm} {name}"), {"SHA1": 40, "SHA256": 64, "MD5": 32}[algorithm])
