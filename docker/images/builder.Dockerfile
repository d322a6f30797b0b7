# What a build runs in: clones with git, builds and pushes with buildah, not privileged.
FROM debian:12.11-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends bash buildah ca-certificates git \
 && rm -rf /var/lib/apt/lists/*
COPY storage.conf /etc/containers/storage.conf
ENV BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs LANG=C.UTF-8
