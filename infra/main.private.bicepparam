// Nothing reachable from outside: virtual network, private endpoints, DNS zones; the app's own pages and deployment too.
using 'main.bicep'

param environmentName = 'private'
param location = 'westeurope'
param tags = {
  owner: 'security-operations'
}
param settings = {
  ELASTICSEARCH_URL: 'https://elasticsearch.internal.example.com:9200'
  POLL_SOURCES: 'alert, incident'
}
param elasticsearchApiKey = readEnvironmentVariable('ELASTICSEARCH_API_KEY', '')
param privateNetworking = true
param addressPrefix = '10.90.0.0/24'
param appPublicAccess = 'Disabled'
