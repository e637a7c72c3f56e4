# Context: the repository's root. docker build -f docker/purchase.Dockerfile .
FROM node:24.21-bookworm-slim AS build
WORKDIR /millrace
COPY . .
RUN npm ci --no-audit --no-fund \
 && ./node_modules/.bin/tsc -b apps/purchase \
 && npm prune --omit=dev --no-audit --no-fund

FROM node:24.21-bookworm-slim
ENV NODE_ENV=production
WORKDIR /millrace
COPY --from=build /millrace/node_modules node_modules
COPY --from=build /millrace/libs libs
COPY --from=build /millrace/apps/purchase apps/purchase
RUN install -d -o node -g node /var/lib/millrace
USER node
EXPOSE 3001
CMD ["node", "apps/purchase/dist/main.js"]
