r"""What public detection rules compare -> which table fills it, out of which raw columns, in which form.

The names and literals are those of the rules that read Defender's data streams (elastic/detection-rules, worked out in the knowledge
folder's detection_rule_fields.json); records and expectations are our own. `CASES` stand alone; `MAKERS` put a literal of a rule into a raw record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

DEVICE: Row = {
    "Timestamp": "2026-01-02T03:04:05.1234567Z",
    "DeviceId": "d" * 40,
    "DeviceName": "Desk-1.example.com",
    "ReportId": 7,
}


@dataclass(frozen=True, slots=True)
class Raw:
    """A raw record of a table: `columns` are its own, above what every record of a device has."""

    table: str
    columns: Row = field(default_factory=dict)

    def having(self, **columns: Any) -> Raw:
        """The same record with some columns set."""
        return Raw(self.table, {**self.columns, **columns})

    @property
    def properties(self) -> Row:
        """All columns."""
        return {**DEVICE, **self.columns}


def doer(
    path: str, command_line: str, name: str = "kim", domain: str = "contoso", sid: str = "S-1-5-21-1-2-3-1001"
) -> Row:
    """The initiating process' columns; Defender writes its path in lower case on Windows."""
    windows = "\\" in path
    return {
        "InitiatingProcessFolderPath": path.lower() if windows else path,
        "InitiatingProcessFileName": path.replace("\\", "/").rpartition("/")[2],
        "InitiatingProcessCommandLine": command_line,
        "InitiatingProcessId": 4880,
        "InitiatingProcessCreationTime": "2026-01-02T02:00:00.5Z",
        "InitiatingProcessAccountName": name,
        "InitiatingProcessAccountDomain": domain,
        "InitiatingProcessAccountSid": sid,
        "InitiatingProcessParentFileName": "winlogon.exe" if windows else "init",
        "InitiatingProcessParentId": 640,
    }


def started(path: str, command_line: str, parent: Row, **account: str) -> Raw:
    """A process' start."""
    who = {"AccountName": "kim", "AccountDomain": "contoso", "AccountSid": "S-1-5-21-1-2-3-1001", **account}
    return Raw("DeviceProcessEvents", {
        "ActionType": "ProcessCreated", "FolderPath": path, "FileName": path.replace("\\", "/").rpartition("/")[2], "ProcessCommandLine": command_line,
        "ProcessId": 9001, "ProcessCreationTime": "2026-01-02T03:04:05.12Z", **who, **parent,
    })  # fmt: skip


def on(device: str, raw: Raw) -> Raw:
    """The same record of another device: what one is known to run would be taken for the other's."""
    return raw.having(DeviceId=device)


LINUX, MAC = "1" * 40, "2" * 40

# fmt: off
EXPLORER = doer(r"C:\Windows\explorer.exe", "explorer.exe")
KERNEL = {**doer("System", "", "system", "nt authority", "S-1-5-18"), "InitiatingProcessFolderPath": None, "InitiatingProcessCommandLine": None,
          "InitiatingProcessId": 4, "InitiatingProcessParentFileName": None}
PROCESS = started(r"C:\Windows\System32\net.exe", r'"C:\Windows\System32\net.exe" user kim "pass word" /add', EXPLORER)
LINUX_PROCESS = on(LINUX, started("/tmp/.x/curl", "curl -o 'a b' http://198.51.100.7/x", doer("/usr/bin/bash", "bash -c true", "root", "web-1", ""), AccountSid="",
                        AccountName="root"))
MACOS_PROCESS = on(MAC, started("/usr/bin/curl", "/usr/bin/curl -s http://198.51.100.7/x",
                        doer("/Applications/Some App.app/Contents/MacOS/Some App", "/Applications/Some App.app/Contents/MacOS/Some App --x y", "kim", "mac-1", "")))
FILE = Raw("DeviceFileEvents", {"ActionType": "FileCreated", "FolderPath": r"C:\Users\kim\Downloads\invoice.pdf.exe", "FileName": "invoice.pdf.exe",
                                "FileSize": 165, **EXPLORER})
LINUX_FILE = on(LINUX, Raw("DeviceFileEvents", {"ActionType": "FileDeleted", "FolderPath": "/etc/ld.so.preload", "FileName": "ld.so.preload",
                                      **doer("/usr/bin/rm", "rm /etc/ld.so.preload", "root", "web-1", "")}))
REGISTRY = Raw("DeviceRegistryEvents", {"ActionType": "RegistryValueSet", "RegistryKey": r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Lsa",
                                        "RegistryValueName": "RunAsPPL", "RegistryValueType": "Dword", "RegistryValueData": "0", **EXPLORER})
NETWORK = Raw("DeviceNetworkEvents", {"ActionType": "ConnectionSuccess", "LocalIP": "10.0.0.5", "LocalPort": 50111, "RemoteIP": "198.51.100.7", "RemotePort": 445,
                                      "Protocol": "Tcp", **KERNEL})
LIBRARY = Raw("DeviceImageLoadEvents", {"ActionType": "ImageLoaded", "FolderPath": r"C:\Users\Public\wow64log.dll", "FileName": "wow64log.dll", "SHA256": "a" * 64, **EXPLORER})
DRIVER = Raw("DeviceEvents", {"ActionType": "DriverLoad", "FolderPath": r"C:\Windows\System32\drivers\rtcore64.sys", "FileName": "rtcore64.sys", "SHA256": "b" * 64, **KERNEL})
LSASS = Raw("DeviceEvents", {"ActionType": "OpenProcessApiCall", "FileName": "lsass.exe", "FolderPath": r"C:\Windows\System32", "AdditionalFields": '{"DesiredAccess":4112}',
                             **doer(r"C:\Users\kim\dump.exe", "dump.exe")})
LOGON = Raw("DeviceLogonEvents", {"ActionType": "LogonSuccess", "LogonType": "RemoteInteractive", "AccountName": "kim", "AccountDomain": "contoso",
                                  "AccountSid": "S-1-5-21-1-2-3-1001", "RemoteIP": "198.51.100.7", "Protocol": "Negotiate"})
LINUX_LOGON = on(LINUX, Raw("DeviceLogonEvents", {"ActionType": "LogonFailed", "AccountName": "root", "AdditionalFields": '{"PosixUserId":0}',
                                        **doer("/usr/sbin/sshd", "sshd: [accepted]", "root", "web-1", "")}))

SYSTEM = {"AccountName": "system", "AccountDomain": "nt authority", "AccountSid": "S-1-5-18"}
TOLD = PROCESS.having(ProcessVersionInfoOriginalFileName="net.exe", ProcessIntegrityLevel="System")
USER_HIVE = REGISTRY.having(RegistryKey=r"HKEY_CURRENT_USER\S-1-5-21-1-2-3-1001\Software\Remcos-ABC123", RegistryValueName="licence",
                            RegistryValueType="String", RegistryValueData="F00")
UNNAMED = REGISTRY.having(RegistryKey=r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Run", RegistryValueName="", RegistryValueType="String",
                          RegistryValueData="x.exe")

# (field, raw record, the field's value)
CASES: tuple[tuple[str, Raw, Any], ...] = (
    # what the event is
    ("host.os.type", PROCESS, "windows"), ("host.os.type", LINUX_PROCESS, "linux"), ("host.os.type", MACOS_PROCESS, "macos"),
    ("host.os.type", FILE, "windows"), ("host.os.type", LINUX_FILE, "linux"), ("host.os.type", REGISTRY, "windows"),
    ("host.os.type", NETWORK, "windows"), ("host.os.type", LIBRARY, "windows"), ("host.os.type", DRIVER, "windows"),
    ("host.os.type", LOGON, "windows"), ("host.os.type", LINUX_LOGON, "linux"),
    ("host.os.type", NETWORK.having(InitiatingProcessAccountSid=None), "windows"),  # the kernel by its name alone
    ("host.os.family", LSASS, "windows"), ("host.os.family", MACOS_PROCESS, "darwin"),
    ("host.id", PROCESS, "d" * 40), ("host.id", NETWORK, "d" * 40), ("host.name", PROCESS, "desk-1.example.com"),
    ("event.category", PROCESS, ["process"]), ("event.category", FILE, ["file"]), ("event.category", REGISTRY, ["registry"]),
    ("event.category", NETWORK, ["network"]), ("event.category", LIBRARY, ["library"]), ("event.category", DRIVER, ["driver"]),
    ("event.category", LOGON, ["authentication"]), ("event.category", LSASS, ["api"]),
    ("event.type", PROCESS, ["start"]), ("event.type", FILE, ["creation"]), ("event.type", FILE.having(ActionType="FileModified"), ["change"]),
    ("event.type", FILE.having(ActionType="FileRenamed"), ["change"]), ("event.type", LINUX_FILE, ["deletion"]),
    ("event.type", REGISTRY, ["change"]), ("event.type", REGISTRY.having(ActionType="RegistryKeyCreated"), ["creation"]),
    ("event.type", REGISTRY.having(ActionType="RegistryValueDeleted"), ["deletion"]), ("event.type", REGISTRY.having(ActionType="RegistryKeyDeleted"), ["deletion"]),
    ("event.type", NETWORK, ["connection", "start"]), ("event.type", LIBRARY, ["start"]), ("event.type", DRIVER, ["start"]), ("event.type", LOGON, ["start"]),
    ("event.outcome", LOGON, "success"), ("event.outcome", LINUX_LOGON, "failure"),
    ("event.action", PROCESS, "processcreated"), ("event.action", FILE.having(ActionType="FileDeleted"), "filedeleted"),
    ("event.kind", Raw("AlertInfo", {"AlertId": "a1", "Title": "t"}), "alert"),
    ("data_stream.dataset", PROCESS, "m365_defender.event"), ("event.dataset", PROCESS, "m365_defender.event"),
    # the process
    ("process.name", PROCESS, "net.exe"), ("process.name", PROCESS.having(FileName="Runner.Worker.EXE"), "Runner.Worker.EXE"),
    ("process.name", PROCESS.having(FileName=None), "net.exe"),  # out of the path
    ("process.name", PROCESS.having(FileName=None, FolderPath=None), "net.exe"),  # out of the command line
    ("process.name", NETWORK, "System"), ("process.name", FILE, "explorer.exe"), ("process.name", LINUX_PROCESS, "curl"),
    ("process.executable", PROCESS, r"C:\Windows\System32\net.exe"), ("process.executable", LINUX_PROCESS, "/tmp/.x/curl"),
    ("process.executable", PROCESS.having(FolderPath=r"C:\Windows\System32"), r"C:\Windows\System32\net.exe"),  # a folder: the name is joined
    ("process.executable", PROCESS.having(FolderPath=r"\Device\Mup\tsclient\c\net.exe"), r"\Device\Mup\tsclient\c\net.exe"),
    ("process.executable", REGISTRY, r"c:\windows\explorer.exe"), ("process.executable", LSASS, r"c:\users\kim\dump.exe"),
    ("process.command_line", PROCESS, r'"C:\Windows\System32\net.exe" user kim "pass word" /add'),
    ("process.args", PROCESS, [r"C:\Windows\System32\net.exe", "user", "kim", "pass word", "/add"]),
    ("process.args", PROCESS.having(ProcessCommandLine=r'cmd.exe /c "echo x > \\.\pipe\abc"'), ["cmd.exe", "/c", r"echo x > \\.\pipe\abc"]),
    ("process.args", PROCESS.having(ProcessCommandLine='netsh advfirewall firewall set rule group="remote desktop" new enable=Yes'),
     ["netsh", "advfirewall", "firewall", "set", "rule", "group=remote desktop", "new", "enable=Yes"]),
    ("process.args", LINUX_PROCESS, ["curl", "-o", "a b", "http://198.51.100.7/x"]),
    ("process.args", MACOS_PROCESS, ["/usr/bin/curl", "-s", "http://198.51.100.7/x"]),
    ("process.args_count", PROCESS, 5), ("process.args_count", PROCESS.having(ProcessCommandLine=r"C:\x.exe:hidden"), 1),
    ("process.pe.original_file_name", TOLD, "net.exe"),
    ("process.pe.original_file_name", PROCESS.having(ProcessVersionInfoInternalFileName="x"), None),  # never the internal name
    ("process.pe.original_file_name", FILE.having(InitiatingProcessVersionInfoOriginalFileName="EXPLORER.EXE"), "EXPLORER.EXE"),
    ("process.pid", PROCESS, 9001), ("process.pid", NETWORK, 4), ("process.pid", NETWORK.having(InitiatingProcessId="4"), 4), ("process.pid", NETWORK.having(InitiatingProcessId=0), 0),
    ("process.entity_id", PROCESS, f"{'d' * 40}-9001-2026-01-02T03:04:05.120"),
    ("process.entity_id", NETWORK.having(InitiatingProcessId=9001, InitiatingProcessCreationTime="2026-01-02T03:04:05.12Z"), f"{'d' * 40}-9001-2026-01-02T03:04:05.120"),
    ("process.Ext.token.integrity_level_name", TOLD, "System"), ("process.Ext.token.integrity_level_name", REGISTRY.having(InitiatingProcessIntegrityLevel="High"), "High"),
    ("process.Ext.api.name", LSASS, "OpenProcess"), ("process.Ext.api.name", LSASS.having(ActionType="ReadProcessMemoryApiCall"), "ReadProcessMemory"),
    ("Target.process.name", LSASS, "lsass.exe"), ("Target.process.executable", LSASS, r"C:\Windows\System32\lsass.exe"),
    # its parent
    ("process.parent.name", PROCESS, "explorer.exe"), ("process.parent.name", MACOS_PROCESS, "Some App"), ("process.parent.name", FILE, "winlogon.exe"),
    ("process.parent.executable", PROCESS, r"c:\windows\explorer.exe"), ("process.parent.pid", PROCESS, 4880), ("process.parent.pid", FILE, 640),
    ("process.parent.args", PROCESS.having(**doer(r"C:\Windows\System32\svchost.exe", r"C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule")),
     [r"C:\Windows\system32\svchost.exe", "-k", "netsvcs", "-p", "-s", "Schedule"]),
    ("process.parent.args", MACOS_PROCESS, ["/Applications/Some App.app/Contents/MacOS/Some App", "--x", "y"]),
    ("process.parent.command_line", PROCESS, "explorer.exe"), ("process.parent.code_signature.exists", PROCESS.having(InitiatingProcessSignatureStatus="Unsigned"), False),
    # who
    ("user.id", PROCESS.having(**SYSTEM), "S-1-5-18"), ("user.id", REGISTRY, "S-1-5-21-1-2-3-1001"),
    ("user.name", PROCESS.having(**SYSTEM), "SYSTEM"), ("user.name", PROCESS, "kim"), ("user.name", FILE, "kim"), ("user.name", LINUX_PROCESS, "root"), ("user.name", LOGON, "kim"),
    ("user.domain", PROCESS.having(**SYSTEM), "NT AUTHORITY"), ("user.domain", PROCESS.having(AccountDomain="iis apppool", AccountSid="S-1-5-82-1"), "IIS APPPOOL"),
    ("user.domain", FILE, "contoso"), ("user.domain", PROCESS.having(AccountDomain="AUTORITE NT", AccountSid="S-1-5-18", AccountName="Système"), "AUTORITE NT"),
    # files, libraries, drivers
    ("file.path", FILE, r"C:\Users\kim\Downloads\invoice.pdf.exe"), ("file.path", FILE.having(FolderPath=r"C:\Users\kim\Downloads"), r"C:\Users\kim\Downloads\invoice.pdf.exe"),
    ("file.name", FILE, "invoice.pdf.exe"), ("file.extension", FILE, "exe"), ("file.extension", FILE.having(FileName="notes.txt:x.js", FolderPath=r"C:\notes.txt:x.js"), "js"),
    ("file.size", FILE, 165), ("file.size", FILE.having(FileSize=0), 0),
    ("dll.name", LIBRARY, "wow64log.dll"), ("dll.path", LIBRARY, r"C:\Users\Public\wow64log.dll"), ("dll.hash.sha256", LIBRARY, "a" * 64),
    ("dll.name", DRIVER, "rtcore64.sys"), ("dll.path", DRIVER, r"C:\Windows\System32\drivers\rtcore64.sys"), ("dll.hash.sha256", DRIVER, "b" * 64),
    # the registry
    ("registry.hive", REGISTRY, "HKLM"), ("registry.key", REGISTRY, r"SYSTEM\ControlSet001\Control\Lsa"), ("registry.value", REGISTRY, "RunAsPPL"),
    ("registry.path", REGISTRY, r"HKLM\SYSTEM\ControlSet001\Control\Lsa\RunAsPPL"),
    ("registry.path", USER_HIVE, r"HKU\S-1-5-21-1-2-3-1001\Software\Remcos-ABC123\licence"), ("registry.hive", USER_HIVE, "HKU"),
    ("registry.path", UNNAMED, "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\"),
    ("registry.data.strings", REGISTRY, ["0", "0x00000000"]), ("registry.data.strings", REGISTRY.having(RegistryValueData="0x4"), ["4", "0x00000004"]),
    ("registry.data.strings", REGISTRY.having(RegistryValueData=2), ["2", "0x00000002"]), ("registry.data.strings", UNNAMED, ["x.exe"]),
    ("registry.data.strings", Raw("DeviceEvents", {"ActionType": "OtherAlertRelatedActivity", "RegistryKey": r"HKEY_LOCAL_MACHINE\X", "RegistryValueData": "0x1"}), ["1", "0x00000001"]),
    # connections
    ("destination.ip", NETWORK, "198.51.100.7"), ("destination.port", NETWORK, 445), ("source.ip", NETWORK, "10.0.0.5"), ("network.transport", NETWORK, "tcp"),
    ("network.direction", NETWORK, "egress"), ("network.direction", NETWORK.having(ActionType="InboundConnectionAccepted"), "ingress"),
    ("source.ip", NETWORK.having(ActionType="InboundConnectionAccepted"), "198.51.100.7"), ("source.ip", LOGON, "198.51.100.7"),
    ("dns.question.name", Raw("DeviceEvents", {"ActionType": "DnsQueryResponse", "AdditionalFields": '{"DnsQueryString":"www.example.com"}', **EXPLORER}), "www.example.com"),
)

# Literals that no record of Defender can have: of other sources, named in the same rule, or another way to write what we write in one.
FOREIGN: dict[str, tuple[str, ...]] = {
    "event.action": ("*",),  # words of other sources, save "deletion" and "open" which rules exclude: Elastic's integration has the ActionType in lower case, and so have we
    "data_stream.dataset": ("*",),  # the datasets of Sysmon and CrowdStrike, which the rules exclude
    "registry.path": (r"\REGISTRY\*", r"MACHINE\*", r"HKEY_USERS\*", r"HKCU\*"),  # each stands beside HKLM or HKU, which is what we write
}
# A literal that is a regular expression -> a text that it matches.
MATCHING: dict[str, str] = {
    r".*\.(vbs|vbe|bat|js|cmd|wsh|ps1|pdf|docx?|xlsx?|pptx?|txt|rtf|gif|jpg|png|bmp|hta|txt|img|iso)\.exe": "invoice.pdf.exe",
    r"[A-Z]:\\:.+": r"C:\:x.exe",
    r"C:\\Program Files( \(x86\))?\\Cisco Systems\\.*": r"C:\Program Files (x86)\Cisco Systems\x",
    r"C:\\Program Files( \(x86\))?\\Steam\\.*": r"C:\Program Files\Steam\x",
    r"C:\\Program Files( \(x86\))?\\ThinKiosk\\thinkiosk\.exe": r"C:\Program Files\ThinKiosk\thinkiosk.exe",
    r".*\\PSAppDeployToolkit\\.*": r"C:\x\PSAppDeployToolkit\y",
}


def quoted(argument: str) -> str:
    """An argument as Microsoft's rules write it into a command line."""
    written, slashes = "", 0
    for character in argument:
        if character == "\\":
            slashes += 1
            continue
        written += "\\" * (2 * slashes + 1 if character == '"' else slashes) + character
        slashes = 0
    return f'"{written}{chr(92) * (2 * slashes)}"'


def in_hive(path: str) -> tuple[str, str]:
    """registry.path as rules write it -> RegistryKey as Defender does, and RegistryValueName."""
    key, _, name = path.rpartition("\\")
    hive, _, below = key.partition("\\")
    full = {"HKLM": "HKEY_LOCAL_MACHINE", "HKU": "HKEY_CURRENT_USER"}.get(hive.upper())
    return (f"{full}\\{below}" if full else f"HKEY_LOCAL_MACHINE\\{key}"), name


# Field -> the raw record in which a rule's literal stands where Defender has it.
MAKERS: dict[str, Callable[[Any], Raw]] = {
    "host.os.type":                 lambda v: {"windows": PROCESS, "linux": LINUX_PROCESS, "macos": MACOS_PROCESS}[v],
    "event.type":                   lambda v: {"start": PROCESS, "change": REGISTRY, "deletion": LINUX_FILE, "creation": FILE}[v],
    "event.category":               lambda v: {"process": PROCESS, "file": FILE, "registry": REGISTRY}[v],
    "process.name":                 lambda v: PROCESS.having(FileName=v, FolderPath=rf"C:\x\{v}"),
    "process.executable":           lambda v: PROCESS.having(FileName=v.replace("\\", "/").rpartition("/")[2], FolderPath=v),
    "process.args":                 lambda v: PROCESS.having(ProcessCommandLine=f"x.exe {quoted(v)} y"),
    "process.args_count":           lambda v: PROCESS.having(ProcessCommandLine=" ".join(["x"] * int(v))),
    "process.command_line":         lambda v: PROCESS.having(ProcessCommandLine=v),
    "process.pid":                  lambda v: NETWORK.having(InitiatingProcessId=int(v)),
    "process.pe.original_file_name": lambda v: PROCESS.having(ProcessVersionInfoOriginalFileName=v),
    "process.Ext.token.integrity_level_name": lambda v: PROCESS.having(ProcessIntegrityLevel=v),
    "process.parent.name":          lambda v: PROCESS.having(InitiatingProcessFileName=v, InitiatingProcessFolderPath=rf"c:\x\{v}".lower()),
    "process.parent.executable":    lambda v: PROCESS.having(InitiatingProcessFileName=v.rpartition("\\")[2], InitiatingProcessFolderPath=v.lower()),
    "process.parent.args":          lambda v: PROCESS.having(InitiatingProcessCommandLine=f"x.exe {quoted(v)} y"),
    "process.parent.command_line":  lambda v: PROCESS.having(InitiatingProcessCommandLine=v),
    "process.parent.pid":           lambda v: PROCESS.having(InitiatingProcessId=int(v)),
    "user.id":                      lambda v: PROCESS.having(AccountSid=v),
    "user.name":                    lambda v: PROCESS.having(AccountName=v.lower(), AccountDomain="nt authority", AccountSid="S-1-5-18"),
    "user.domain":                  lambda v: PROCESS.having(AccountDomain=v.lower()),
    "file.path":                    lambda v: FILE.having(FolderPath=v, FileName=v.rpartition("\\")[2]),
    "file.name":                    lambda v: FILE.having(FolderPath=rf"C:\x\{v}", FileName=v),
    "file.extension":               lambda v: FILE.having(FolderPath=rf"C:\x\a.{v}", FileName=f"a.{v}"),
    "file.size":                    lambda v: FILE.having(FileSize=int(v)),
    "registry.key":                 lambda v: REGISTRY.having(RegistryKey=rf"HKEY_LOCAL_MACHINE\SYSTEM\{v}"),
    "registry.value":               lambda v: REGISTRY.having(RegistryValueName=v),
    "registry.path":                lambda v: REGISTRY.having(RegistryKey=in_hive(v)[0], RegistryValueName=in_hive(v)[1]),
    "registry.data.strings":        lambda v: REGISTRY.having(RegistryValueData=v, RegistryValueType="Dword" if v.isdigit() or v.startswith("0x") else "String"),
    "destination.ip":               lambda v: NETWORK.having(RemoteIP=v.partition("/")[0].lower()),
}
# fmt: on
