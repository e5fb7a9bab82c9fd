import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { ITEMS_LIMIT, type ReconcileReport } from '../../server/lifecycle/reconcile.ts';
import { bundle } from '../helpers/bundle.ts';
import { patient } from '../helpers/patience.mjs';
import { copyOf, putBack } from '../helpers/put-back.ts';
import { TestServer, testEnvironment } from '../helpers/server.ts';

/** Processes that start on a busy machine. */
const PATIENCE_MS = patient(60_000);

let main: string;
let server: TestServer;
beforeAll(async () => {
  main = await bundle('server/main.ts');
});
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.close());

const enabled = () => server.ledger.instruments().filter((instrument) => instrument['enabled'] === true);

/** `finix-bank-connect-server reconcile …`, on the database that a server is using. */
async function reconcile(...args: string[]): Promise<{ code: number | null; output: string; errors: string }> {
  const { plaidUrl, finixUrl } = server.upstream;
  const env = {
    PATH: process.env['PATH'],
    ...testEnvironment({ PLAID_BASE_URL: plaidUrl, FINIX_BASE_URL: finixUrl }),
    DATA_DIR: server.dataDir,
  };
  const child = spawn(process.execPath, [main, 'reconcile', ...args], { env });
  const texts = { output: '', errors: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    texts.output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    texts.errors += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}

/** One connection that the database knows, and the instrument of another one that it has lost. */
async function withLostInstrument(): Promise<string> {
  const { answer } = await server.connect();
  const known = answer.body.connections[0].payment_instrument;
  const copy = await copyOf(server.storage);
  await server.connect({ customer_id: 'cus_2' });
  await putBack(server.storage, copy);
  const lost = enabled().find(({ id }) => id !== known)?.id;
  if (!lost) throw new Error('no instrument was lost');
  return lost;
}

it('reconcile lists what is wrong and exits with 1, corrects it with --fix, and then exits with 0', {
  timeout: PATIENCE_MS,
}, async () => {
  const lost = await withLostInstrument();
  const listed = await reconcile();
  expect(listed).toMatchObject({ code: 1 });
  expect(listed.output).toContain(`instrument ${lost} is enabled at Finix for con_`);
  expect(listed.output).toContain('2 instruments and 1 connection compared: 1 finding, 1 to be put right');
  expect(listed.output).toContain('--fix');
  expect(enabled()).toHaveLength(2);

  const fixed = await reconcile('--fix');
  expect([fixed.code, fixed.output]).toEqual([0, expect.stringContaining('-> disabled')]);
  expect(enabled().map(({ id }) => id)).not.toContain(lost);
  expect(enabled()).toHaveLength(1);

  const clean = await reconcile();
  expect([clean.code, clean.output]).toEqual([0, expect.stringContaining('0 findings, 0 to be put right')]);
});

it('reconcile --since leaves older instruments alone', { timeout: PATIENCE_MS }, async () => {
  await withLostInstrument();
  const later = await reconcile('--fix', '--since', '2100-01-01');
  expect([later.code, later.output]).toEqual([0, expect.stringContaining('0 instruments and 1 connection compared')]);
  expect(enabled()).toHaveLength(2);
  expect((await reconcile('--since', '2000-01-01')).code).toBe(1);
});

it('reconcile --json prints the report and nothing else', { timeout: PATIENCE_MS }, async () => {
  const lost = await withLostInstrument();
  const { code, output } = await reconcile('--json');
  const report = JSON.parse(output) as ReconcileReport;
  expect([code, report.findings]).toMatchObject([1, [{ about: 'instrument', id: lost, done: null }]]);
  expect(report.limit).toBe(ITEMS_LIMIT);
});

it('reconcile prints that it can not name an Item whose row was lost, until Plaid sends a webhook about it', {
  timeout: PATIENCE_MS,
}, async () => {
  await withLostInstrument();
  // Without a copy of the webhooks that its connection was made with, the database knows nothing of the Item.
  const { output } = await reconcile('--fix');
  expect(output).toContain(ITEMS_LIMIT);
  expect(output).not.toMatch(/^webhook /m);
});

it.each([[['--since', 'yesterday']], [['--since', '7']], [['--since', '1/2/26']], [['--repair']], [['everything']]])(
  'reconcile %j is refused with exit code 2 and a reason',
  { timeout: PATIENCE_MS },
  async (args) => {
    const { code, errors } = await reconcile(...args);
    expect(code).toBe(2);
    expect(errors).toMatch(/--since|unknown option|too many arguments/);
  },
);

it('reconcile fails and disables nothing while Finix does not work', {
  timeout: PATIENCE_MS,
}, async () => {
  await withLostInstrument();
  server.upstream.simulator.faults.add({
    service: 'finix',
    path: '/payment_instruments*',
    kind: 'status',
    status: 503,
  });
  const { code, errors } = await reconcile('--fix');
  expect([code, errors]).toEqual([3, expect.stringContaining('Finix could not be asked')]);
  expect(enabled()).toHaveLength(2);
});

it('reconcile prints what it has disabled also when Plaid does not work afterwards', {
  timeout: PATIENCE_MS,
}, async () => {
  const lost = await withLostInstrument();
  server.upstream.simulator.faults.add({ service: 'plaid', path: '/item/get', kind: 'status', status: 503 });
  const { code, output, errors } = await reconcile('--fix');
  expect([code, errors]).toEqual([3, expect.stringContaining('Plaid could not be asked')]);
  expect(output).toContain(`instrument ${lost} is enabled`);
  expect(output).toContain('-> disabled');
});
