import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { earlierVersion, upgradeFrom } from './checkout.ts';
import type { Store } from './database.ts';
import { availableStores, type Line, runSuite } from './suite.ts';
import { formatLine, heading, total } from './table.ts';

const HELP = `npm run test:faults -- [options]

Real server processes over the simulated Plaid and Finix, and everything that can go wrong. The oracle reads the upstream state:
no bank lost, none made twice, no customer sent through Link again without need. Exit code 1 otherwise.

  --seed N          the same faults in the same order again (default: a new one each time)
  --store NAME      sqlite or postgres (default: both; without PostgreSQL its half is skipped, with a notice)
  --only TEXT       only the cases with TEXT in their name; =TEXT: only the case of this name
  --sessions N      at least so many sessions in all, in proportion (default: about 1,700)
  --rounds N        at most so many rounds of a case
  --short           few sessions, under a minute
  --server FOLDER   run the server of another checkout, with its dependencies; "earlier" is the version that the cases must detect
  --earlier VERSION the checkout or commit that upgrades start from, instead of that version
  --verbose         show the servers' logs
  --help            this text

FAULTS_PATIENCE=N   in the environment: all times are N times as long, for a machine that runs other things too
                    (default: 1, and 2 with CI)
`;

/** The sessions of all cases on both stores, for --sessions. */
const ABOUT = 1_700;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      store: { type: 'string' },
      only: { type: 'string' },
      sessions: { type: 'string' },
      rounds: { type: 'string' },
      short: { type: 'boolean', default: false },
      server: { type: 'string' },
      earlier: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const { stores: available, missing } = availableStores();
  if (missing) console.log(`PostgreSQL is skipped: ${missing}`);
  const stores = available.filter((store: Store) => values.store === undefined || store === values.store);
  if (stores.length === 0) throw new Error(`no such store here: ${values.store}`);
  if (values.earlier !== undefined) upgradeFrom(values.earlier);
  const server = values.server === undefined ? undefined : serverOf(values.server);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const scale = values.sessions === undefined ? 1 : Number(values.sessions) / ABOUT;
  console.log(`seed ${seed}\n\n${heading()}`);
  const lines = await runSuite({
    seed,
    stores,
    only: values.only,
    short: values.short,
    scale,
    rounds: values.rounds === undefined ? undefined : Number(values.rounds),
    server,
    verbose: values.verbose,
    report: (line) => {
      console.log(formatLine(line));
      if (!line.ok) explain(line, seed);
    },
  });
  console.log(`${total(lines)}\n`);
  if (lines.length === 0 || !lines.every(({ ok }) => ok)) process.exitCode = 1;
}

function serverOf(folder: string): string {
  if (folder !== 'earlier') return resolve(folder);
  const found = earlierVersion();
  if ('skipped' in found) throw new Error(found.skipped);
  return found.checkout;
}

function explain({ store, fault, verdict, control }: Line, seed: number): void {
  // For a control that could not be carried out, the reason is printed as well.
  const why = control
    ? ['the suite did not detect this server', ...(verdict.sessions === 0 ? verdict.lost : [])]
    : [...verdict.lost, ...verdict.double, ...verdict.needless].slice(0, 10);
  console.log(`FAILED ${store}, ${fault}:\n${why.map((line) => `  ${line}`).join('\n')}`);
  console.log(`  again: npm run test:faults -- --seed ${seed} --store ${store} --only ${JSON.stringify(fault)}\n`);
}

await main();
