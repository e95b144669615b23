// A throw-away environment for one night: storage, identity, registry and cluster, all in one resource group.
//
// The group exists before this is deployed, with the tags `run` and `DeleteAfter`: `harness aks up` makes it, so that whatever
// fails here is found and removed. What costs least is in defaults.json; no parameter that costs money has a default here.

@description('The run that this environment is for. Part of the names, and the tag `run` of every resource.')
@minLength(3)
@maxLength(24)
param run string

@description('When a sweep may remove everything: UTC, as 2026-11-23T05:00:00Z. The tag `DeleteAfter` of every resource.')
@minLength(20)
@maxLength(20)
param deleteAfter string

@description('The region. Its Spot quota (lowPriorityCores) bounds what the Spot NodePool can get.')
param location string = resourceGroup().location

@description('Object id of who runs the harness: pushes images, applies manifests, and reads queue and table to judge them.')
@minLength(36)
@maxLength(36)
param operatorPrincipalId string

@description('ServicePrincipal for a workflow, User for a laptop.')
@allowed([
  'ServicePrincipal'
  'User'
])
param operatorPrincipalType string

@description('Kubernetes, as major.minor. The version of the KEDA add-on follows from it.')
@minLength(4)
@maxLength(4)
param kubernetesVersion string

@description('Size of the system nodes. AKS asks for 4 vCPU, and takes no B series.')
param systemVmSize string

@description('System nodes. One costs least, and is below the documented minimum of two: when it is lost, so is the night.')
@minValue(1)
@maxValue(3)
param systemNodeCount int

@description('OS disk of a system node in GiB. 64 is the cheapest tier that holds the images of the add-ons.')
@minValue(30)
@maxValue(128)
param systemOsDiskGiB int

@description('The namespace of the workload in k8s/base.')
param workloadNamespace string = 'aqs-demo'

@description('The service account of the workload in k8s/base.')
param workloadServiceAccount string = 'aqs-app-service-account'

@description('The queue of the workload in k8s/base. Its poison queue is the same with `-poison`.')
@minLength(3)
@maxLength(56)
param queueName string = 'aws2azmsgs'

@description('The table of the workload in k8s/base.')
@minLength(3)
@maxLength(63)
param tableName string = 'aws2azpmts'

var tags = {
  run: run
  DeleteAfter: deleteAfter
}
// 16 characters: accounts and registries take lower-case letters and digits alone, and their names are the world's.
var globalName = 'edw${uniqueString(resourceGroup().id, run)}'

module storage 'modules/storage.bicep' = {
  params: {
    accountName: globalName
    location: location
    queueName: queueName
    tableName: tableName
    tags: tags
  }
}

module registry 'modules/registry.bicep' = {
  params: {
    location: location
    registryName: globalName
    tags: tags
  }
}

module cluster 'modules/cluster.bicep' = {
  params: {
    clusterName: 'edw-${run}'
    kubernetesVersion: kubernetesVersion
    location: location
    nodeResourceGroup: '${resourceGroup().name}-nodes'
    systemNodeCount: systemNodeCount
    systemOsDiskGiB: systemOsDiskGiB
    systemVmSize: systemVmSize
    tags: tags
  }
}

module identity 'modules/identity.bicep' = {
  params: {
    identityName: 'edw-${run}'
    issuerUrl: cluster.outputs.issuerUrl
    location: location
    tags: tags
    workloadNamespace: workloadNamespace
    workloadServiceAccount: workloadServiceAccount
  }
}

module roles 'modules/roles.bicep' = {
  params: {
    accountName: storage.outputs.accountName
    clusterName: cluster.outputs.clusterName
    kubeletPrincipalId: cluster.outputs.kubeletPrincipalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
    registryName: registry.outputs.registryName
    workloadPrincipalId: identity.outputs.principalId
  }
}

@description('The storage account.')
output accountName string = storage.outputs.accountName

@description('Where its queues are.')
output queueEndpoint string = storage.outputs.queueEndpoint

@description('Where its tables are.')
output tableEndpoint string = storage.outputs.tableEndpoint

@description('The queue of the workload.')
output queueName string = queueName

@description('The table of the workload.')
output tableName string = tableName

@description('Client id of the identity that the workload and the KEDA operator sign in as.')
output clientId string = identity.outputs.clientId

@description('Tenant of that identity.')
output tenantId string = identity.outputs.tenantId

@description('The registry.')
output registryName string = registry.outputs.registryName

@description('Where images are pushed to and pulled from.')
output loginServer string = registry.outputs.loginServer

@description('The cluster.')
output clusterName string = cluster.outputs.clusterName

@description('The resource group of its nodes, which AKS makes, and removes with the cluster.')
output nodeResourceGroup string = cluster.outputs.nodeResourceGroup

@description('The issuer of its service account tokens.')
output issuerUrl string = cluster.outputs.issuerUrl
