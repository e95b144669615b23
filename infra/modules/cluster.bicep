// AKS with the KEDA add-on, workload identity and node auto-provisioning. One small system pool; every other node is made for
// the NodePools of k8s/overlays/aks-spot. Nothing is sent to Azure Monitor: a night costs nothing for logs.

@description('Name of the cluster, and the first label of its address.')
@minLength(1)
@maxLength(63)
param clusterName string

@description('Kubernetes, as major.minor.')
param kubernetesVersion string

@description('The region.')
param location string

@description('The resource group that AKS makes for the nodes. Named here, so that a sweep knows it.')
@minLength(1)
@maxLength(80)
param nodeResourceGroup string

@description('System nodes. Documented minimum: two.')
@minValue(1)
@maxValue(3)
param systemNodeCount int

@description('OS disk of a system node in GiB.')
@minValue(30)
@maxValue(128)
param systemOsDiskGiB int

@description('Size of the system nodes.')
param systemVmSize string

@description('Tags of the cluster and of its system nodes.')
param tags object

resource cluster 'Microsoft.ContainerService/managedClusters@2026-05-01' = {
  name: clusterName
  location: location
  tags: tags
  sku: {
    name: 'Base'
    tier: 'Free'
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    aadProfile: {
      enableAzureRBAC: true
      managed: true
    }
    agentPoolProfiles: [
      {
        name: 'system'
        mode: 'System'
        count: systemNodeCount
        enableAutoScaling: false
        nodeTaints: [
          'CriticalAddonsOnly=true:NoSchedule'
        ]
        osDiskSizeGB: systemOsDiskGiB
        osDiskType: 'Managed'
        osSKU: 'AzureLinux'
        osType: 'Linux'
        tags: tags
        type: 'VirtualMachineScaleSets'
        vmSize: systemVmSize
      }
    ]
    autoUpgradeProfile: {
      nodeOSUpgradeChannel: 'None'
      upgradeChannel: 'none'
    }
    azureMonitorProfile: {
      metrics: {
        enabled: false
      }
    }
    disableLocalAccounts: true
    dnsPrefix: clusterName
    enableRBAC: true
    kubernetesVersion: kubernetesVersion
    networkProfile: {
      loadBalancerSku: 'standard'
      networkDataplane: 'cilium'
      networkPlugin: 'azure'
      networkPluginMode: 'overlay'
      networkPolicy: 'cilium'
      outboundType: 'loadBalancer'
    }
    nodeProvisioningProfile: {
      // AKS's own NodePools would take consumers that belong on ours.
      defaultNodePools: 'None'
      mode: 'Auto'
    }
    nodeResourceGroup: nodeResourceGroup
    nodeResourceGroupProfile: {
      // Under ReadOnly, simulateEviction is refused.
      restrictionLevel: 'Unrestricted'
    }
    oidcIssuerProfile: {
      enabled: true
    }
    securityProfile: {
      workloadIdentity: {
        enabled: true
      }
    }
    // No volumes, and so no agents of the drivers on each node.
    storageProfile: {
      diskCSIDriver: {
        enabled: false
      }
      fileCSIDriver: {
        enabled: false
      }
      snapshotController: {
        enabled: false
      }
    }
    workloadAutoScalerProfile: {
      keda: {
        enabled: true
      }
    }
  }
}

@description('The cluster.')
output clusterName string = cluster.name

@description('The issuer of its service account tokens.')
output issuerUrl string = cluster.properties.oidcIssuerProfile.issuerURL

@description('Object id of the identity that pulls images.')
output kubeletPrincipalId string = cluster.properties.identityProfile.kubeletidentity.objectId

@description('The resource group of its nodes.')
output nodeResourceGroup string = cluster.properties.nodeResourceGroup
