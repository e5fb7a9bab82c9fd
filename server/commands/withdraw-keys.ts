import { withdrawKeys } from '../lifecycle/withdraw-keys.ts';
import { createOutbox } from '../records/outbox.ts';
import { assertKeys } from '../storage/check-keys.ts';
import { createSecrets } from '../storage/secrets.ts';
import { type AddCommand, EXIT, UsageError } from './command.ts';
import { withStorage } from './with-storage.ts';

/** Rows that one step re-encrypts: short transactions, so that serving goes on in the meantime. */
const BATCH = 200;

export const addWithdrawKeys: AddCommand = (program, context) => {
  program
    .command('withdraw-keys')
    .summary('end all that a leaked key of ENCRYPTION_KEY opens')
    .description(
      'For a key that has leaked: put a new one first, restart every instance, and run this. Re-encrypts everything with the first key, cancels every session that waits for its customer and revokes every link that another key has made, so that the other keys can leave ENCRYPTION_KEY at once. Customers who are in Link right now start again with a new session or link. Banks that are being connected are finished.',
    )
    .option('--yes', 'confirm it')
    .option('--json', 'print the result as JSON')
    .action(({ yes, json }: { yes?: boolean; json?: boolean }) => {
      if (!yes) throw new UsageError('Customers who are in Link right now must start again. Add --yes to withdraw.');
      return withStorage(context, async ({ config, storage, log }) => {
        const secrets = createSecrets(config.encryptionKeys);
        await assertKeys(storage, secrets);
        const result = await withdrawKeys({ storage, secrets, outbox: createOutbox(config) }, { batch: BATCH });
        log.warn(result, 'keys withdrawn');
        if (result.unreadable > 0) context.exitCode = EXIT.failed;
        if (json) return context.write(`${JSON.stringify(result)}\n`);
        const { resealed, unreadable, sessions, links, busyLinks } = result;
        const end =
          unreadable > 0
            ? `${unreadable} values could not be opened: put the key that they need back, and run this again.`
            : 'Remove every key but the first from ENCRYPTION_KEY now, and restart: until then the old ones still work.';
        context.write(
          `${resealed} values re-encrypted, ${sessions} sessions canceled, ${links} links revoked (${busyLinks} in use). ${end}\n`,
        );
      });
    });
};
