# Context: the repository's root. docker build -f docker/sink.Dockerfile .
FROM node:24.21-bookworm-slim AS build
WORKDIR /millrace
COPY . .
RUN npm ci --no-audit --no-fund \
 && ./node_modules/.bin/tsc -b apps/sink \
 && npm prune --omit=dev --no-audit --no-fund

FROM node:24.21-bookworm-slim
ENV NODE_ENV=production
WORKDIR /millrace
COPY --from=build /millrace/node_modules node_modules
COPY --from=build /millrace/libs libs
COPY --from=build /millrace/apps/sink apps/sink
RUN install -d -o node -g node /var/lib/millrace
USER node
EXPOSE 3002
CMD ["node", "--max-semi-space-size=32", "apps/sink/dist/main.js"]
