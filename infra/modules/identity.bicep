@description('Name of the identity.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id, for what the identity is attached to.')
output id string = identity.id

@description('Client id, for app settings.')
output clientId string = identity.properties.clientId

@description('Object id of its service principal, for role assignments.')
output principalId string = identity.properties.principalId
