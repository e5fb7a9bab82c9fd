import { assertKeys } from '../storage/check-keys.ts';
import { rotateKeys } from '../storage/rotate-keys.ts';
import { createSecrets } from '../storage/secrets.ts';
import type { AddCommand } from './command.ts';
import { withStorage } from './with-storage.ts';

/** Rows that one step re-encrypts: short transactions, so that serving goes on in the meantime. */
const BATCH = 200;

export const addRotateKeys: AddCommand = (program, context) => {
  program
    .command('rotate-keys')
    .summary('re-encrypt everything with the first key of ENCRYPTION_KEY')
    .description(
      'Re-encrypts everything stored with the first key of ENCRYPTION_KEY, also while the server runs, and names the old keys that are still needed.',
    )
    .option('--json', 'print the result as JSON')
    .action(({ json }: { json?: boolean }) =>
      withStorage(context, async ({ config, storage, log }) => {
        const secrets = createSecrets(config.encryptionKeys);
        await assertKeys(storage, secrets);
        const { resealed, unreadable, keysStillNeeded } = await rotateKeys(storage, secrets, { batch: BATCH });
        log.info({ resealed, unreadable, keys_still_needed: keysStillNeeded }, 'rotated');
        if (json) {
          context.write(`${JSON.stringify({ resealed, unreadable, keys_still_needed: keysStillNeeded })}\n`);
          return;
        }
        const old =
          keysStillNeeded.length > 0 ? `Old keys still needed: ${keysStillNeeded.join(', ')}.` : 'Old keys can go.';
        context.write(
          `${resealed} ${resealed === 1 ? 'value' : 'values'} re-encrypted, ${unreadable} could not be opened. ${old}\n`,
        );
      }),
    );
};
