// Storage account with the queue, the poison queue and the table of the workload. No shared key: every request is signed in.

@description('Name of the account, unique in the world.')
@minLength(3)
@maxLength(24)
param accountName string

@description('The region.')
param location string

@description('The queue.')
param queueName string

@description('The table.')
param tableName string

@description('Tags of the account.')
param tags object

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' = {
  name: accountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    // No firewall: hosted runners have no fixed address. Who has no role is refused all the same.
    publicNetworkAccess: 'Enabled'
    supportsHttpsTrafficOnly: true
  }

  resource queues 'queueServices' = {
    name: 'default'

    resource work 'queues' = {
      name: queueName
    }

    resource poison 'queues' = {
      name: '${queueName}-poison'
    }
  }

  resource tables 'tableServices' = {
    name: 'default'

    resource results 'tables' = {
      name: tableName
    }
  }
}

@description('The account.')
output accountName string = account.name

@description('Where its queues are.')
output queueEndpoint string = account.properties.primaryEndpoints.queue

@description('Where its tables are.')
output tableEndpoint string = account.properties.primaryEndpoints.table
