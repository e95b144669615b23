"""Plants mistakes, one each, in a copy of what is here, and looks whether the check finds it: `python infra/check/test_check.py`."""

import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import importlib.util  # noqa: E402

SPEC = importlib.util.spec_from_file_location("check", Path(__file__).parent / "__main__.py")
check = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check)
ROOT = Path(__file__).parents[2]

# Where, what stands there, what is put in its place, and what must be said.
PLANTED = [
    ("modules/cluster.bicep", "defaultNodePools: 'None'", "defaultNodePool: 'None'", "has no property defaultNodePool"),
    ("modules/cluster.bicep", "enableAzureRBAC: true", "enableAzureRbac: true", "is it enableAzureRBAC?"),
    ("modules/cluster.bicep", "mode: 'Auto'", "mode: 'auto'", "may be Manual, Auto, not 'auto'"),
    ("modules/cluster.bicep", "upgradeChannel: 'none'", "upgradeChannel: 'None'", "upgradeChannel may be"),
    ("modules/cluster.bicep", "networkDataplane: 'cilium'", "networkDataplane: 'celium'", "networkDataplane may be"),
    ("modules/cluster.bicep", "enableAutoScaling: false", "enableAutoScaling: 'no'", "is of type bool"),
    ("modules/cluster.bicep", "count: systemNodeCount", "count: '1'", "is of type int"),
    ("modules/cluster.bicep", "managedClusters@2026-05-01", "managedClusters@2019-06-01", "no model of"),
    ("modules/cluster.bicep", "oidcIssuerProfile.issuerURL", "oidcIssuerProfile.issuerUrl", "there is no issuerUrl"),
    ("modules/cluster.bicep", "CriticalAddonsOnly=true:NoSchedule", "CriticalAddonsOnly", "lacks the taint"),
    ("modules/storage.bicep", "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: '1.2'", "minimumTlsVersion may be"),
    ("modules/storage.bicep", "'Standard_LRS'", "'Standard_LSR'", "storageAccounts@2025-08-01.sku.name may be"),
    ("modules/storage.bicep", "resource work 'queues'", "resource work 'queue'", "no model of"),
    ("modules/storage.bicep", "  tags: tags\n", "", "sets none: no sweep would find it"),
    ("modules/identity.bicep", "audiences:", "audience:", "has no property audience"),
    ("modules/identity.bicep", "keda-operator", "keda", "no federated credential is for"),
    ("modules/identity.bicep", "issuer: issuerUrl", "issuer: 'https://x'", "param issuerUrl is not used"),
    ("modules/roles.bicep", "principalType: 'ServicePrincipal'", "principalType: 'Service'", "principalType may be"),
    ("modules/roles.bicep", "roleDefinitionId:", "roleDefinition:", "lacks roleDefinitionId, which is required"),
    ("modules/registry.bicep", "name: 'Basic'", "name: 'basic'", "sku.name may be"),
    ("main.bicep", "param queueName string = 'aws2azmsgs'", "param queueName string = 'work'", "queueName is 'work'"),
    ("main.bicep", "= 'aws2azpmts'", "= 'results'", "tableName is 'results'"),
    ("main.bicep", "= 'aqs-demo'", "= 'default'", "workloadNamespace is 'default'"),
    ("main.bicep", "= 'aqs-app-service-account'", "= 'aqs-app'", "workloadServiceAccount is 'aqs-app'"),
    ("main.bicep", "    registryName: globalName\n", "", "module registry needs the parameter registryName"),
    ("main.bicep", "registryName: globalName", "registry: globalName", "module registry has no parameter registry"),
    ("main.bicep", "identity.outputs.clientId", "identity.outputs.client", "module identity has no output client"),
    ("main.bicep", "@description('The region.", "@metadata({a: 'The region.", "this is no Bicep"),
    ("main.bicep", "var tags = {", "var tags = ", "this is no Bicep"),
    ("defaults.json", '"systemNodeCount": { "value": 1 }', '"systemNodeCount": { "value": 9 }', "must be from 1 to 3"),
    ("defaults.json", '"kubernetesVersion"', '"version"', "the parameter kubernetesVersion of"),
    ("../k8s/overlays/aks-spot/nodepools.yaml", "kubernetes.azure.com/mode: user", "a: b", "lacks the label"),
    ("../k8s/overlays/aks-spot/nodepools.yaml", 'cpu: "32"', 'memory: "32"', "has no limit of cpu"),
    ("../k8s/base/serviceaccount.yaml", "name: aqs-app-service-account", "name: other", "workloadServiceAccount is"),
]


class Check(unittest.TestCase):
    def test_what_is_here_fits(self):
        self.assertEqual(check.problems(ROOT), [])

    def test_every_planted_mistake_is_found(self):
        for file, stands, planted, said in PLANTED:
            with self.subTest(file=file, planted=planted), tempfile.TemporaryDirectory() as copy:
                for part in ("infra", "k8s"):
                    shutil.copytree(ROOT / part, Path(copy) / part)
                path = Path(copy) / "infra" / file
                text = path.read_text()
                self.assertIn(stands, text, "the mistake cannot be planted")
                path.write_text(text.replace(stands, planted, 1))
                found = check.problems(Path(copy))
                self.assertTrue(any(said in line for line in found), f"found only {found}")


if __name__ == "__main__":
    unittest.main()
