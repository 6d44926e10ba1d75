// A namespace that is there already: our consumer groups on its hubs, and who may receive and send. Nothing else of it is touched.

@description('Name of the Event Hubs namespace.')
param name string

@description('Names of its hubs that we read.')
param hubs array

@description('Consumer group of our own on each hub.')
param consumerGroup string

@description('Object id of the app\'s identity.')
param principalId string

@description('Object id of the service principal Windows Azure Security Resource Provider; empty: no continuous export to here.')
param exporterPrincipalId string

var roles = loadJsonContent('../roles.json')

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: name
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' existing = [for hubName in hubs: {
  parent: namespace
  name: hubName
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

@description('Host name, for XDR_EVENT_HUB__fullyQualifiedNamespace.')
output host string = split(split(namespace.properties.serviceBusEndpoint, '/')[2], ':')[0]
