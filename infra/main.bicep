// Everything that runs in Azure, into one resource group: az deployment sub create -l REGION -f infra/main.bicep -p infra/main.small.bicepparam
// Reading order: parameters, names, what each module makes, app settings, outputs. docs/deploy.md is the guide.
targetScope = 'subscription'

import { nameOf, shortNameOf } from 'names.bicep'
import { Settings } from 'settings.bicep'

@description('What this deployment is called: part of every name. Lower case letters, digits, hyphens.')
@minLength(2)
@maxLength(20)
param environmentName string

@description('Region; it must have Flex Consumption: az functionapp list-flexconsumption-locations.')
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Resource group; empty: named after the environment. It is made where it is missing.')
param resourceGroupName string = ''

@description('Tags of every resource.')
param tags object = {}

// What is read

@description('Hubs that Defender XDR streams to. Empty: none.')
param xdrEventHubs array = ['defender-xdr']

@description('Hubs that Defender for Cloud exports to. Empty: none.')
param cloudEventHubs array = ['defender-for-cloud']

@description('Consumer group of our own on each hub.')
param consumerGroup string = 'elasticsearch'

@description('Resource id of an Event Hubs namespace that has these hubs already; empty: a new one is made.')
param eventHubNamespaceId string = ''

@description('Subscriptions (ids) whose continuous export of Defender for Cloud is to be set up, to the first of cloudEventHubs.')
param exportSubscriptions array = []

@description('What Defender for Cloud exports. Findings (SubAssessments) come only together with Assessments.')
param exportKinds array = [
  'Alerts'
  'Assessments'
  'SubAssessments'
  'SecureScores'
  'SecureScoreControls'
  'RegulatoryComplianceAssessment'
]

@description('Object id, in this tenant, of Windows Azure Security Resource Provider, which sends what is exported; exportSubscriptions need it. az ad sp show --id 8edd93e1-2103-40b4-bd70-6e34e586362d --query id -o tsv')
param exporterPrincipalId string = ''

@description('Subscriptions (ids) whose assessments are polled: the identity gets Security Reader on them.')
param assessmentSubscriptions array = []

@description('Management groups (ids) whose assessments are polled; the role comes from managementGroup.bicep.')
param assessmentManagementGroups array = []

@description('Whether the back-fill is on: its functions, a queue, and the role for it (docs/backfill.md). It reads exportStorageId, or without it what capture wrote.')
param backfill bool = false

@description('Resource id of a storage account that Defender XDR exports to; the app gets Storage Blob Data Reader on it.')
param exportStorageId string = ''

// Where it goes, and how

@description('App settings as docs/settings.md has them; what is not given keeps its default.')
param settings Settings

@description('Further app settings: those of tenants (CONTOSO__TENANT_ID), the host\'s (OTEL_TRACES_SAMPLER).')
param moreSettings object = {}

@description('API key that ships to Elasticsearch, in its encoded form; it goes to the key vault. Empty: the vault\'s secret is left as it is.')
@secure()
param elasticsearchApiKey string = ''

@description('When that key ends, in seconds since 1970; 0: not known. An alert comes three weeks before.')
param elasticsearchApiKeyExpires int = 0

// Size

@description('Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances: no more than partitions are ever of use, besides a few for timers.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Seconds that the host waits for a batch to fill up; 0: it takes each message at once.')
@minValue(0)
@maxValue(59)
param batchSeconds int = 5

@description('Instances that are always there, each { name: \'function:xdr_stream\', instanceCount: 1 }.')
param alwaysReady array = []

@description('Whether instances are spread over zones, and storage too.')
param zoneRedundant bool = false

@description('Tier of a new Event Hubs namespace.')
@allowed(['Standard', 'Premium'])
param eventHubSku string = 'Standard'

@description('Throughput units (Standard) or processing units (Premium: 1, 2, 4, 8 or 16) of a new namespace, to begin with.')
@minValue(1)
@maxValue(40)
param eventHubCapacity int = 1

@description('Throughput units that a Standard namespace grows to by itself, no more than one for each partition of its busiest hub; 0: it does not.')
@minValue(0)
@maxValue(40)
param maximumThroughputUnits int = 8

@description('Partitions of each new hub: the most readers at once. Choose for the coming years: a Standard hub keeps its number.')
@minValue(1)
@maxValue(100)
param partitionCount int = 8

@description('Hours that a new hub keeps events: how long Elasticsearch may be away. Standard: at most 168.')
@minValue(1)
@maxValue(2160)
param retentionInHours int = 168

@description('Whether a new namespace writes every event to blobs too (capture), for back-fill.')
param capture bool = false

@description('Whether a new namespace takes shared access keys. Only where Defender XDR can not send without: docs/deploy.md.')
param allowEventHubKeys bool = false

// Networks

@description('Whether all is private: VNet integration, private endpoints for storage, Event Hubs and key vault, DNS zones, public access off.')
param privateNetworking bool = false

@description('Address range of the virtual network, /25 or wider.')
param addressPrefix string = '10.90.0.0/24'

@description('Whether the app\'s own pages (health, status) and deployment can be reached from outside the network. Disabled adds a private endpoint for the app.')
@allowed(['Enabled', 'Disabled'])
param appPublicAccess string = 'Enabled'

// Logs

@description('Days that logs and telemetry are kept.')
@minValue(30)
@maxValue(730)
param logRetentionInDays int = 30

@description('Most gigabytes of logs and telemetry a day; -1: no cap.')
param logDailyCapGb int = 5

@description('Mail addresses that are told of alerts (docs/alerts.md). Empty: alerts are only seen in the portal.')
param alertEmails array = []

var stem = 'defender-${environmentName}'
var token = uniqueString(subscription().id, environmentName, location)
var allTags = union(tags, { 'azd-env-name': environmentName })
var allHubs = union(xdrEventHubs, cloudEventHubs)
var newHubs = empty(eventHubNamespaceId) && !empty(allHubs)
// an export whose sender has no role deploys well, and nothing ever arrives: better to end at once
var exporter = empty(exportSubscriptions) || !empty(exporterPrincipalId) ? exporterPrincipalId : fail('exportSubscriptions need exporterPrincipalId, without which nothing would arrive: az ad sp show --id 8edd93e1-2103-40b4-bd70-6e34e586362d --query id -o tsv')
var oldHubs = !empty(eventHubNamespaceId) && !empty(allHubs)
var groupName = empty(resourceGroupName) ? 'rg-${stem}' : resourceGroupName
// subscription, resource group and name of the namespace that is there already; where there is none, what Azure can read all the same
var oldId = split(oldHubs ? eventHubNamespaceId : '${subscription().id}/resourceGroups/${groupName}/providers/Microsoft.EventHub/namespaces/none', '/')
var appName = nameOf('func', stem, token)
var storageName = shortNameOf('st', stem, token)
var packageContainer = 'app-package'
var captureContainer = 'capture'

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: groupName
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: nameOf('id', stem, token)
    location: location
    tags: allTags
  }
}

module workspace 'modules/workspace.bicep' = {
  name: 'workspace'
  scope: group
  params: {
    name: nameOf('log', stem, token)
    location: location
    tags: allTags
    retentionInDays: logRetentionInDays
    dailyCapGb: logDailyCapGb
  }
}

module insights 'modules/insights.bicep' = {
  name: 'insights'
  scope: group
  params: {
    name: nameOf('appi', stem, token)
    location: location
    tags: allTags
    workspaceId: workspace.outputs.id
    principalId: identity.outputs.principalId
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    name: nameOf('ag', stem, token)
    location: location
    tags: allTags
    insightsId: insights.outputs.id
    prefix: stem
    emails: alertEmails
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    title: 'Defender to Elasticsearch (${environmentName})'
    location: location
    tags: allTags
    insightsId: insights.outputs.id
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: storageName
    location: location
    tags: allTags
    sku: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
    principalId: identity.outputs.principalId
    private: privateNetworking
    queues: backfill
    containers: concat([packageContainer], capture ? [captureContainer] : [])
    workspaceId: workspace.outputs.id
  }
}

var exportId = split(empty(exportStorageId) ? '${subscription().id}/resourceGroups/${groupName}/providers/Microsoft.Storage/storageAccounts/none' : exportStorageId, '/')

module exportStorage 'modules/exportStorage.bicep' = if (backfill && !empty(exportStorageId)) {
  name: 'export-storage'
  scope: resourceGroup(exportId[2], exportId[4])
  params: {
    name: exportId[8]
    principalId: identity.outputs.principalId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: shortNameOf('kv', stem, token)
    location: location
    tags: allTags
    principalId: identity.outputs.principalId
    publicNetworkAccess: privateNetworking ? 'Disabled' : 'Enabled'
    elasticsearchApiKey: elasticsearchApiKey
    elasticsearchApiKeyExpires: elasticsearchApiKeyExpires
    workspaceId: workspace.outputs.id
  }
}

module eventHubs 'modules/eventHubs.bicep' = if (newHubs) {
  name: 'event-hubs'
  scope: group
  params: {
    name: nameOf('evhns', stem, token)
    location: location
    tags: allTags
    sku: eventHubSku
    capacity: eventHubCapacity
    maximumThroughputUnits: maximumThroughputUnits
    hubs: allHubs
    partitionCount: partitionCount
    retentionInHours: retentionInHours
    consumerGroup: consumerGroup
    allowKeys: allowEventHubKeys
    private: privateNetworking
    capture: capture
    captureAccount: storage.outputs.name
    captureContainer: captureContainer
    principalId: identity.outputs.principalId
    exporterPrincipalId: exporter
    workspaceId: workspace.outputs.id
  }
}

module existingEventHubs 'modules/existingEventHubs.bicep' = if (oldHubs) {
  name: 'existing-event-hubs'
  scope: resourceGroup(oldId[2], oldId[4])
  params: {
    name: oldId[8]
    hubs: allHubs
    consumerGroup: consumerGroup
    principalId: identity.outputs.principalId
    exporterPrincipalId: exporter
  }
}

var hubHost = newHubs ? eventHubs!.outputs.host : oldHubs ? existingEventHubs!.outputs.host : ''
var namespaceId = newHubs ? eventHubs!.outputs.id : eventHubNamespaceId

module exports 'modules/export.bicep' = [for id in exportSubscriptions: {
  name: 'defender-export-${take(id, 8)}'
  scope: subscription(id)
  params: {
    location: location
    tags: allTags
    resourceGroupName: 'rg-${stem}-export'
    hubId: '${namespaceId}/eventhubs/${cloudEventHubs[0]}'
    kinds: exportKinds
  }
  dependsOn: [
    existingEventHubs // with the sender's role
  ]
}]

module securityReader 'modules/securityReader.bicep' = [for id in assessmentSubscriptions: {
  name: 'security-reader-${take(id, 8)}'
  scope: subscription(id)
  params: {
    principalId: identity.outputs.principalId
  }
}]

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'network'
  scope: group
  params: {
    name: nameOf('vnet', stem, token)
    securityGroupName: nameOf('nsg', stem, token)
    location: location
    tags: allTags
    addressPrefix: addressPrefix
  }
}

// Private DNS zones of Microsoft's clouds, by service.
var zones = {
  AzureCloud: {
    blob: 'privatelink.blob.${environment().suffixes.storage}'
    queue: 'privatelink.queue.${environment().suffixes.storage}'
    namespace: 'privatelink.servicebus.windows.net'
    vault: 'privatelink.vaultcore.azure.net'
    sites: 'privatelink.azurewebsites.net'
  }
  AzureUSGovernment: {
    blob: 'privatelink.blob.${environment().suffixes.storage}'
    queue: 'privatelink.queue.${environment().suffixes.storage}'
    namespace: 'privatelink.servicebus.usgovcloudapi.net'
    vault: 'privatelink.vaultcore.usgovcloudapi.net'
    sites: 'privatelink.azurewebsites.us'
  }
  AzureChinaCloud: {
    blob: 'privatelink.blob.${environment().suffixes.storage}'
    queue: 'privatelink.queue.${environment().suffixes.storage}'
    namespace: 'privatelink.servicebus.chinacloudapi.cn'
    vault: 'privatelink.vaultcore.azure.cn'
    sites: 'privatelink.chinacloudsites.cn'
  }
}[environment().name]

module storageEndpoint 'modules/privateEndpoint.bicep' = if (privateNetworking) {
  name: 'storage-endpoint'
  scope: group
  params: {
    name: nameOf('pep-blob', stem, token)
    location: location
    tags: allTags
    resourceId: storage.outputs.id
    service: 'blob'
    zoneName: zones.blob
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointSubnetId
  }
}

module queueEndpoint 'modules/privateEndpoint.bicep' = if (privateNetworking && backfill) {
  name: 'queue-endpoint'
  scope: group
  params: {
    name: nameOf('pep-queue', stem, token)
    location: location
    tags: allTags
    resourceId: storage.outputs.id
    service: 'queue'
    zoneName: zones.queue
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointSubnetId
  }
}

module vaultEndpoint 'modules/privateEndpoint.bicep' = if (privateNetworking) {
  name: 'vault-endpoint'
  scope: group
  params: {
    name: nameOf('pep-vault', stem, token)
    location: location
    tags: allTags
    resourceId: vault.outputs.id
    service: 'vault'
    zoneName: zones.vault
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointSubnetId
  }
}

module hubEndpoint 'modules/privateEndpoint.bicep' = if (privateNetworking && !empty(allHubs)) {
  name: 'hub-endpoint'
  scope: group
  params: {
    name: nameOf('pep-hub', stem, token)
    location: location
    tags: allTags
    resourceId: namespaceId
    service: 'namespace'
    zoneName: zones.namespace
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointSubnetId
  }
}

module appEndpoint 'modules/privateEndpoint.bicep' = if (privateNetworking && appPublicAccess == 'Disabled') {
  name: 'app-endpoint'
  scope: group
  params: {
    name: nameOf('pep-app', stem, token)
    location: location
    tags: allTags
    resourceId: app.outputs.id
    service: 'sites'
    zoneName: zones.sites
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointSubnetId
  }
}

module plan 'modules/plan.bicep' = {
  name: 'plan'
  scope: group
  params: {
    name: nameOf('plan', stem, token)
    location: location
    tags: allTags
    zoneRedundant: zoneRedundant
  }
}

// App settings: what the host needs, where our own default does not fit Azure, then what the parameters say.
var hostSettings = {
  AzureWebJobsStorage__blobServiceUri: storage.outputs.blobEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.outputs.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.outputs.connectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.outputs.clientId};Authorization=AAD'
  PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
  // fewer and larger batches: a few seconds later, and less to pay for invocations, checkpoints and telemetry
  AzureFunctionsJobHost__extensions__eventHubs__minEventBatchSize: batchSeconds > 0 ? '16' : '1'
  AzureFunctionsJobHost__extensions__eventHubs__maxWaitTime: '00:00:${padLeft(string(max(batchSeconds, 1)), 2, '0')}'
  // six traces a minute of each instance: docs/scale.md, what telemetry costs
  OTEL_TRACES_SAMPLER: 'microsoft.rate_limited'
  OTEL_TRACES_SAMPLER_ARG: '0.1'
}
var xdrSettings = empty(xdrEventHubs) ? {} : {
  XDR_EVENT_HUB__fullyQualifiedNamespace: hubHost
  XDR_EVENT_HUB__credential: 'managedidentity'
  XDR_EVENT_HUB__clientId: identity.outputs.clientId
  XDR_EVENT_HUB_NAMES: join(xdrEventHubs, ',')
  XDR_CONSUMER_GROUP: consumerGroup
}
var cloudSettings = empty(cloudEventHubs) ? {} : {
  CLOUD_EVENT_HUB__fullyQualifiedNamespace: hubHost
  CLOUD_EVENT_HUB__credential: 'managedidentity'
  CLOUD_EVENT_HUB__clientId: identity.outputs.clientId
  CLOUD_EVENT_HUB_NAMES: join(cloudEventHubs, ',')
  CLOUD_CONSUMER_GROUP: consumerGroup
}
var exportSettings = !backfill ? {} : empty(exportStorageId) ? {
  AzureWebJobsStorage__queueServiceUri: storage.outputs.queueEndpoint
  BACKFILL_STORAGE: 'AzureWebJobsStorage'
  BACKFILL_CONTAINERS: captureContainer
} : {
  AzureWebJobsStorage__queueServiceUri: storage.outputs.queueEndpoint
  BACKFILL_STORAGE: 'EXPORT_STORAGE'
  EXPORT_STORAGE__blobServiceUri: exportStorage!.outputs.blobEndpoint
  EXPORT_STORAGE__clientId: identity.outputs.clientId
}
var keySettings = elasticsearchApiKeyExpires > 0 ? {
  ELASTICSEARCH_API_KEY_EXPIRES: dateTimeFromEpoch(elasticsearchApiKeyExpires)
} : {}
var ownSettings = {
  ELASTICSEARCH_API_KEY: vault.outputs.apiKeyReference
  TENANT_ID: tenant().tenantId
  CREDENTIAL: 'managed_identity'
  CLIENT_ID: identity.outputs.clientId
  ASSESSMENT_SCOPES: join(concat(map(assessmentSubscriptions, id => 'subscriptions/${id}'), map(assessmentManagementGroups, id => 'managementGroups/${id}')), ',')
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: appName
    location: location
    tags: allTags
    planId: plan.outputs.id
    identityId: identity.outputs.id
    packageContainer: '${storage.outputs.blobEndpoint}${packageContainer}'
    settings: union(hostSettings, xdrSettings, cloudSettings, exportSettings, ownSettings, keySettings, settings, moreSettings)
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    publicNetworkAccess: privateNetworking ? appPublicAccess : 'Enabled'
    workspaceId: workspace.outputs.id
  }
  dependsOn: [
    // the app starts by reading its package, its secret and its hubs
    storageEndpoint
    queueEndpoint
    vaultEndpoint
    hubEndpoint
  ]
}

// Outputs are named as azd passes them on to hooks: as environment variables.

@description('Name of the function app, for func azure functionapp publish.')
output APP_NAME string = app.outputs.name

@description('Host name of the function app.')
output APP_HOST string = app.outputs.host

@description('Resource group.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Object id of the app\'s identity, for infra/grant.sh and managementGroup.bicep.')
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

@description('Client id of the app\'s identity.')
output IDENTITY_CLIENT_ID string = identity.outputs.clientId

@description('Resource id of the Event Hubs namespace: Defender XDR\'s streaming settings ask for it.')
output EVENT_HUB_NAMESPACE_ID string = namespaceId

@description('Key vault that keeps the Elasticsearch API key.')
output KEY_VAULT_NAME string = vault.outputs.name

@description('Storage account with dead letters, state and cursors.')
output STORAGE_NAME string = storage.outputs.name

@description('Resource id of Application Insights, for alert rules and workbook.')
output INSIGHTS_ID string = insights.outputs.id

@description('Resource id of the Log Analytics workspace, for alert rules and workbook.')
output WORKSPACE_ID string = workspace.outputs.id
