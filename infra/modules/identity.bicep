// The identity that the workload and the KEDA operator sign in as, and the two service accounts that may.

@description('Name of the identity.')
@minLength(3)
@maxLength(128)
param identityName string

@description('The issuer of the cluster\'s service account tokens.')
param issuerUrl string

@description('The region.')
param location string

@description('Tags of the identity.')
param tags object

@description('The namespace of the workload.')
param workloadNamespace string

@description('The service account of the workload.')
param workloadServiceAccount string

var serviceAccounts = [
  {
    name: 'workload'
    subject: 'system:serviceaccount:${workloadNamespace}:${workloadServiceAccount}'
  }
  {
    // Of the KEDA add-on; where it is cannot be chosen.
    name: 'keda'
    subject: 'system:serviceaccount:kube-system:keda-operator'
  }
]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: identityName
  location: location
  tags: tags
}

// One after the other: two at once of one identity are refused with 409.
@batchSize(1)
resource credentials 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = [
  for account in serviceAccounts: {
    parent: identity
    name: account.name
    properties: {
      audiences: [
        'api://AzureADTokenExchange'
      ]
      issuer: issuerUrl
      subject: account.subject
    }
  }
]

@description('Client id of the identity.')
output clientId string = identity.properties.clientId

@description('Object id of the identity.')
output principalId string = identity.properties.principalId

@description('Tenant of the identity.')
output tenantId string = identity.properties.tenantId
