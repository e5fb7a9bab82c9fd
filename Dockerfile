# The server alone, as a non-root user. Build: docker build -t finix-bank-connect-server .
# 22 is the oldest release line with the runtime's own SQLite and security updates.
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY test/package/frameworks/compilers/package.json test/package/frameworks/compilers/
RUN npm ci --no-audit --no-fund
COPY . .
# The package that operators install: only what the server needs at run time.
RUN npm run pack && mkdir /app && cd /app && npm init --yes > /dev/null \
  && npm install --omit=dev --no-audit --no-fund /src/dist/packages/finix-bank-connect-server-*.tgz

FROM node:22-bookworm-slim
ENV NODE_ENV=production PORT=3000 DATA_DIR=/data
# A third less memory, at no cost (docs/load.md). `docker run -e NODE_OPTIONS=…` sets others in their place.
ENV NODE_OPTIONS="--max-semi-space-size=8 --max-old-space-size=512"
# The commands of docs/cli.md by their name: docker exec finix-bank-connect finix-bank-connect-server backup …
ENV PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
COPY --from=build --chown=root:root /app /app
RUN mkdir /data && chown node:node /data
# The embedded database; with DATABASE_URL nothing is written here.
VOLUME /data
USER node
EXPOSE 3000
# Liveness only: a database that is down must not restart every instance. Balancers ask /readyz.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Started directly, so that SIGTERM reaches the server. Allow 35 seconds before a kill.
STOPSIGNAL SIGTERM
CMD ["node", "node_modules/finix-bank-connect-server/dist/server/main.js"]
