// Defender for Cloud's continuous export of one subscription, in a resource group of that subscription.
targetScope = 'subscription'

@description('Region of the export\'s resource group.')
param location string

@description('Tags.')
param tags object

@description('Resource group for the export; it is made.')
param resourceGroupName string

@description('Resource id of the hub that takes the export.')
param hubId string

@description('What is exported.')
param kinds array

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

module automation 'automation.bicep' = {
  name: 'defender-export'
  scope: group
  params: {
    location: location
    tags: tags
    hubId: hubId
    kinds: kinds
  }
}
