// Some hundred thousand devices: 32 partitions, each with an instance at need, zones, two instances always there, capture for back-fill.
using 'main.bicep'

param environmentName = 'large'
param location = 'westeurope'
param tags = {
  owner: 'security-operations'
}
param settings = {
  ELASTICSEARCH_URL: 'https://elasticsearch-1.example.com:9200, https://elasticsearch-2.example.com:9200'
  POLL_SOURCES: 'alert, incident, vulnerability, assessment'
}
param elasticsearchApiKey = readEnvironmentVariable('ELASTICSEARCH_API_KEY', '')
param assessmentManagementGroups = ['landing-zones']
param exportSubscriptions = ['11111111-2222-3333-4444-555555555555']
param exporterPrincipalId = readEnvironmentVariable('EXPORTER_PRINCIPAL_ID') // no default: without it nothing arrives, and nobody says so
param instanceMemoryMB = 2048
param maximumInstanceCount = 80
param alwaysReady = [
  {
    name: 'function:xdr_stream'
    instanceCount: 2
  }
]
param zoneRedundant = true
param eventHubCapacity = 10
param maximumThroughputUnits = 32 // one a partition
param partitionCount = 32
param batchSeconds = 10 // so many partitions get little each in five
param capture = true
param backfill = true
param logRetentionInDays = 90
param logDailyCapGb = 20
