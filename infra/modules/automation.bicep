@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Resource id of the hub that takes the export.')
param hubId string

@description('What is exported. Findings (SubAssessments) come only together with Assessments.')
param kinds array

resource automation 'Microsoft.Security/automations@2023-12-01-preview' = {
  name: 'defender-to-elasticsearch'
  location: location
  tags: tags
  properties: {
    description: 'Continuous export to the event hub that Defender to Elasticsearch reads.'
    isEnabled: true
    scopes: [
      {
        description: 'The subscription.'
        scopePath: subscription().id
      }
    ]
    sources: [for kind in kinds: {
      eventSource: kind
    }]
    actions: [
      {
        actionType: 'EventHub'
        eventHubResourceId: hubId
        // by the role Azure Event Hubs Data Sender; there is no connection string
        isTrustedServiceEnabled: true
      }
    ]
  }
}
