#!/bin/sh
# Initialises OpenBao once and makes it the identity provider of this installation. Safe to repeat.
# Leaves the root token in a volume, readable by root only.
set -eu
umask 077
init=${KEYS:-/openbao/keys}/init.json

attempts=0
until bao status >/dev/null 2>&1 || [ $? -eq 2 ]; do
  attempts=$((attempts + 1))
  if [ "$attempts" -ge 60 ]; then echo "OpenBao does not answer" >&2; exit 1; fi
  sleep 1
done

status=0
bao operator init -status >/dev/null 2>&1 || status=$?
if [ "$status" -eq 2 ]; then
  echo "initialising"
  bao operator init -recovery-shares=1 -recovery-threshold=1 -format=json >"$init.new"
  mv "$init.new" "$init"
fi
BAO_TOKEN=$(sed -n 's/.*"root_token": "\([^"]*\)".*/\1/p' "$init")
export BAO_TOKEN

attempts=0
until bao read sys/auth >/dev/null 2>&1; do
  attempts=$((attempts + 1))
  if [ "$attempts" -ge 60 ]; then echo "OpenBao does not become active" >&2; exit 1; fi
  sleep 1
done

has() { bao read "$1" >/dev/null 2>&1; }

has sys/auth/userpass/tune || bao auth enable userpass >/dev/null
has sys/mounts/secret/tune || bao secrets enable -path=secret kv-v2 >/dev/null

bao policy write pavane-person - >/dev/null <<'POLICY'
path "identity/oidc/token/pavane" { capabilities = ["read"] }
POLICY

# `iss` of the tokens follows api_addr; the audience is the client id.
bao write identity/oidc/key/pavane allowed_client_ids=pavane algorithm=ES256 >/dev/null
bao write identity/oidc/role/pavane key=pavane client_id=pavane ttl=12h template='{
  "groups": {{identity.entity.groups.names}},
  "name": {{identity.entity.metadata.name}},
  "email": {{identity.entity.metadata.email}}
}' >/dev/null

accessor=$(bao read -field=accessor sys/auth/userpass)

person() { # user, name, group
  # The password comes by stdin: arguments are visible to every process of the container.
  printf '%s' "$DEMO_PASSWORD" |
    bao write "auth/userpass/users/$1" password=- policies=pavane-person >/dev/null
  bao write identity/entity name="$1" metadata=email="$1@example.test" metadata=name="$2" \
    >/dev/null
  entity=$(bao read -field=id "identity/entity/name/$1")
  bao write identity/entity-alias name="$1" canonical_id="$entity" mount_accessor="$accessor" \
    >/dev/null
  bao write identity/group name="$3" member_entity_ids="$entity" >/dev/null
}

person ada Ada platform-engineers
person dev Dev developers
# The role `secrets` of the worker: signs heads of audit chains, and can do nothing else.
has sys/auth/approle/tune || bao auth enable approle >/dev/null
has sys/mounts/transit/tune || bao secrets enable transit >/dev/null
bao write transit/keys/pavane-audit type=ecdsa-p256 >/dev/null
bao policy write pavane-secrets - >/dev/null <<'POLICY'
path "transit/sign/pavane-audit" { capabilities = ["update"] }
path "transit/sign/pavane-audit/*" { capabilities = ["update"] }
path "transit/keys/pavane-audit" { capabilities = ["read"] }
POLICY
bao write auth/approle/role/pavane-secrets token_policies=pavane-secrets \
  token_no_default_policy=true token_ttl=10m token_max_ttl=10m secret_id_ttl=0 >/dev/null
bao write auth/approle/role/pavane-secrets/role-id role_id=pavane-secrets >/dev/null

worker=${WORKER:-/worker}/secret-id
if [ ! -s "$worker" ]; then
  bao write -f -field=secret_id auth/approle/role/pavane-secrets/secret-id >"$worker.new"
  chown "${OWNER:-10001}" "$worker.new"
  mv "$worker.new" "$worker"
fi

# One file for each version of the key, so that signatures of older ones stay believed.
version=0
bao read -format=json -field=keys transit/keys/pavane-audit |
  sed -n 's/.*"public_key": "\(.*\)".*/\1/p' |
  while read -r pem; do
    version=$((version + 1))
    file=${AUDIT_KEYS:-/audit-keys}/pavane-audit-$version.pem
    printf '%b' "$pem" >"$file.new"
    chmod 444 "$file.new"
    mv "$file.new" "$file"
  done
echo "ready: people ada (platform-engineers) and dev (developers)"
