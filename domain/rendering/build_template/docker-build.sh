#!/usr/bin/env bash
# Builds one commit from its Dockerfile: clone, build, test, push. Runs in the build pod.
#
# Values come in PAVANE_* variables; none is ever part of this text. Lists are base64 of
# NUL-terminated strings, as neither the shell nor Argo's templates may look into them.
# Exit codes: 42 the build failed, 43 the tests failed (both the user's); 50 the repository could
# not be read, 51 a base image could not be pulled, 52 the image or its SBOM could not be pushed.
set -euo pipefail
exec 2>&1
export LC_ALL=C
work=$PAVANE_WORK source=$PAVANE_WORK/source out=$PAVANE_OUTPUT stage=''
mkdir -p "$source" "$out" "$work/home" "$work/storage"
touch "$out/report" "$out/tests"

# --- stages ---------------------------------------------------------------------------------------
milliseconds() { echo $((${EPOCHREALTIME/./} / 1000)); }
as_seconds() { printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)); }

begin() {
  stage=$1 began=$(milliseconds)
  echo "##pavane stage=$stage start=$(as_seconds "$began")"
}

finish() { # ok|failed
  local ended
  [[ -n $stage ]] || return 0
  ended=$(milliseconds)
  echo "stage $stage $(as_seconds $((ended - began))) $1" >>"$out/report"
  echo "##pavane stage=$stage end=$(as_seconds "$ended")"
  stage=''
}
trap 'finish failed' EXIT

fail() { # code, words
  echo "error: $2" >&2
  exit "$1"
}

retry() { # a command that may meet a fault that passes
  local pause
  for pause in 1 3 0; do
    "$@" && return 0
    sleep "$pause"
  done
  return 1
}

list() { # name of an array, base64
  mapfile -d '' -t "$1" < <(base64 -d <<<"$2")
}

inside() { # the real path of something that must lie in the checked-out source
  local path
  path=$(realpath -e -- "$1" 2>/dev/null) || return 1
  [[ $path == "$(realpath -- "$source")" || $path == "$(realpath -- "$source")"/* ]] && echo "$path"
}

# --- tools ----------------------------------------------------------------------------------------
export HOME=$work/home GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1
export GIT_ALLOW_PROTOCOL=http:https:ssh GIT_HTTP_LOW_SPEED_LIMIT=1 GIT_HTTP_LOW_SPEED_TIME=60
export BUILDAH_ISOLATION=chroot
export CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_REGISTRIES_CONF=$work/registries.conf
cat >"$CONTAINERS_STORAGE_CONF" <<-END
	[storage]
	driver = "$PAVANE_STORAGE_DRIVER"
	graphroot = "$work/storage/graph"
	runroot = "$work/storage/run"
END
cat >"$CONTAINERS_REGISTRIES_CONF" <<-END
	unqualified-search-registries = ["docker.io"]
	[[registry]]
	location = "${PAVANE_IMAGE%%/*}"
	insecure = $PAVANE_INSECURE
END
options=()
if [[ -n $PAVANE_TRUST ]]; then
  export SSL_CERT_FILE=$PAVANE_TRUST GIT_SSL_CAINFO=$PAVANE_TRUST
  options+=(--volume "$PAVANE_TRUST:/etc/ssl/certs/ca-certificates.crt:ro")
fi

# --- clone ----------------------------------------------------------------------------------------
has_commit() { git -C "$source" cat-file -e "$PAVANE_COMMIT^{commit}" 2>/dev/null; }
fetch_commit() { git -C "$source" fetch --quiet --no-tags --depth=1 origin "$PAVANE_COMMIT"; }
fetch_all() { git -C "$source" fetch --quiet origin '+refs/heads/*:refs/remotes/origin/*'; }

begin clone
git init --quiet --initial-branch=build "$source"
git -C "$source" remote add origin "$PAVANE_REPOSITORY"
fetch_commit || retry fetch_all || fail 50 'the repository could not be read'
has_commit || fail 42 "commit $PAVANE_COMMIT is not in the repository"
git -C "$source" -c advice.detachedHead=false checkout --quiet --detach "$PAVANE_COMMIT"
[[ $(git -C "$source" rev-parse HEAD) == "$PAVANE_COMMIT" ]] || fail 50 'another commit came out'
git -C "$source" log -1 --format='%h %an: %s'
# Who wrote it may not approve it. Anybody can write anything there: one word of visible ASCII a line.
who='%ae%n%ce%n%(trailers:key=Co-authored-by,valueonly)'
git -C "$source" log -1 --format="$who" | sed -E 's/.*<([^<>]*)>.*/\1/' | tr -cd '[:graph:]\n' |
  sort -u | sed -nE '/@/s/^/author /p' | cut -c1-261 | sed -n 1,32p >>"$out/report"
# Equal files get equal times, so that copying them is found in the cache of layers.
find "$source" -path "$source/.git" -prune -o -exec touch --no-dereference --date=@0 {} +
finish ok

# --- build ----------------------------------------------------------------------------------------
registry='initializing source|pinging container registry|pushing cache|reading (manifest|blob)'
registry+='|copying system image|writing (manifest|blob)|determining (manifest|layer)'
technical='connection refused|connection reset|timeout|timed out|no such host|unexpected EOF'
technical+='|server misbehaving|TLS handshake|toomanyrequests|status( code)?:? 5[0-9][0-9]'

begin build
context=$(inside "$source/$PAVANE_CONTEXT") || fail 42 "there is no folder $PAVANE_CONTEXT"
dockerfile=$(inside "$context/$PAVANE_DOCKERFILE") || fail 42 "there is no $PAVANE_DOCKERFILE"
list arguments "$PAVANE_BUILD_ARGUMENTS"
for argument in "${arguments[@]}"; do
  if grep -Eqi "^[[:space:]]*ARG[[:space:]]+${argument%%=*}\b" "$dockerfile"; then
    options+=(--build-arg "$argument")
  fi
done
if [[ -n $PAVANE_CACHE ]]; then
  options+=(--cache-from "$PAVANE_CACHE" --cache-to "$PAVANE_CACHE")
fi
built=localhost/build:latest
if ! buildah build --layers "${options[@]}" --file "$dockerfile" --tag "$built" "$context" 2>&1 |
  tee "$work/build.log"; then
  cause=$(grep -E '^(Error|error|time=.*level=error)' "$work/build.log" | tail -n 1 || true)
  grep -Eqi "$registry" <<<"$cause" && grep -Eqi "$technical" <<<"$cause" &&
    fail 51 'a registry did not answer as it should'
  fail 42 'the image could not be built'
fi
if grep -Eq '^--> (Using cache|Cache pulled)' "$work/build.log"; then
  echo 'cache hit' >>"$out/report"
fi
while read -r name tag digest _; do
  [[ $name == localhost/* || $name == '<none>' || $name == "${PAVANE_CACHE:-none}" ]] ||
    echo "base $name:$tag@$digest" >>"$out/report"
done < <(buildah images --digests --noheading)
finish ok

# What is inside is listed while the tests run and the image is pushed.
sbom=$work/sbom.json listing=''
list_content() {
  local root
  root=$(buildah mount "$(buildah from --pull-never "$built")")
  SYFT_CHECK_FOR_APP_UPDATE=false syft scan "dir:$root" --base-path "$root" --quiet \
    --source-name "$PAVANE_IMAGE" --source-version "$PAVANE_COMMIT" \
    --output "cyclonedx-json=$sbom"
}
if command -v syft >/dev/null; then
  list_content >"$work/sbom.log" 2>&1 &
  listing=$!
fi

# --- test -----------------------------------------------------------------------------------------
list test_command "$PAVANE_TEST_COMMAND"
if ((${#test_command[@]})); then
  begin test
  container=$(buildah from --pull-never "$built")
  if ! buildah run "$container" -- "${test_command[@]}" 2>&1 | tee "$work/test.log"; then
    tail -n 50 "$work/test.log" | tail -c 4000 >"$out/tests"
    fail 43 'the tests failed'
  fi
  tail -n 50 "$work/test.log" | tail -c 4000 >"$out/tests"
  finish ok
fi

# --- push -----------------------------------------------------------------------------------------
push() { buildah push --digestfile "$work/digest" "$built" "docker://$PAVANE_IMAGE:$PAVANE_TAG"; }

begin push
retry push || fail 52 'the image could not be pushed'
echo "digest $(<"$work/digest")" >>"$out/report"
finish ok

# --- sbom -----------------------------------------------------------------------------------------
artifact=$work/artifact
put() { # file: becomes a blob of the artifact; prints its descriptor's digest and size
  local digest
  digest=$(sha256sum <"$1")
  cp "$1" "$artifact/blobs/sha256/${digest%% *}"
  printf '"digest":"sha256:%s","size":%s' "${digest%% *}" "$(stat -c %s "$1")"
}

push_sbom() { # An OCI artifact whose subject is the image; its tag is the one that cosign looks for.
  local oci=application/vnd.oci.image.manifest.v1+json kind=application/vnd.cyclonedx+json
  local image size config layer manifest
  image=$(<"$work/digest")
  size=$(skopeo inspect --raw "--$tls" "docker://$PAVANE_IMAGE@$image" | wc -c) ||
    return 1
  mkdir -p "$artifact/blobs/sha256"
  printf '{}' >"$work/empty"
  config=$(put "$work/empty") layer=$(put "$sbom")
  cat >"$work/manifest" <<-END
	{"schemaVersion":2,"mediaType":"$oci","artifactType":"$kind",
	"config":{"mediaType":"application/vnd.oci.empty.v1+json",$config},
	"layers":[{"mediaType":"$kind",$layer}],
	"subject":{"mediaType":"$oci","digest":"$image","size":$size}}
	END
  manifest=$(put "$work/manifest")
  echo '{"imageLayoutVersion":"1.0.0"}' >"$artifact/oci-layout"
  echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"$oci\",$manifest}]}" \
    >"$artifact/index.json"
  skopeo copy --quiet --insecure-policy --preserve-digests "--dest-$tls" \
    "oci:$artifact" "docker://$PAVANE_IMAGE:${image/:/-}.sbom" || return 1
  echo "sbom sha256:$(sha256sum <"$work/manifest" | cut -d' ' -f1)" >>"$out/report"
}

if [[ -n $listing ]]; then
  begin sbom
  tls="tls-verify=$([[ $PAVANE_INSECURE == true ]] && echo false || echo true)"
  if ! wait "$listing"; then
    echo 'what is in the image could not be listed:'
    tail -n 5 "$work/sbom.log"
  else
    retry push_sbom || fail 52 'the SBOM could not be pushed'
  fi
  finish ok
fi

# --- scan -----------------------------------------------------------------------------------------
# The platform's scanner gets the SBOM; its exit code is the verdict, its last line the reason.
list scan "$PAVANE_SCAN_COMMAND"
if ((${#scan[@]})) && [[ -s $sbom ]]; then
  begin scan
  code=0
  "${scan[@]}" "$sbom" 2>&1 | tee "$work/scan.log" || code=${PIPESTATUS[0]}
  case " $PAVANE_SCAN_REFUSES " in
    *" $code "*) verdict=refused ;;
    *) verdict=$([[ $code == 0 ]] && echo passed || echo unknown) ;;
  esac
  echo "scan $verdict $(tail -n 1 "$work/scan.log" | tr -cd '[:print:]' | cut -c 1-500)" \
    >>"$out/report"
  finish ok
fi
