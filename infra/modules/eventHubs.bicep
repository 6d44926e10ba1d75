@description('Name of the Event Hubs namespace.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Tier. Premium for more than 40 throughput units, or for more than 32 partitions of one hub.')
@allowed(['Standard', 'Premium'])
param sku string

@description('Throughput units (Standard) or processing units (Premium) to begin with.')
@minValue(1)
@maxValue(40)
param capacity int

@description('Throughput units that a Standard namespace may grow to by itself; 0: it does not grow.')
@minValue(0)
@maxValue(40)
param maximumThroughputUnits int

@description('Names of the hubs.')
param hubs array

@description('Partitions of each hub: the most readers at once. A Standard hub keeps the number it was made with.')
@minValue(1)
@maxValue(100)
param partitionCount int

@description('Hours that a hub keeps events: how long Elasticsearch may be away.')
@minValue(1)
@maxValue(2160)
param retentionInHours int

@description('Consumer group of our own on each hub.')
param consumerGroup string

@description('Whether senders may use shared access keys. Off unless Defender XDR can not send without (docs/deploy.md).')
param allowKeys bool

@description('Whether only private endpoints and trusted Microsoft services reach the namespace.')
param private bool

@description('Whether every event is also written to blobs (capture), for back-fill.')
param capture bool

@description('Name of the storage account for capture.')
param captureAccount string

@description('Container for capture; it must be there.')
param captureContainer string

@description('Object id of the app\'s identity.')
param principalId string

@description('Object id of the service principal Windows Azure Security Resource Provider; empty: no continuous export to here.')
param exporterPrincipalId string

@description('Resource id of the workspace for diagnostics.')
param workspaceId string

var roles = loadJsonContent('../roles.json')

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: sku
    tier: sku
    capacity: capacity
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    disableLocalAuth: !allowKeys
    minimumTlsVersion: '1.2'
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    isAutoInflateEnabled: sku == 'Standard' && maximumThroughputUnits > 0
    maximumThroughputUnits: sku == 'Standard' ? maximumThroughputUnits : 0
  }
}

resource rules 'Microsoft.EventHub/namespaces/networkRuleSets@2024-01-01' = {
  parent: namespace
  name: 'default'
  properties: {
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    defaultAction: private ? 'Deny' : 'Allow'
    // Defender for Cloud's continuous export comes this way
    trustedServiceAccessEnabled: true
  }
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = [for hubName in hubs: {
  parent: namespace
  name: hubName
  properties: {
    partitionCount: partitionCount
    retentionDescription: {
      cleanupPolicy: 'Delete'
      retentionTimeInHours: retentionInHours
    }
    captureDescription: capture ? {
      enabled: true
      encoding: 'Avro'
      intervalInSeconds: 300
      sizeLimitInBytes: 314572800
      skipEmptyArchives: true
      destination: {
        name: 'EventHubArchive.AzureBlockBlob'
        identity: {
          type: 'SystemAssigned'
        }
        properties: {
          storageAccountResourceId: account.id
          blobContainer: captureContainer
          archiveNameFormat: '{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}'
        }
      }
    } : null
  }
  dependsOn: [
    writer
  ]
}]

resource group 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = [for (hubName, i) in hubs: {
  parent: hub[i]
  name: consumerGroup
  properties: {
    userMetadata: 'Defender to Elasticsearch; not for other readers.'
  }
}]

resource receiver 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace.id, principalId, roles.eventHubsDataReceiver.id)
  scope: namespace
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataReceiver.id)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(exporterPrincipalId)) {
  name: guid(namespace.id, exporterPrincipalId, roles.eventHubsDataSender.id)
  scope: namespace
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataSender.id)
    principalId: exporterPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: captureAccount
}

resource accountBlobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' existing = {
  parent: account
  name: 'default'
}

resource captured 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' existing = {
  parent: accountBlobs
  name: captureContainer
}

resource writer 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (capture) {
  name: guid(captured.id, namespace.id, roles.storageBlobDataContributor.id)
  scope: captured
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor.id)
    principalId: namespace.identity.principalId
    principalType: 'ServicePrincipal'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'OperationalLogs'
        enabled: true
      }
      {
        category: 'AutoScaleLogs'
        enabled: true
      }
      {
        category: 'ArchiveLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the namespace; Defender XDR\'s streaming settings ask for it.')
output id string = namespace.id

@description('Host name, for XDR_EVENT_HUB__fullyQualifiedNamespace.')
output host string = split(split(namespace.properties.serviceBusEndpoint, '/')[2], ':')[0]
