import { type AddCommand, CommandError, EXIT, readIsoTime, UsageError } from './command.ts';
import { merchantApi, type Row, withServerOption } from './merchant-api.ts';

interface Options {
  url?: string;
  dead?: boolean;
  since?: number;
  dryRun?: boolean;
  json?: boolean;
}

export const addResendWebhooks: AddCommand = (program, context) => {
  const command = program
    .command('resend-webhooks')
    .argument('[ids...]', 'deliveries, as `list webhooks` shows them')
    .summary('send webhooks to you again, after your endpoint was down')
    .description(
      'Makes deliveries due again, in the order in which their events happened. Handlers must expect an event again: its `webhook-id` is the same.',
    )
    .option('--dead', 'all that were given up')
    .option('--since <time>', 'with --dead: only events since then, as in 2026-01-31T08:00Z', readIsoTime)
    .option('--dry-run', 'print which, and send nothing')
    .option('--json', 'one JSON object per line');
  withServerOption(command).action(async (ids: string[], { url, dead, since = 0, dryRun, json }: Options) => {
    if (ids.length > 0 === (dead === true)) throw new UsageError('Name deliveries, or give --dead for all dead ones.');
    const api = merchantApi(context, url);
    const chosen = dead ? await deadOnes(api.list('/v1/webhook-deliveries', { status: 'dead' }), since) : ids;
    let failed = 0;
    for (const [index, id] of chosen.entries()) {
      if (dryRun) {
        context.write(json ? `${JSON.stringify({ id })}\n` : `${id}\n`);
        continue;
      }
      try {
        const { body } = await api.call('POST', `/v1/webhook-deliveries/${encodeURIComponent(id)}/resend`);
        context.write(json ? `${JSON.stringify(body)}\n` : `${id} is due\n`);
      } catch (error) {
        // One that is unknown is no reason to leave the others; a server that is gone is.
        if (!(error instanceof CommandError) || error.exitCode === EXIT.unreachable) throw error;
        failed += 1;
        context.note(`${id}: ${error.message}\n`);
      }
      if ((index + 1) % 100 === 0) context.note(`${index + 1} of ${chosen.length}\n`);
    }
    context.note(`${chosen.length - failed} ${dryRun ? 'would be sent' : 'due to be sent'} again, ${failed} failed.\n`);
    if (failed > 0) context.exitCode = EXIT.failed;
  });
};

/** Oldest first: the list is newest first. Read to its end before anything changes, so that no page moves. */
async function deadOnes(rows: AsyncIterable<Row>, since: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { id, created_at } of rows) {
    if (Date.parse(String(created_at)) >= since) found.unshift(String(id));
  }
  return found;
}
