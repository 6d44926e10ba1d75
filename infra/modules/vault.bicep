@description('Name of the key vault: 3 to 24 characters.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Object id of the app\'s identity.')
param principalId string

@description('Disabled: only private endpoints reach the vault.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

@description('API key that ships to Elasticsearch, in its encoded form. Empty: the secret is left as it is.')
@secure()
param elasticsearchApiKey string

@description('When the API key ends, in seconds since 1970; 0: not known.')
param elasticsearchApiKeyExpires int

@description('Resource id of the workspace for diagnostics.')
param workspaceId string

var roles = loadJsonContent('../roles.json')
var secretName = 'elasticsearch-api-key'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: publicNetworkAccess == 'Disabled' ? 'Deny' : 'Allow'
    }
  }
}

resource apiKey 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!empty(elasticsearchApiKey)) {
  parent: vault
  name: secretName
  properties: {
    value: elasticsearchApiKey
    contentType: 'Elasticsearch API key, encoded'
    attributes: elasticsearchApiKeyExpires > 0 ? {
      enabled: true
      exp: elasticsearchApiKeyExpires
    } : {
      enabled: true
    }
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, roles.keyVaultSecretsUser.id)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser.id)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
  }
}

@description('Resource id.')
output id string = vault.id

@description('Name of the vault.')
output name string = vault.name

@description('What ELASTICSEARCH_API_KEY holds: a reference without a version, so that a new one is picked up by itself.')
output apiKeyReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${secretName})'
