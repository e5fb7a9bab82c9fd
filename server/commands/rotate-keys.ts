import { assertKeys } from '../storage/check-keys.ts';
import { rotateKeys } from '../storage/rotate-keys.ts';
import { createSecrets } from '../storage/secrets.ts';
import { type AddCommand, EXIT } from './command.ts';
import { withStorage } from './with-storage.ts';

/** Rows that one step re-encrypts: short transactions, so that serving goes on in the meantime. */
const BATCH = 200;
/** A line every few seconds, and not for each batch. */
const NOTE_EVERY = 10_000;

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
        let noted = 0;
        const onProgress = (values: number) => {
          if (values < noted + NOTE_EVERY) return;
          noted = values;
          context.note(`${values} values …\n`);
        };
        const { resealed, unreadable, keysStillNeeded } = await rotateKeys(storage, secrets, {
          batch: BATCH,
          onProgress,
        });
        if (unreadable > 0) context.exitCode = EXIT.failed;
        log.info({ resealed, unreadable, keys_still_needed: keysStillNeeded }, 'rotated');
        if (json) {
          context.write(`${JSON.stringify({ resealed, unreadable, keys_still_needed: keysStillNeeded })}\n`);
          return;
        }
        const old =
          keysStillNeeded.length > 0 ? `Old keys still needed: ${keysStillNeeded.join(', ')}.` : 'Old keys can go.';
        context.write(
          `${resealed} ${resealed === 1 ? 'value' : 'values'} re-encrypted, ${unreadable} could not be opened. ${old}${
            unreadable > 0 ? ' Put the key that the others need back, and run this again.' : ''
          }\n`,
        );
      }),
    );
};
