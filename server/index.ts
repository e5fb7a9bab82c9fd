/** For merchants who run the server inside a program of their own; `npm start` runs server/main.ts. */

export { type Config, ConfigError, loadConfig } from './config.ts';
export { type AssembledServer, type AssembleOptions, assembleServer } from './create-server.ts';
export { type AppDeps, createApp, type ScriptBundle } from './http/app.ts';
export { createLog, type Logger, type LogOptions } from './log.ts';
export { StorageSetupError, StorageUnavailableError } from './storage/errors.ts';
export { openStorage, type Storage, type StorageOptions } from './storage/open.ts';
