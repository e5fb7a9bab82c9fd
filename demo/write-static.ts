import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { StaticFolderError, writeStatic } from './server/static-folder.ts';

const OUT = 'dist/demo-static';
const HELP = `The demo of finix-bank-connect as static files, for any static host

  npm run demo:static                    writes ${OUT}
  npm run demo:static -- --out folder    writes another folder, which must be new, empty, or an earlier one of this command
  npm run demo:static -- --help          this text

Serve the folder over https, or on localhost, at the root or in any folder of a host. Plaid, Link, Finix and the merchants
are simulated in the page, and a stand-in takes the place of the connect server; nothing leaves the browser. Once loaded it
works without a network. It has no process to kill, no link to send, and neither Hosted Link nor the embedded search: those
need npm run demo.
`;
/** Options that the command does not know; shells expect 2 for it. */
class UsageError extends Error {}

async function main(): Promise<void> {
  let values: { out?: string; help?: boolean };
  try {
    ({ values } = parseArgs({ options: { out: { type: 'string' }, help: { type: 'boolean', short: 'h' } } }));
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${HELP}`);
  }
  if (values.help) return void process.stdout.write(HELP);
  const built = dirname(fileURLToPath(import.meta.url));
  const out = resolve(values.out ?? join(built, '..', 'demo-static'));
  const count = await writeStatic(built, out);
  process.stdout.write(
    `${relative(process.cwd(), out) || out}: ${count} files, for any static host. Nothing in it is real, nothing leaves the browser.\n`,
  );
}

main().catch((error: unknown) => {
  const isUsage = error instanceof UsageError;
  const expected = isUsage || error instanceof StaticFolderError;
  process.stderr.write(`${expected ? error.message : (error as Error).stack}\n`);
  process.exitCode = isUsage ? 2 : 1;
});
