import { type Config, loadConfig } from '../config.ts';
import { createLog, type Logger } from '../log.ts';
import { inspectStorage, type StorageState } from '../storage/inspect.ts';
import { openStorage, type Storage, type StorageOptions } from '../storage/open.ts';
import { type CommandContext, CommandError } from './command.ts';

export interface StorageCommand {
  config: Config;
  storage: Storage;
  /** On the error stream: results and log lines must not mix. */
  log: Logger;
}

/**
 * For commands that work on the database itself. Opens it with the settings, and always closes it.
 * @throws ConfigError, StorageSetupError, StorageUnavailableError; CommandError when there is no database
 */
export async function withStorage<T>(
  { env, note }: Pick<CommandContext, 'env' | 'note'>,
  work: (command: StorageCommand) => Promise<T>,
): Promise<T> {
  const config = loadConfig(env);
  await requireDatabase(config);
  const log = createLog({ level: config.logLevel, secrets: config.secretValues, write: note });
  const storage = await openStorage(config);
  try {
    return await work({ config, storage, log });
  } finally {
    await storage.close();
  }
}

/**
 * Opening would make an empty database, in which no value needs an old key: with a wrong DATA_DIR, an operator would be
 * advised to remove the key that every bank connection needs.
 * @throws CommandError
 */
export async function requireDatabase(settings: StorageOptions): Promise<StorageState> {
  const state = await inspectStorage(settings);
  if (!state.exists) throw new CommandError('There is no database yet; look at DATABASE_URL and DATA_DIR.');
  return state;
}
