@description('What the workbook is called in the portal.')
param title string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Resource id of Application Insights, which it asks and under which it is found.')
param insightsId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // Azure wants a GUID as its name
  name: guid(insightsId, 'defender-to-elasticsearch')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: title
    category: 'workbook'
    sourceId: insightsId
    // made from infra/monitoring/workbook/*.kql
    serializedData: loadTextContent('../monitoring/workbook.json')
  }
}
