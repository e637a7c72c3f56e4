# Context: the repository's root. docker build -f docker/query-api.Dockerfile .
# One image, two processes: the API (the default command) and the worker (node apps/query-api/dist/worker.js).
FROM node:24.21-bookworm-slim AS build
WORKDIR /millrace
COPY . .
RUN npm ci --no-audit --no-fund \
 && ./node_modules/.bin/tsc -b apps/query-api \
 && npm prune --omit=dev --no-audit --no-fund

# DuckDB's extension for S3, as a signed file of exactly DuckDB's version.
FROM python:3.12-slim AS httpfs
RUN pip install --no-cache-dir --target /httpfs duckdb-extension-httpfs==1.5.5 \
 && find /httpfs -name httpfs.duckdb_extension -exec cp {} /httpfs.duckdb_extension \;

FROM node:24.21-bookworm-slim
ENV NODE_ENV=production QUERY_DUCKDB_HTTPFS=/millrace/httpfs.duckdb_extension
WORKDIR /millrace
COPY --from=build /millrace/node_modules node_modules
COPY --from=build /millrace/libs libs
COPY --from=build /millrace/apps/query-api apps/query-api
COPY --from=httpfs /httpfs.duckdb_extension httpfs.duckdb_extension
RUN install -d -o node -g node /var/lib/millrace
USER node
EXPOSE 3003 3004
CMD ["node", "apps/query-api/dist/main.js"]
