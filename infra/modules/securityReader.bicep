targetScope = 'subscription'

@description('Object id of the identity that reads assessments.')
param principalId string

var roles = loadJsonContent('../roles.json')

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, principalId, roles.securityReader.id)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.securityReader.id)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
