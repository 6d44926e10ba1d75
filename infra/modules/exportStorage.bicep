// A storage account that Defender XDR exports to already: the app may read its blobs. Nothing else of it is touched.

@description('Name of the storage account.')
param name string

@description('Object id of the app\'s identity.')
param principalId string

var roles = loadJsonContent('../roles.json')

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: name
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, roles.storageBlobDataReader.id)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataReader.id)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

@description('Address of its blob service, for EXPORT_STORAGE__blobServiceUri.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
