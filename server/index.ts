/** For merchants who run the server inside a program of their own; `npm start` runs server/main.ts. */
export { type AppDeps, createApp, type ScriptBundle } from './app.ts';
export { type AssembledServer, type AssembleOptions, assembleServer } from './assemble.ts';
export { type Config, ConfigError, loadConfig } from './config.ts';
export { createLog, type Logger, type LogOptions } from './log.ts';
export { StorageSetupError, StorageUnavailableError } from './storage/errors.ts';
export { openStorage, type Storage, type StorageOptions } from './storage/open.ts';
