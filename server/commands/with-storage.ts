import { type Config, loadConfig } from '../config.ts';
import { createLog, type Logger } from '../log.ts';
import { openStorage, type Storage } from '../storage/open.ts';
import type { CommandContext } from './command.ts';

export interface StorageCommand {
  config: Config;
  storage: Storage;
  /** On the error stream: results and log lines must not mix. */
  log: Logger;
}

/**
 * For commands that work on the database itself. Opens it with the settings, and always closes it.
 * @throws ConfigError, StorageSetupError, StorageUnavailableError
 */
export async function withStorage<T>(
  { env, note }: Pick<CommandContext, 'env' | 'note'>,
  work: (command: StorageCommand) => Promise<T>,
): Promise<T> {
  const config = loadConfig(env);
  const log = createLog({ level: config.logLevel, secrets: config.secretValues, write: note });
  const storage = await openStorage(config);
  try {
    return await work({ config, storage, log });
  } finally {
    await storage.close();
  }
}
