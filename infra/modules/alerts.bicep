@description('Name of the action group, which says who is told.')
param name string

@description('Region of the rules.')
param location string

@description('Tags.')
param tags object

@description('Resource id of Application Insights, which the rules ask.')
param insightsId string

@description('Beginning of each rule\'s name.')
param prefix string

@description('Mail addresses that are told. Empty: alerts are only seen in the portal.')
param emails array

// Made from infra/monitoring/alerts/*.kql: each query has rows when something is wrong.
var rules = loadJsonContent('../monitoring/alerts.json')

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'defender'
    emailReceivers: [for (email, number) in emails: {
      name: 'mail-${number}'
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: '${prefix}-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.title
    description: rule.words
    severity: rule.severity
    enabled: true
    evaluationFrequency: rule.every
    windowSize: rule.window
    scopes: [insightsId]
    // the metrics and lines that a query names come only with the app's first run
    skipQueryValidation: true
    // what is silent for longer than the window has no rows any more: such an alert stays until a person closes it, and is repeated instead
    autoMitigate: rule.mute == null
    muteActionsDuration: rule.mute
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [people.id]
    }
  }
}]
