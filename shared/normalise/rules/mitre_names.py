"""Techniques by name only, as recommendations of Defender for Cloud have them -> threat.technique.* with MITRE's ids.

Names are the 104 that the API documents (assessmentMetadata 2021-06-01, `techniques`), some of an older ATT&CK than today's; ids are those of
ATT&CK Enterprise.
"""

from __future__ import annotations

from shared.normalise.rules.mitre import Techniques, techniques

# fmt: off
IDS: dict[str, str] = {
    "Abuse Elevation Control Mechanism":            "T1548",
    "Access Token Manipulation":                    "T1134",
    "Account Discovery":                            "T1087",
    "Account Manipulation":                         "T1098",
    "Active Scanning":                              "T1595",
    "Application Layer Protocol":                   "T1071",
    "Audio Capture":                                "T1123",
    "Boot or Logon Autostart Execution":            "T1547",
    "Boot or Logon Initialization Scripts":         "T1037",
    "Brute Force":                                  "T1110",
    "Cloud Infrastructure Discovery":               "T1580",
    "Cloud Service Dashboard":                      "T1538",
    "Cloud Service Discovery":                      "T1526",
    "Command and Scripting Interpreter":            "T1059",
    "Compromise Client Software Binary":            "T1554",  # now Compromise Host Software Binary
    "Compromise Infrastructure":                    "T1584",
    "Container and Resource Discovery":             "T1613",
    "Create Account":                               "T1136",
    "Create or Modify System Process":              "T1543",
    "Credentials from Password Stores":             "T1555",
    "Data Destruction":                             "T1485",
    "Data Encrypted for Impact":                    "T1486",
    "Data Manipulation":                            "T1565",
    "Data Staged":                                  "T1074",
    "Data from Cloud Storage Object":               "T1530",  # now Data from Cloud Storage
    "Data from Configuration Repository":           "T1602",
    "Data from Information Repositories":           "T1213",
    "Data from Local System":                       "T1005",
    "Defacement":                                   "T1491",
    "Deobfuscate/Decode Files or Information":      "T1140",
    "Disk Wipe":                                    "T1561",
    "Domain Trust Discovery":                       "T1482",
    "Drive-by Compromise":                          "T1189",
    "Dynamic Resolution":                           "T1568",
    "Endpoint Denial of Service":                   "T1499",
    "Event Triggered Execution":                    "T1546",
    "Exfiltration Over Alternative Protocol":       "T1048",
    "Exploit Public-Facing Application":            "T1190",
    "Exploitation for Client Execution":            "T1203",
    "Exploitation for Credential Access":           "T1212",
    "Exploitation for Defense Evasion":             "T1211",
    "Exploitation for Privilege Escalation":        "T1068",
    "Exploitation of Remote Services":              "T1210",
    "External Remote Services":                     "T1133",
    "Fallback Channels":                            "T1008",
    "File and Directory Discovery":                 "T1083",
    "File and Directory Permissions Modification":  "T1222",
    "Gather Victim Network Information":            "T1590",
    "Hide Artifacts":                               "T1564",
    "Hijack Execution Flow":                        "T1574",
    "Impair Defenses":                              "T1562",
    "Implant Container Image":                      "T1525",  # now Implant Internal Image
    "Indicator Removal on Host":                    "T1070",  # now Indicator Removal
    "Indirect Command Execution":                   "T1202",
    "Ingress Tool Transfer":                        "T1105",
    "Input Capture":                                "T1056",
    "Inter-Process Communication":                  "T1559",
    "Lateral Tool Transfer":                        "T1570",
    "Man-in-the-Middle":                            "T1557",  # now Adversary-in-the-Middle
    "Masquerading":                                 "T1036",
    "Modify Authentication Process":                "T1556",
    "Modify Registry":                              "T1112",
    "Network Denial of Service":                    "T1498",
    "Network Service Scanning":                     "T1046",  # now Network Service Discovery
    "Network Sniffing":                             "T1040",
    "Non-Application Layer Protocol":               "T1095",
    "Non-Standard Port":                            "T1571",
    "OS Credential Dumping":                        "T1003",
    "Obfuscated Files or Information":              "T1027",
    "Obtain Capabilities":                          "T1588",
    "Office Application Startup":                   "T1137",
    "Permission Groups Discovery":                  "T1069",
    "Phishing":                                     "T1566",
    "Pre-OS Boot":                                  "T1542",
    "Process Discovery":                            "T1057",
    "Process Injection":                            "T1055",
    "Protocol Tunneling":                           "T1572",
    "Proxy":                                        "T1090",
    "Query Registry":                               "T1012",
    "Remote Access Software":                       "T1219",  # now Remote Access Tools
    "Remote Service Session Hijacking":             "T1563",
    "Remote Services":                              "T1021",
    "Remote System Discovery":                      "T1018",
    "Resource Hijacking":                           "T1496",
    "SQL Stored Procedures":                        "T1505.001",
    "Scheduled Task/Job":                           "T1053",
    "Screen Capture":                               "T1113",
    "Search Victim-Owned Websites":                 "T1594",
    "Server Software Component":                    "T1505",
    "Service Stop":                                 "T1489",
    "Signed Binary Proxy Execution":                "T1218",  # now System Binary Proxy Execution
    "Software Deployment Tools":                    "T1072",
    "Steal or Forge Kerberos Tickets":              "T1558",
    "Subvert Trust Controls":                       "T1553",
    "Supply Chain Compromise":                      "T1195",
    "System Information Discovery":                 "T1082",
    "Taint Shared Content":                         "T1080",
    "Traffic Signaling":                            "T1205",
    "Transfer Data to Cloud Account":               "T1537",
    "Trusted Relationship":                         "T1199",
    "Unsecured Credentials":                        "T1552",
    "User Execution":                               "T1204",
    "Valid Accounts":                               "T1078",
    "Windows Management Instrumentation":           "T1047",}
# fmt: on
_PLAIN = {name.lower(): identifier for name, identifier in IDS.items()}


def named_techniques(names: list[str] | None) -> Techniques:
    """Names of techniques -> the fields of `TECHNIQUE_FIELDS`; names without an id that we know come last, so that the others stay in pairs.

    >>> named_techniques(["Phishing", "SQL Stored Procedures"])[1:3]
    (['T1566', 'T1505'], ['Phishing', 'T1505'])
    """
    if not names:
        return Techniques()
    known = {name: _PLAIN.get(name.strip().lower()) for name in names}
    found = techniques([f"{name.strip()} ({identifier})" if identifier else name for name, identifier in known.items()])
    others = [name for name, identifier in known.items() if not identifier and not techniques([name]).ids]
    return found._replace(names=[*(found.names or ()), *others] or None) if others else found
