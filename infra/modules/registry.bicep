// Container registry for the images of one night.

@description('Name of the registry, unique in the world.')
@minLength(5)
@maxLength(50)
param registryName string

@description('The region.')
param location string

@description('Tags of the registry.')
param tags object

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: registryName
  location: location
  tags: tags
  sku: {
    name: 'Basic'
  }
  properties: {
    adminUserEnabled: false
  }
}

@description('The registry.')
output registryName string = registry.name

@description('Where images are pushed to and pulled from.')
output loginServer string = registry.properties.loginServer
