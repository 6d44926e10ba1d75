"""A scene -> rows that describe things rather than events: devices, their networks, certificates, alerts and evidence."""

from __future__ import annotations

import json
from collections.abc import Callable

from local.load_records import (
    Row,
    Scene,
    device_events,
    file_events,
    image_load_events,
    logon_events,
    network_events,
    process_events,
    registry_events,
    remote_ip,
)
from local.load_world import DOMAIN, TECHNIQUES, fingerprint, guid, hexadecimal

LARGE_REPORT = 637_000_000_000_000_000  # DeviceInfo and DeviceNetworkInfo count in numbers that no float holds


def thing(scene: Scene) -> Row:
    """The columns that rows about devices share: an event's without the action and the container."""
    return {name: value for name, value in scene.device(None).items() if name != "AppGuardContainerId"}


def device_info(scene: Scene) -> Row:
    """DeviceInfo."""
    host = scene.host
    empty = (
        *(
            "RegistryDeviceTag",
            "OSDistribution",
            "MergedDeviceIds",
            "MergedToDeviceId",
            "ExclusionReason",
            "HostDeviceId",
        ),
        *("DeviceManualTags", "DeviceDynamicTags", "AzureResourceId", "AwsResourceName", "GcpFullResourceName"),
        *(
            "HardwareUuid",
            "CloudPlatforms",
            "AzureVmId",
            "AzureVmSubscriptionId",
            "OsBuildRevision",
            "MitigationStatus",
        ),
    )
    return {
        **dict.fromkeys(empty),
        **thing(scene),
        "ReportId": LARGE_REPORT + scene.number,
        "ClientVersion": "10.8760.22621.3880",
        "PublicIP": remote_ip(scene),
        "OSArchitecture": "64-bit",
        "OSPlatform": host.platform,
        "OSBuild": 22621 if host.windows else None,
        "OSVersion": {"Linux": "12.0", "macOS": "14.6"}.get(host.platform, "10.0"),
        "OSVersionInfo": "22H2" if host.windows else None,
        "IsAzureADJoined": host.windows,
        "JoinType": "AAD Joined" if host.windows else None,
        "AadDeviceId": guid(scene.chance),
        "LoggedOnUsers": json.dumps([{"UserName": host.user, "DomainName": DOMAIN, "Sid": host.sid}]),
        "OnboardingStatus": "Onboarded",
        "AdditionalFields": "[]",
        "DeviceCategory": "Endpoint",
        "DeviceType": "Server" if "Server" in host.platform else "Workstation",
        "DeviceSubtype": "Workstation",
        "Model": "Model 7",
        "Vendor": "Example Computers",
        "IsInternetFacing": False,
        "SensorHealthState": "Active",
        "IsExcluded": False,
        "ExposureLevel": scene.chance.choice(("Low", "Medium", "High")),
        "AssetValue": None,
        "ConnectivityType": "Streamlined",
        "IsTransient": False,
    }


def network_info(scene: Scene) -> Row:
    """DeviceNetworkInfo."""
    host = scene.host
    addresses = [
        {"IPAddress": host.address, "SubnetPrefix": 24, "AddressType": "Private"},
        {"IPAddress": host.address6, "SubnetPrefix": 64, "AddressType": "Private"},
    ]
    return {
        **thing(scene),
        "ReportId": LARGE_REPORT + scene.number,
        "NetworkAdapterName": "{" + guid(scene.chance).upper() + "}",
        "NetworkAdapterType": scene.chance.choice(("Ethernet", "Wireless80211")),
        "NetworkAdapterStatus": "Up",
        "NetworkAdapterVendor": "Example Networks",
        "MacAddress": host.mac,
        "TunnelType": "None",
        "ConnectedNetworks": json.dumps(
            [{"Name": "example.com", "Description": "Office", "IsConnectedToInternet": True}]
        ),
        "DnsAddresses": json.dumps(["192.0.2.53", "2001:db8::53"]),
        "IPv4Dhcp": "192.0.2.67",
        "IPv6Dhcp": None,
        "DefaultGateways": json.dumps(["192.0.2.254"]),
        "IPAddresses": json.dumps(addresses),
    }


def certificate_info(scene: Scene) -> Row:
    """DeviceFileCertificateInfo."""
    program = scene.program()
    return {
        **thing(scene),
        "SHA1": fingerprint(program.name, "SHA1"),
        "IsSigned": True,
        "SignatureType": "Embedded",
        "Signer": program.company or "Example Signing",
        "SignerHash": fingerprint(program.company, "SHA1"),
        "Issuer": "Example Code Signing CA",
        "IssuerHash": fingerprint("issuer", "SHA1"),
        "CertificateSerialNumber": hexadecimal(scene.chance, 32),
        "CrlDistributionPointUrls": json.dumps(["http://crl.example.com/code.crl"]),
        "CertificateCreationTime": "2025-01-01T00:00:00Z",
        "CertificateExpirationTime": "2030-01-01T00:00:00Z",
        "CertificateCountersignatureTime": None,
        "IsTrusted": True,
        "IsRootSignerMicrosoft": program.company.startswith("Microsoft"),
    }


def alert_info(scene: Scene) -> Row:
    """AlertInfo."""
    title, category, severity, technique = scene.chance.choice(TECHNIQUES)
    return {
        "Timestamp": scene.time(),
        "AlertId": alert_id(scene),
        "Title": title,
        "Category": category,
        "Severity": severity,
        "ServiceSource": "Microsoft Defender for Endpoint",
        "DetectionSource": "EDR",
        "AttackTechniques": json.dumps([technique]),
        "MachineGroup": scene.host.group,
    }


def alert_evidence(scene: Scene) -> Row:
    """AlertEvidence: the machine, a file or a user of an alert."""
    title, category, severity, technique = scene.chance.choice(TECHNIQUES)
    kind = scene.chance.choice(("Machine", "File", "User", "Process", "Ip"))
    program = scene.program()
    empty = (
        *("EvidenceDirection", "FileName", "FolderPath", "SHA1", "SHA256", "FileSize", "ThreatFamily", "RemoteIP"),
        *("RemoteUrl", "AccountName", "AccountDomain", "AccountSid", "AccountObjectId", "AccountUpn", "LocalIP"),
        *(
            "NetworkMessageId",
            "EmailSubject",
            "Application",
            "ApplicationId",
            "OAuthApplicationId",
            "ProcessCommandLine",
        ),
        *("RegistryKey", "RegistryValueName", "RegistryValueData", "CloudResource", "CloudPlatform", "ResourceType"),
        *("ResourceID", "SubscriptionId"),
    )
    row: Row = {
        **dict.fromkeys(empty),
        "Timestamp": scene.time(),
        "AlertId": alert_id(scene),
        "Title": title,
        "Categories": json.dumps([category]),
        "AttackTechniques": json.dumps([technique]),
        "ServiceSource": "Microsoft Defender for Endpoint",
        "DetectionSource": "EDR",
        "EntityType": kind,
        "EvidenceRole": "Impacted" if kind in ("Machine", "User") else "Related",
        "DeviceId": scene.host.id,
        "DeviceName": scene.host.name,
        "Severity": severity,
        "MachineGroup": scene.host.group,
        "AdditionalFields": json.dumps({"$id": "1", "HostName": scene.host.name.split(".")[0], "Type": kind.lower()}),
    }
    if kind in ("File", "Process"):
        found = scene.file(program.name, program.folder)  # evidence has the folder without the file's name
        row.update({name: value for name, value in found.items() if name != "MD5"})
    if kind == "Process":
        row["ProcessCommandLine"] = scene.command(program)
    if kind == "User":
        row.update(scene.account())
    if kind == "Ip":
        row["RemoteIP"] = remote_ip(scene)
    return row


def alert_id(scene: Scene) -> str:
    """An alert's id."""
    return f"da{LARGE_REPORT + scene.number}_{scene.n}"


# The tables with how often each occurs: events of processes, files and networks make up most of a tenant's stream.
TABLES: dict[str, tuple[Callable[[Scene], Row], int]] = {
    "DeviceProcessEvents": (process_events, 26),
    "DeviceNetworkEvents": (network_events, 20),
    "DeviceFileEvents": (file_events, 16),
    "DeviceEvents": (device_events, 12),
    "DeviceImageLoadEvents": (image_load_events, 8),
    "DeviceRegistryEvents": (registry_events, 8),
    "DeviceLogonEvents": (logon_events, 4),
    "DeviceInfo": (device_info, 2),
    "DeviceNetworkInfo": (network_info, 2),
    "DeviceFileCertificateInfo": (certificate_info, 1),
    "AlertInfo": (alert_info, 1),
    "AlertEvidence": (alert_evidence, 2),
}
