"""What evidence of a Graph security alert may hold: Microsoft's properties of all evidence types, and the fields they become.

One shape serves all types (Microsoft Graph v1.0, `security.alertEvidence` and what is derived from it): members of a type that is new are
then mapped where another type has them. Fields that Elastic's package has are called as there.

An object in an item is typed too, down to the depth written here. Kept as they came (`flattened`) are chains that have no end of their own:
a container's `pod` and a pod's containers, the `namespace` of what lies in a pod, the image behind an image's digest, domains that a trusted
domain trusts, where an address in an item is and by which stream it came, and what has free keys (labels, selectors).
"""

from __future__ import annotations

from shared.normalise.mapping import OBJECTS, Shape
from shared.normalise.shapes import MANY, Objects, shape_of

# fmt: off
_TYPE = "@odata.type=odata_type "
_BASE = _TYPE + "createdDateTime:date verdict remediationStatus remediationStatusDetails roles* detailedRoles* tags* "

# Complex types.
_ACCESS = shape_of(_TYPE + "accessDateTime:date accountId ipAddress:ip resourceIdentifier")
_FILE_DETAILS = shape_of(_TYPE + """
    fileName=name filePath=path filePublisher=publisher fileSize=size:long issuer md5 sha1 sha256 sha256Ac signer""")
_ACCOUNT = shape_of(_TYPE + """
    accountName activeDirectoryObjectGuid azureAdUserId displayName domainName tenantId userPrincipalName userSid""",
    resourceAccessEvents=("resource_access_events", _ACCESS, MANY))
_SENDER = shape_of(_TYPE + "displayName domainName emailAddress")
_STREAM = shape_of(_TYPE + "name")
_GEO = shape_of(_TYPE + "city countryName latitude:latitude longitude:longitude state")
_PORT = shape_of(_TYPE + "appProtocol name nodePort:long port:long protocol targetPort")

# Members that several types have, and types that lie in others.
_DEVICE = """
    azureAdDeviceId defenderAvStatus deviceDnsName dnsDomain firstSeenDateTime:date healthStatus hostName ipInterfaces*:ip
    lastExternalIpAddress:ip lastIpAddress:ip mdeDeviceId ntDomain onboardingStatus osBuild osPlatform rbacGroupId=rbac_group.id
    rbacGroupName=rbac_group.name riskScore version """
_DEVICE_OBJECTS: dict[str, Objects] = {
    "loggedOnUsers":        ("logged_on_users", shape_of(_TYPE + "accountName domainName"), MANY),
    "resourceAccessEvents": ("resource_access_events", _ACCESS, MANY),
    "vmMetadata":           ("vm_metadata", shape_of(_TYPE + "cloudProvider resourceId subscriptionId vmId")),
}
_PROCESS = """
    detectionStatus mdeDeviceId parentProcessCreationDateTime=parent_process.creation_datetime:date parentProcessId=parent_process.id:long
    processCommandLine=process.command_line:wildcard processCreationDateTime=process.creation_datetime:date processId=process.id:long """
_PROCESS_OBJECTS: dict[str, Objects] = {
    "imageFile":              ("image_file", _FILE_DETAILS),
    "parentProcessImageFile": ("parent_process.image_file", _FILE_DETAILS),
    "userAccount":            ("user_account", _ACCOUNT),
}
_RESOURCE = """
    amazonAccountId amazonResourceId fullResourceName location locationType projectId projectNumber resourceId resourceName resourceType """
_AZURE = shape_of(_BASE + "resourceId resourceName resourceType")
_IP = shape_of(_BASE + "ipAddress:ip countryLetterCode location:flattened stream:flattened")
_URL = shape_of(_BASE + "url")
_USER = shape_of(_BASE + "stream:flattened", userAccount=("user_account", _ACCOUNT))
_FILE = shape_of(_BASE + "detectionStatus mdeDeviceId", fileDetails=("file_details", _FILE_DETAILS))
_CLUSTER = shape_of(_BASE + "distribution name platform version", cloudResource=("cloud_resource", shape_of(_BASE + _RESOURCE)))

# One key, an object in some types and a plain value in others.
_EITHER: dict[str, Objects] = {
    f"ipAddress{OBJECTS}": ("ip", _IP),
    f"location{OBJECTS}":  ("geo_location", _GEO),
    f"registry{OBJECTS}":  ("container_registry", shape_of(_BASE + "registry")),
    f"urls{OBJECTS}":      ("url_evidence", _URL, MANY),
}

EVIDENCE: Shape = shape_of(
    _BASE + _DEVICE + _PROCESS + _RESOURCE + """
    activeDirectoryDomainName agentId agentName algorithm allowedIpAddresses allowedResourceTypes* allowedServices*
    antiSpamDirection=antispam_direction appId appOwnerTenantId args* attachmentsCount:long baseUrl browser campaignId category channelId
    clusterBy clusterByValue command* company configurationId configurationType containerId containers:flattened countryLetterCode
    deliveryAction deliveryLocation destinationPort:long deviceId deviceName devicePageLink deviceSubType deviceType displayName
    distinguishedName distribution domainName email emailCount:long endUtcDateTime:date ephemeralContainers:flattened etag
    expiryDateTime:date externalDirectoryObjectId friendlyName groupId hostingPlatformType imageId importance initContainers:flattened
    instanceId instanceName instructions internetMessageId ioTSecurityAgentId=iot_security_agent_id ipAddress:ip isAuthorized:boolean
    isExternal:boolean isOwned:boolean isPrivileged:boolean isProgramming:boolean isScanner:boolean labels:flattened language
    lastModifiedDateTime:date login macAddress mailboxPrimaryAddress manufacturer messageDirection messageId model name networkMessageId
    networkMessageIds* objectId operatingSystem orgId owner owners* ownerType owningTenantId parentMessageId permissions* platform
    pod:flattened previousLogonDateTime:date primaryAddress protocol protocols* publisher purdueLayer query:wildcard receivedDateTime:date
    recipient recipientEmailAddress recipients* registry registryHive registryKey registryValue:wildcard registryValueName:wildcard
    registryValueType repoId reportType requestId saasAppId secretType securityGroupId selector:flattened sender senderFromAddress
    senderIp:ip senderIP=sender_ip:ip sensor serialNumber servicePrincipalName servicePrincipalObjectId servicePrincipalType serviceType
    sessionId sid activeDirectoryObjectGuid signatureHash signedWith site source sourceAppName sourceId sourcePort:long
    startDateTime:date startUtcDateTime:date subject:wildcard submissionDateTime:date submissionId submitter suspiciousRecipients* tenantId
    threadId threadType threatDetectionMethods* threats* type upn url urlCount:long urls* urn userAgent userId value vlans* webUrl zone""",
    **_DEVICE_OBJECTS,
    **_PROCESS_OBJECTS,
    account=("account", _USER),
    blobContainer=("blob_container", shape_of(_BASE + "name url", storageResource=("storage_resource", _AZURE))),
    cloudResource=("cloud_resource", shape_of(_BASE + _RESOURCE)),
    cluster=("cluster", _CLUSTER),
    clusterIP=("cluster_ip", _IP),
    controller=("controller", shape_of(_BASE + "labels:flattened name namespace:flattened type")),
    destinationAddress=("destination_address", _IP),
    digestImage=("digest_image", shape_of(_BASE + "digestImage:flattened imageId registry:flattened")),
    dnsServerIp=("dns_server_ip", _IP),
    externalIPs=("external_ips", _IP, MANY),
    fileDetails=("file_details", _FILE_DETAILS),
    fileHashes=("file_hashes", shape_of(_TYPE + "algorithm value"), MANY),
    files=("files", _FILE, MANY),
    host=("host", shape_of(_BASE + _DEVICE, **_DEVICE_OBJECTS)),
    hostIpAddress=("host_ip_address", _IP),
    image=("image", shape_of(_BASE + "digestImage:flattened imageId registry:flattened")),
    ioTHub=("iot_hub", _AZURE),
    ipAddresses=("ip_addresses", _IP, MANY),
    namespace=("namespace", shape_of(_BASE + "labels:flattened name", cluster=("cluster", _CLUSTER))),
    nics=("nics", shape_of(_BASE + "macAddress vlans*", ipAddress=("ip", _IP)), MANY),
    p1Sender=("p1_sender", _SENDER),
    p2Sender=("p2_sender", _SENDER),
    podIp=("pod_ip", _IP),
    processes=("processes", shape_of(_BASE + _PROCESS, **_PROCESS_OBJECTS), MANY),
    serviceAccount=("service_account", shape_of(_BASE + "name namespace:flattened")),
    servicePorts=("service_ports", _PORT, MANY),
    sourceAddress=("source_address", _IP),
    sourceRef=("source_ref", _URL),
    storageResource=("storage_resource", _AZURE),
    stream=("stream", _STREAM),
    trustedDomains=("trusted_domains", shape_of(_BASE + "activeDirectoryDomainName trustedDomains:flattened"), MANY),
) | shape_of("", **_EITHER)
# fmt: on
