# What is in the image, and how it is built, signed and verified: docs/supply-chain.md. `make image` builds it.

# By tag, for whoever builds at home; a release passes both by digest, as NAME:TAG@sha256:….
ARG BUILD_IMAGE=docker.io/library/node:26-trixie-slim
ARG BASE_IMAGE=gcr.io/distroless/cc-debian13:nonroot

# On the platform that builds: what is made here is JavaScript, the same for every platform.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS application
WORKDIR /build
COPY .npmrc package.json package-lock.json ./
# The secret is for a registry that wants credentials, or a CA of its own; it stays out of every layer. What Node.js
# does not read goes: declarations, source maps, binaries for another runtime.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --omit=dev --ignore-scripts --no-bin-links \
 && find node_modules -type f \( -name '*.ts' -o -name '*.[cm]ts' -o -name '*.map' \) -delete \
 && rm -rf node_modules/bare-*/prebuilds node_modules/.package-lock.json
COPY LICENSE .
COPY proto proto
COPY scripts/strip-types.ts scripts/
COPY src src
# Modes and times are made here, so that they do not depend on the checkout. Of the notices a base may lack its own.
RUN mkdir /app /data \
 && node --disable-warning=ExperimentalWarning scripts/strip-types.ts src /app/src \
 && cp -r LICENSE package.json proto /app \
 && { cp /usr/local/LICENSE /app/LICENSE.nodejs || true; } \
 && { cp -L /usr/share/doc/libatomic1/copyright /app/LICENSE.libatomic || true; } \
 && chmod -R u=rwX,go=rX /app node_modules

FROM ${BUILD_IMAGE} AS runtime

FROM ${BASE_IMAGE}
# Node.js 25 and later need libatomic, which the distroless base does not have.
COPY --from=runtime /usr/lib/*-linux-gnu/libatomic.so.1* /usr/lib/
COPY --from=runtime /usr/local/bin/node /usr/local/bin/
COPY --from=application /build/node_modules /app/node_modules
COPY --from=application /app /app
COPY --from=application --chown=65532:65532 /data /data

# The one place that is written to: the default journal, data/journal.db, lies there. The root may be read-only; then
# mount something at /data.
ENV NODE_ENV=production SQLITE_TMPDIR=/data
WORKDIR /
USER 65532:65532
EXPOSE 6000 6001 6002
# Node.js is process 1 and hears SIGTERM itself. Its settings: docs/performance.md.
ENTRYPOINT ["/usr/local/bin/node", "--single-threaded-gc", "--max-semi-space-size=2", "/app/src/main.js"]

# Last, as they change with every commit.
ARG BASE_IMAGE
ARG VERSION
ARG REVISION
ARG CREATED
ARG SOURCE
LABEL org.opencontainers.image.title="external-scaler-sysdig" \
      org.opencontainers.image.description="A KEDA external scaler for Sysdig Monitor queries and Falco attacks" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
