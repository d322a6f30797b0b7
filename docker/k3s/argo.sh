#!/bin/sh
# Installs the pinned release of Argo Workflows and waits for its controller. Safe to repeat.
set -eu
export KUBECONFIG=/output/admin.yaml
kubectl create namespace argo --dry-run=client -o yaml | kubectl apply --server-side -f -
kubectl apply --server-side --force-conflicts -n argo -f \
  "https://github.com/argoproj/argo-workflows/releases/download/$ARGO_VERSION/install.yaml"
kubectl rollout status -n argo deployment/workflow-controller --timeout=300s
