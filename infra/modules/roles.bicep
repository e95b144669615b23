// Who may do what: the workload and the harness work with queue and table, nodes pull images, the harness pushes them and
// applies manifests. Each assignment's name holds its principal: an identity that was made anew gets one of its own.

@description('The storage account.')
param accountName string

@description('The cluster.')
param clusterName string

@description('Object id of the identity that pulls images.')
param kubeletPrincipalId string

@description('Object id of who runs the harness.')
param operatorPrincipalId string

@description('ServicePrincipal or User.')
@allowed([
  'ServicePrincipal'
  'User'
])
param operatorPrincipalType string

@description('The registry.')
param registryName string

@description('Object id of the identity of the workload.')
param workloadPrincipalId string

// Azure built-in roles: the same in every tenant.
var queueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var tableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
var acrPush = '8311e382-0749-4cb8-b61a-304f252e45ec'
var clusterAdmin = 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b'

var onAccount = [
  {
    principalId: workloadPrincipalId
    principalType: 'ServicePrincipal'
    roleId: queueDataContributor
  }
  {
    principalId: workloadPrincipalId
    principalType: 'ServicePrincipal'
    roleId: tableDataContributor
  }
  {
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roleId: queueDataContributor
  }
  {
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roleId: tableDataContributor
  }
]

var onRegistry = [
  {
    principalId: kubeletPrincipalId
    principalType: 'ServicePrincipal'
    roleId: acrPull
  }
  {
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roleId: acrPush
  }
]

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: accountName
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource cluster 'Microsoft.ContainerService/managedClusters@2026-05-01' existing = {
  name: clusterName
}

resource accountRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for item in onAccount: {
    scope: account
    name: guid(account.id, item.principalId, item.roleId)
    properties: {
      principalId: item.principalId
      principalType: item.principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', item.roleId)
    }
  }
]

resource registryRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for item in onRegistry: {
    scope: registry
    name: guid(registry.id, item.principalId, item.roleId)
    properties: {
      principalId: item.principalId
      principalType: item.principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', item.roleId)
    }
  }
]

resource clusterRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: cluster
  name: guid(cluster.id, operatorPrincipalId, clusterAdmin)
  properties: {
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', clusterAdmin)
  }
}
