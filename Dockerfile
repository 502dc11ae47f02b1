# Tollgate on Node:  docker build -t tollgate .
#         on Deno:   docker build -t tollgate --build-arg RUNTIME=deno .
#
# docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#   -p 127.0.0.1:4400:4400 -v tollgate:/data -v ./tollgate.config.ts:/app/tollgate.config.ts:ro \
#   -e TOLLGATE_SECRET_FILE=/run/secrets/tollgate ... tollgate
#
# There is no build step: the image holds the sources and the packages that they need at run time.
ARG RUNTIME=node

FROM docker.io/library/node:24.21.0-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM docker.io/library/node:24.21.0-trixie-slim AS node
# The default store, ./data/tollgate.db, is then in the volume.
RUN install -d -o 65532 -g 65532 -m 0700 /data && install -d /app && ln -s /data /app/data
WORKDIR /app
ENV NODE_ENV=production
COPY --from=packages /app/node_modules ./node_modules
COPY . .
USER 65532:65532
VOLUME /data
EXPOSE 4400
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4400/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "src/main.ts"]
CMD ["serve", "--host", "0.0.0.0", "--port", "4400"]

FROM docker.io/denoland/deno:debian-2.9.6 AS deno
RUN install -d -o 65532 -g 65532 -m 0700 /data && install -d /app && ln -s /data /app/data
WORKDIR /app
# Deno keeps its caches in memory where it cannot write.
ENV NODE_ENV=production DENO_NO_UPDATE_CHECK=1 DENO_DIR=/tmp/deno
COPY --from=packages /app/node_modules ./node_modules
COPY . .
USER 65532:65532
VOLUME /data
EXPOSE 4400
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["deno", "eval", "const answer = await fetch('http://127.0.0.1:4400/health/live'); Deno.exit(answer.ok ? 0 : 1)"]
ENTRYPOINT ["deno", "run", "--no-prompt", "--cached-only", "--allow-net", "--allow-env", "--allow-read=/app,/data,/run/secrets", "--allow-write=/app/data,/data", "src/main.ts"]
CMD ["serve", "--host", "0.0.0.0", "--port", "4400"]

# hadolint ignore=DL3006
FROM ${RUNTIME}
