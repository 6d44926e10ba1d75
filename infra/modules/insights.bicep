@description('Name of the Application Insights component.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Resource id of the workspace that keeps the telemetry.')
param workspaceId string

@description('Object id of the identity that sends telemetry.')
param principalId string

var roles = loadJsonContent('../roles.json')

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspaceId
    // only with an Entra ID token: whoever knows the connection string can not send
    DisableLocalAuth: true
  }
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principalId, roles.monitoringMetricsPublisher.id)
  scope: insights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.monitoringMetricsPublisher.id)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

@description('Resource id, for alert rules and the workbook.')
output id string = insights.id

@description('Where telemetry goes; not a secret, because local authentication is off.')
output connectionString string = insights.properties.ConnectionString
