import { resolve } from 'node:path';
import { loadStorageSettings } from '../config.ts';
import { StorageSetupError } from '../storage/errors.ts';
import { backupSqliteFile } from '../storage/sqlite.ts';
import type { AddCommand } from './command.ts';

export const addBackup: AddCommand = (program, context) => {
  program
    .command('backup')
    .argument('<file>', 'the copy, which must not exist yet')
    .summary('copy the embedded database, also while it serves')
    .description(
      'Copies the embedded database to a file, whole or not at all, also while the server runs. Needs only DATA_DIR. PostgreSQL has pg_dump.',
    )
    .action(async (file: string) => {
      const { databaseUrl, dataDir } = loadStorageSettings(context.env);
      if (databaseUrl) {
        throw new StorageSetupError('Only the embedded database is copied here; DATABASE_URL is set: use pg_dump.');
      }
      await backupSqliteFile(dataDir, file);
      context.write(
        `Copied to ${resolve(file)}. It is of use only with the keys of ENCRYPTION_KEY: keep them apart from it.\n`,
      );
    });
};
