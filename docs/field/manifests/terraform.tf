resource "kubernetes_manifest" "orders" {
  manifest = <<YAML
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: orders
YAML
}
