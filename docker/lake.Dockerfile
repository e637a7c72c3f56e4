# Context: the repository's root. docker build -f docker/lake.Dockerfile .
# Creates the topic, the bucket, the database and the table from the contract, and ends.
FROM node:24.21-bookworm-slim AS build
WORKDIR /millrace
COPY . .
RUN npm ci --no-audit --no-fund \
 && ./node_modules/.bin/tsc -b tools/stack \
 && npm prune --omit=dev --no-audit --no-fund

FROM node:24.21-bookworm-slim
ENV NODE_ENV=production
WORKDIR /millrace
COPY --from=build /millrace/node_modules node_modules
COPY --from=build /millrace/libs libs
COPY --from=build /millrace/tools/stack tools/stack
USER node
CMD ["node", "tools/stack/dist/set-up.js"]
