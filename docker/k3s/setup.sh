#!/bin/sh
# Gives `api` and `worker` a kubeconfig for this network and puts the resources into the cluster.
# Safe to repeat. The manifests are tried until k3s has installed the CRDs of the Gateway API.
set -eu
umask 077
export KUBECONFIG=/output/admin.yaml
sed 's#https://127.0.0.1:6443#https://k3s:6443#' /output/kubeconfig.yaml >"$KUBECONFIG"
cp "$KUBECONFIG" /output/pavane.yaml
chown 10001:10001 /output/pavane.yaml

kubectl apply --server-side --force-conflicts -f /crds
kubectl wait --for=condition=Established --timeout=60s \
  $(kubectl get crd -o name | grep '\.choreo\.dev$')

attempts=0
until kubectl apply --server-side --force-conflicts -f /manifests; do
  attempts=$((attempts + 1))
  if [ "$attempts" -ge 90 ]; then echo "the gateway could not be installed" >&2; exit 1; fi
  sleep 2
done
