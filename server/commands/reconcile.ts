import { UpstreamError } from '../clients/outbound.ts';
import { assembleServer } from '../create-server.ts';
import { readVersion } from '../http/script-bundle.ts';
import type { Finding } from '../lifecycle/reconcile.ts';
import { type AddCommand, CommandError, EXIT, readIsoTime } from './command.ts';
import { withStorage } from './with-storage.ts';

interface Options {
  fix?: boolean;
  since?: number;
  json?: boolean;
}

export const addReconcile: AddCommand = (program, context) => {
  program
    .command('reconcile')
    .summary('compare the database with Plaid and Finix after a restore')
    .description(
      'Compares the rows with what Plaid and Finix have, after an older copy was restored or a replica took over. May run while the server runs. Exits with 1 while something is found that was not put right.',
    )
    .option('--fix', 'disable, at Finix, instruments that no connection uses')
    .option('--since <date>', 'leave older instruments alone, as in 2026-01-31', readIsoTime)
    .option('--json', 'print the report as JSON')
    .action(({ fix = false, since = 0, json }: Options) =>
      withStorage(context, async ({ config, storage, log }) => {
        context.note('Comparing with Plaid and Finix, page by page …\n');
        const { reconcile } = await assembleServer({ config, storage, log, version: await readVersion() });
        const onFinding = (finding: Finding) => context.write(`${toLine(finding)}\n`);
        const report = await reconcile({ fix, since, ...(json ? {} : { onFinding }) }).catch(toCommandError);
        const { instruments, connections, findings, limit } = report;
        const open = findings.filter(({ done }) => done === null).length;
        if (open > 0) context.exitCode = EXIT.failed;
        if (json) {
          context.write(`${JSON.stringify(report)}\n`);
          return;
        }
        const compared = `${count(instruments, 'instrument')} and ${count(connections, 'connection')} compared`;
        context.write(`${compared}: ${count(findings.length, 'finding')}, ${open} to be put right.\n${limit}\n`);
        if (findings.some(({ about, done }) => about === 'instrument' && done === null)) {
          context.write('Run it with --fix to disable these instruments at Finix.\n');
        }
      }),
    );
};

/** @throws */
function toCommandError(error: unknown): never {
  if (!(error instanceof UpstreamError)) throw error;
  const { service, call, code, failure, details } = error;
  const name = service === 'plaid' ? 'Plaid' : 'Finix';
  const isOperators = failure === 'misconfigured' || failure === 'unexpected';
  throw new CommandError(
    `${name} could not be asked (${call}: ${code}), so the comparison is not complete. ${details.remedy ?? 'Run the command again.'}`,
    isOperators ? EXIT.failed : EXIT.unreachable,
  );
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function toLine({ about, id, problem, done }: Finding): string {
  return `${about} ${id} ${problem}${done === null ? '' : ` -> ${done}`}`;
}
