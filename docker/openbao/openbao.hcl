# OpenBao of docker-compose.yml: data on disk, one node, unsealed at each start by the key that the
# service openbao-key made. The key lies in a volume beside the data: right for one person's machine,
# wrong for anything else.
ui           = true
api_addr     = "http://openbao:8200"
cluster_addr = "https://openbao:8201"

storage "raft" {
  path    = "/openbao/file"
  node_id = "compose"
}

listener "tcp" {
  address     = "0.0.0.0:8200"
  tls_disable = true
}

seal "static" {
  current_key_id = "compose-1"
  current_key    = "file:///openbao/keys/unseal.key"
}
