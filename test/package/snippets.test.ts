import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { signTestWebhook } from '../../widget/client.ts';
import type { Session } from '../../widget/contract.ts';
import { freePort } from '../helpers/free-port.ts';
import { hasPhp } from '../helpers/has-php.ts';
import { patient } from '../helpers/patience.mjs';
import { WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { MERCHANT_KEY, testEnvironment } from '../helpers/server.ts';
import { project } from './imports.ts';
import { FRAMEWORKS, snippetShop } from './snippet-shop.ts';

const run = promisify(execFile);
const snippet = (file: string) => join(project, 'docs/snippets', file);

/** For a customer whose bank has yet to confirm the account: the order is taken, and no other bank is asked for. */
const HELD = 'Order placed. Your bank confirms your account within 1–2 business days; then we charge it.';

describe('the programs in the documents', () => {
  const shop = snippetShop();
  const { environment, connected, expectUnconfirmed, asInFrameworks } = shop;

  const signed = async () => {
    const event = { type: 'connection.active', timestamp: new Date().toISOString(), data: { id: 'con_1' } };
    return signTestWebhook(event as Parameters<typeof signTestWebhook>[0], WEBHOOK_SECRET);
  };

  it('the programs in the documents compile, those in TypeScript', async () => {
    const compilerOptions = {
      ...{ strict: true, noEmit: true, module: 'nodenext', target: 'es2022', lib: ['es2022', 'dom'], types: ['node'] },
      allowImportingTsExtensions: true,
      skipLibCheck: true,
    };
    const exclude = FRAMEWORKS.map((name) => `snippets/${name}`);
    await shop.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['snippets/**/*.ts'], exclude }));
    const { code, output } = await shop.node(['node_modules/typescript/bin/tsc', '-p', '.']);
    expect([code, output]).toEqual([0, '']);
  });

  it('the programs in the documents compile, those of React, Next.js, Vue and SvelteKit', async () => {
    const { code, output } = await shop.node(['node_modules/typescript/bin/tsc', '-p', await asInFrameworks()]);
    expect([code, output]).toEqual([0, '']);
  });

  it('the programs in the documents for Next.js and SvelteKit create a session, verify, and check before a charge', async () => {
    const project = await asInFrameworks();
    const { id, payment_instrument } = await connected();
    // Both are plain functions of a request or a form; the frameworks themselves are too large to install here.
    await shop.write(
      'try-frameworks.ts',
      `import { POST as next } from './snippets/next/app/api/session/route.ts';
       import { pay } from './snippets/next/app/checkout/actions.ts';
       import { POST as svelte } from './snippets/sveltekit/src/routes/api/session/+server.ts';
       import { actions } from './snippets/sveltekit/src/routes/+page.server.ts';
       const form = new FormData();
       const request = () => new Request('http://localhost:5173', { method: 'POST', body: form });
       for (const create of [next, svelte]) console.log((await (await create()).json()).client_secret.slice(0, 4));
       const print = async () => console.log(await pay('', form), '|', (await actions.default({ request: request() })).result);
       for (const id of process.argv.slice(2)) {
         form.set('bank_account', id);
         await print();
       }`,
    );
    const jane = { identity: { first_name: 'Jane', last_name: 'Doe' } };
    // At another bank: the same account again would end the first connection.
    const other = await shop.server.connect({ institution: 'ins_109509', ...jane });
    const ids = [id, other.answer.body.connections[0].id, await expectUnconfirmed(), 'con_of_another'];
    const { output } = await shop.node(
      ['node_modules/tsx/dist/cli.mjs', '--tsconfig', project, 'try-frameworks.ts', ...ids],
      environment(),
    );
    const words = [
      `Charge ${payment_instrument}: the check is ok`,
      'Not charged: The bank knows the owner of this account by another name.',
      HELD,
      'Please connect your bank again.',
    ];
    expect(output).toBe(`ses_\nses_\n${words.map((line) => `${line} | ${line}\n`).join('')}`);
  });

  it('the programs in the documents for Node create a session, and accept only the connection of the customer who pays', async () => {
    const { id, payment_instrument } = await connected();
    await shop.write(
      'try.mjs',
      `import { createAuthorizedSession, createSession, instrumentToCharge } from './snippets/backend/backend.mjs';
       import { sendLink } from './snippets/backend/link.mjs';
       const customer = { id: 'cus_1', firstName: 'Jane', lastName: 'Doe', email: 'jane@example.com' };
       console.log((await createSession(customer, { id: 1, attempt: 1 })).slice(0, 4));
       console.log(await createAuthorizedSession(customer));
       await sendLink(customer, async (url) => console.log(new URL(url).pathname.slice(0, 3)));
       const form = { bank_account: process.argv[2] };
       console.log(await instrumentToCharge(form, customer));
       console.log(await instrumentToCharge(form, { id: 'cus_2' }).catch((error) => error.code));
       const unconfirmed = { bank_account: process.argv[3] };
       console.log(await instrumentToCharge(unconfirmed, customer));
       console.log(await instrumentToCharge(unconfirmed, { id: 'cus_2' }).catch((error) => error.code));`,
    );
    const { output } = await shop.node(['try.mjs', id, await expectUnconfirmed()], environment());
    const [first, client_secret = '', ...lines] = output.trimEnd().split('\n');
    expect([first, ...lines]).toEqual([
      ...['ses_', '/c/', payment_instrument, 'customer_mismatch', 'null', 'customer_mismatch'],
    ]);
    // The customer has not accepted the text.
    const authorized = { id: client_secret.split('_secret_')[0] ?? '', client_secret };
    const { status, body } = await shop.server.complete(authorized as Session, await shop.server.publicToken());
    expect([status, body.code]).toEqual([409, 'authorization_required']);
  });

  it('the programs in the documents for Node accept a signed webhook, and no other', async () => {
    const { body, headers } = await signed();
    await shop.write(
      'try-webhook.mjs',
      `import { receiveWebhook } from './snippets/backend/webhook.mjs';
       const [body, headers] = process.argv.slice(2);
       const save = (connection) => console.log(connection.id);
       console.log(await receiveWebhook(body, JSON.parse(headers), save));
       console.log(await receiveWebhook(body + ' ', JSON.parse(headers), save));`,
    );
    const { output } = await shop.node(['try-webhook.mjs', body, JSON.stringify(headers)], {
      MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET,
    });
    expect(output).toBe('con_1\n204\n400\n');
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  it.skipIf(!python)(
    `the programs in the documents for Python do the same${python ? '' : ' (skipped: there is no python3)'}`,
    async () => {
      const { id, payment_instrument } = await connected();
      const { body, headers } = await signed();
      const program = `import sys, json; sys.path.insert(0, sys.argv[1])
from backend import *
print(create_session({"id": "cus_1", "first_name": "Jane", "last_name": "Doe"}, "python-1")[:4])
print(instrument_to_charge(sys.argv[2], "cus_1"), instrument_to_charge(sys.argv[6], "cus_1"))
for customer, connection in (("cus_2", sys.argv[2]), ("cus_2", sys.argv[6]), ("cus_1", "../sessions")):
    try:
        instrument_to_charge(connection, customer)
    except Exception as error:
        print(type(error).__name__)
print(verify_webhook(sys.argv[3].encode(), json.loads(sys.argv[4]), sys.argv[5])["type"])
try:
    verify_webhook(sys.argv[3].encode() + b" ", json.loads(sys.argv[4]), sys.argv[5])
except ValueError as error:
    print(error)`;
      const signature = [body, JSON.stringify(headers), WEBHOOK_SECRET];
      const args = ['-c', program, snippet('backend'), id, ...signature, await expectUnconfirmed()];
      const env = { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1', ...environment() };
      const { stdout } = await run('python3', args, { env });
      expect(stdout).toBe(
        `ses_\n${payment_instrument} None\nValueError\nValueError\nHTTPError\nconnection.active\nno valid signature\n`,
      );
    },
  );

  it.skipIf(!hasPhp)(
    `the programs in the documents for PHP do the same${hasPhp ? '' : ' (skipped: there is no php with curl)'}`,
    async () => {
      const { id, payment_instrument } = await connected();
      const { body, headers } = await signed();
      const program = `require $argv[1];
echo substr(create_session(['id' => 'cus_1', 'first_name' => 'Jane', 'last_name' => 'Doe'], 'php-1'), 0, 4), "\\n";
echo instrument_to_charge($argv[2], 'cus_1'), "\\n";
foreach ([$argv[2], $argv[6]] as $connection) {
    try { instrument_to_charge($connection, 'cus_2'); } catch (RuntimeException $error) { echo $error->getMessage(), "\\n"; }
}
var_dump(instrument_to_charge($argv[6], 'cus_1'));
echo verify_webhook($argv[3], json_decode($argv[4], true), $argv[5])['type'], "\\n";`;
      const args = [
        '-r',
        program,
        '--',
        snippet('backend/backend.php'),
        id,
        body,
        JSON.stringify(headers),
        WEBHOOK_SECRET,
        await expectUnconfirmed(),
      ];
      const { stdout } = await run('php', args, { env: { PATH: process.env['PATH'], ...environment() } });
      expect(stdout).toBe(
        `ses_\n${payment_instrument}\nno usable bank account\nno usable bank account\nNULL\nconnection.active\n`,
      );
    },
  );

  it('the programs in the documents for the shell create a session and read a connection', async () => {
    const { id, payment_instrument } = await connected();
    const env = { PATH: process.env['PATH'], ...environment(), CONNECTION_ID: id };
    const created = await run('sh', [snippet('backend/create-session.sh')], { env });
    expect(JSON.parse(created.stdout)).toMatchObject({ object: 'session', customer_id: 'cus_1' });
    const verified = await run('sh', [snippet('backend/verify.sh')], { env });
    expect(JSON.parse(verified.stdout)).toMatchObject({ customer_id: 'cus_1', status: 'active', payment_instrument });
  });

  const quickstarts: [string, string, string, boolean][] = [
    ['Node', process.execPath, 'server.mjs', true],
    [python ? 'Python' : 'Python (skipped: there is no python3)', 'python3', 'server.py', python],
  ];
  describe.each(quickstarts)('the back end of the quickstart in %s', (_name, program, file, isThere) => {
    const again: [number, string] = [402, 'Please connect your bank again.'];

    it.skipIf(!isThere)(
      'takes an order whose bank has yet to confirm the account, of its own customer only',
      async () => {
        const { id, payment_instrument } = await connected();
        const waiting = await expectUnconfirmed();
        const other = await shop.server.connect({
          ...{ customer_id: 'cus_2', username: 'user_pending_verification', institution: 'ins_109510' },
        });
        const ids = [id, waiting, other.answer.body.connections[0]?.id as string, 'con_of_no_one', ''];
        const { answers } = await shop.expectCheckouts(program, file, ids, environment());
        const charged: [number, string] = [200, `Charge ${payment_instrument}: the check is ok`];
        expect(answers).toEqual([charged, [202, HELD], again, again, again]);
      },
    );

    it.skipIf(!isThere)('answers 502 and prints the code when the connect server refuses its key', async () => {
      const { answers, output } = await shop.expectCheckouts(program, file, ['con_1'], {
        ...environment(),
        MERCHANT_API_KEY: 'another-key',
      });
      expect(answers).toEqual([[502, 'Please try again.']]);
      expect(output).toMatch(/unauthorized/);
    });

    it.skipIf(!isThere)('answers 502 and prints why when the connect server can not be reached', async () => {
      const { answers, output } = await shop.expectCheckouts(program, file, ['con_1'], {
        ...environment(),
        CONNECT_URL: `http://127.0.0.1:${await freePort()}`,
      });
      expect(answers).toEqual([[502, 'Please try again.']]);
      expect(output).toMatch(/could not be reached|can't be reached/);
    });
  });

  describe.each([
    ['Hono', 'hono.mjs'],
    ['Express', 'express.mjs'],
  ])('the programs in the documents that run the server inside %s', (_name, file) => {
    it('answer its calls under the path of the mount, next to the shop’s own, and end on SIGTERM', async () => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const dataDir = await mkdtemp(join(tmpdir(), 'fbc-mounted-'));
      const upstream = { PLAID_BASE_URL: shop.server.upstream.plaidUrl, FINIX_BASE_URL: shop.server.upstream.finixUrl };
      const env = { ...testEnvironment(upstream), PORT: String(port), PUBLIC_URL: `${url}/connect`, DATA_DIR: dataDir };
      const child = execFile(process.execPath, [join('snippets/embed', file)], {
        cwd: shop.folder,
        env: { PATH: process.env['PATH'], ...Object.fromEntries(Object.entries(env).filter(([, value]) => value)) },
      });
      let output = '';
      child.stdout?.on('data', (chunk) => (output += chunk));
      child.stderr?.on('data', (chunk) => (output += chunk));
      const ended = new Promise((resolve) => child.once('exit', resolve));
      try {
        await expect.poll(() => output).toContain('listening');
        expect(await (await fetch(url)).text()).toBe('the shop');
        const created = await fetch(`${url}/connect/v1/sessions`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${MERCHANT_KEY}`, 'Content-Type': 'application/json' },
          body: JSON.stringify({ customer_id: 'cus_1' }),
        });
        expect([created.status, output]).toEqual([201, expect.not.stringContaining('rror')]);
        expect((await fetch(`${url}/connect/finix-bank-connect.js`)).status).toBe(200);
      } finally {
        child.kill('SIGTERM');
      }
      expect(await ended).toBe(0);
      await rm(dataDir, { recursive: true, force: true });
    });
  });

  it('the programs in the documents that run the server in route handlers of Next.js answer its calls', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'fbc-next-'));
    const tsconfig = await asInFrameworks();
    const upstream = { PLAID_BASE_URL: shop.server.upstream.plaidUrl, FINIX_BASE_URL: shop.server.upstream.finixUrl };
    const env = { ...testEnvironment(upstream), PUBLIC_URL: 'http://localhost:3000/connect', DATA_DIR: dataDir };
    // The handlers are plain functions of a Request; Next.js itself is 150 MB that the project does not install.
    await shop.write(
      'try-next.ts',
      `import { POST } from './snippets/next/app/connect/[...path]/route.ts';
       import { connect } from '@/lib/connect-server';
       const headers = { Authorization: 'Bearer ${MERCHANT_KEY}', 'Content-Type': 'application/json' };
       const url = 'http://localhost:3000/connect/v1/sessions';
       const answer = await POST(new Request(url, { method: 'POST', headers, body: '{"customer_id":"cus_1"}' }));
       console.log('answer', answer.status);
       await connect.stop();`,
    );
    const set = Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => !!pair[1]));
    const { output } = await shop.node(['node_modules/tsx/dist/cli.mjs', '--tsconfig', tsconfig, 'try-next.ts'], set);
    expect(output).toContain('answer 201');
    await rm(dataDir, { recursive: true, force: true });
  });

  it('the programs in the documents that test an integration with the simulator pass', async () => {
    // In the clone: the shop would need a whole Vitest.
    const { stdout } = await run(
      process.execPath,
      [
        join(project, 'node_modules/vitest/vitest.mjs'),
        'run',
        ...['--root', join(shop.folder, 'snippets/testing')],
        `--testTimeout=${patient(20_000)}`,
      ],
      { cwd: shop.folder, env: { PATH: process.env['PATH'], NO_COLOR: '1' } },
    ).catch((error) => error);
    expect(stdout).toMatch(/Tests +1 passed/);
  });
});
