@description('Name of the plan.')
param name string

@description('Region; not every one has Flex Consumption: az functionapp list-flexconsumption-locations.')
param location string

@description('Tags.')
param tags object

@description('Whether instances are spread over zones.')
param zoneRedundant bool

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

@description('Resource id.')
output id string = plan.id
