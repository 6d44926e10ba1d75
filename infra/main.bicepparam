// What `azd up` uses: everything comes from its environment (azd env set NAME VALUE). Copy one of the examples over it for a given size.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param settings = {
  ELASTICSEARCH_URL: readEnvironmentVariable('ELASTICSEARCH_URL')
  POLL_SOURCES: readEnvironmentVariable('POLL_SOURCES', '')
}
param elasticsearchApiKey = readEnvironmentVariable('ELASTICSEARCH_API_KEY', '')
param exporterPrincipalId = readEnvironmentVariable('EXPORTER_PRINCIPAL_ID', '')
param privateNetworking = readEnvironmentVariable('PRIVATE_NETWORKING', 'false') == 'true'
