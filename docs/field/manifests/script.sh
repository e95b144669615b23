#!/bin/bash
set -e
QUEUE=orders
while read -r line; do
  export "$line"
done < env.txt
kubectl apply -f - <<EOF
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: orders
spec:
  scaleTargetRef:
    name: worker
  minReplicaCount: 0
  maxReplicaCount: 10
  triggers:
    - type: azure-queue
      metadata:
        queueName: $QUEUE
        queueLength: "5"
        connectionFromEnv: STORAGE
EOF
