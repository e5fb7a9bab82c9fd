/** For programs that run the server inside their own process; `npm start` runs server/main.ts. */

export { ConfigError } from './config.ts';
export { createServer, type Server, type ServerOptions, type StartedServer } from './server.ts';
export { StorageSetupError, StorageUnavailableError } from './storage/errors.ts';
