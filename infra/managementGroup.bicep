// The role that the source assessment needs on a whole management group. A deployment of its own, because one to a subscription
// can not reach up: az deployment mg create -m GROUP -l REGION -f infra/managementGroup.bicep -p principalId=…
targetScope = 'managementGroup'

@description('Object id of the identity that reads assessments: the output IDENTITY_PRINCIPAL_ID of main.bicep.')
param principalId string

var roles = loadJsonContent('roles.json')

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, principalId, roles.securityReader.id)
  properties: {
    roleDefinitionId: tenantResourceId('Microsoft.Authorization/roleDefinitions', roles.securityReader.id)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
