// Some thousand devices: one throughput unit that grows, eight partitions, nothing always ready.
using 'main.bicep'

param environmentName = 'small'
param location = 'westeurope'
param tags = {
  owner: 'security-operations'
}
param settings = {
  ELASTICSEARCH_URL: 'https://elasticsearch.example.com:9200'
  POLL_SOURCES: 'alert, incident'
}
param elasticsearchApiKey = readEnvironmentVariable('ELASTICSEARCH_API_KEY', '')
param partitionCount = 8
param maximumInstanceCount = 20
