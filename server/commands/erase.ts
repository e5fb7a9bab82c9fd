import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import { type AddCommand, EXIT, UsageError, wholeNumber } from './command.ts';
import { merchantApi, withServerOption } from './merchant-api.ts';

/** Disabling an instrument and removing an Item take a few seconds each; the server goes on by itself after that. */
const DEFAULT_WAIT_SECONDS = 60;
/** The server itself waits a while in each request. */
const ASK_EVERY_MS = 2_000;

interface Options {
  url?: string;
  yes?: boolean;
  wait: number;
  json?: boolean;
}

export const addErase: AddCommand = (program, context) => {
  const command = program
    .command('erase')
    .argument('<customer>', 'your id of the customer')
    .summary('remove a customer’s connections and erase what identifies them')
    .description(
      'Disables the customer’s payment instruments at Finix, removes their Items at Plaid and erases what identifies them. Proofs of authorization and the audit are kept as long as the law asks. Cannot be undone. Exits with 1 when it is not finished in time; the server goes on by itself.',
    )
    .option('--yes', 'confirm it')
    .option('--wait <seconds>', 'how long to wait for its end', readSeconds, DEFAULT_WAIT_SECONDS)
    .option('--json', 'print the answer as JSON');
  withServerOption(command).action(async (customer: string, { url, yes, wait, json }: Options) => {
    if (customer === '') throw new UsageError('Name the customer: your id of them.');
    if (!yes) throw new UsageError('This cannot be undone. Add --yes to erase the customer.');
    const api = merchantApi(context, url);
    const deadline = Date.now() + wait * 1000;
    for (let asked = 0; ; asked++) {
      const { status, body } = await api.call('DELETE', `/v1/customers/${encodeURIComponent(customer)}`);
      const isDone = status === 200;
      const isOver = isDone || Date.now() + ASK_EVERY_MS > deadline;
      if (isOver && json) context.write(`${JSON.stringify(body)}\n`);
      else if (isDone) context.write('Erased.\n');
      else if (isOver) {
        context.write('Not finished yet: a provider does not answer, or work is in progress. The server goes on.\n');
      }
      if (isOver) {
        context.exitCode = isDone ? EXIT.ok : EXIT.failed;
        return;
      }
      if (asked === 0) context.note('Disabling instruments and removing Items …\n');
      await sleep(ASK_EVERY_MS);
    }
  });
};

function readSeconds(text: string): number {
  const seconds = wholeNumber(text);
  if (Number.isNaN(seconds)) throw new InvalidArgumentError('It must be a whole number of seconds.');
  return seconds;
}
