import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPlainCalls } from '../../server/clients/plain-calls.ts';
import { onSandbox } from '../../server/commands/trigger-sandbox.ts';
import type { ConnectionStatus } from '../../widget/contract.ts';
import { type CommandResult, runCommand } from '../helpers/command.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { eventually, TestServer, testEnvironment } from '../helpers/server.ts';

describe('trigger', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.start({ env: { FINIX_WEBHOOK_SECRET: 'finix-webhook-secret' } });
    server.upstream.simulator.settings.laterMs = 3600_000;
    server.upstream.simulator.webhooks.settings.finix = {
      url: 'http://localhost:3000/webhooks/finix',
      secret: 'finix-webhook-secret',
    };
  });
  afterEach(() => server.close());

  const trigger = (...args: string[]): Promise<CommandResult> =>
    runCommand(['trigger', ...args], {
      ...testEnvironment({ PLAID_BASE_URL: server.upstream.plaidUrl, FINIX_BASE_URL: server.upstream.finixUrl }),
      DATA_DIR: server.dataDir,
    });

  const { expectStatus } = connectionLifecycle(() => server);

  it.each<[string, ConnectionStatus]>([
    ['login-broken', 'needs_repair'],
    ['permission_revoked', 'revoked'],
    ['account_revoked', 'revoked'],
    ['instruments_disabled', 'revoked'],
    ['account_opened', 'active'],
  ])('%s reaches the server by its webhook: the connection is %s', async (event, status) => {
    const [connection] = (await server.connect()).answer.body.connections;
    const { code, out, err } = await trigger(event, '--connection', connection.id);
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(`${event.replace('-', '_')} of ${connection.id}: the simulator sends its webhook\n`);
    await expectStatus(connection.id, status);
  });

  it('returns the newest debit, and makes one where there is none', async () => {
    const [connection] = (await server.connect()).answer.body.connections;
    const { code, out } = await trigger('debit_returned', '--code', 'R10');
    expect([code, out]).toEqual([0, expect.stringMatching(/TR\w+ at the simulator/)]);
    await expectStatus(connection.id, 'revoked');
    const { body } = await server.merchant('GET', `/v1/connections/${connection.id}`);
    expect(body.last_return).toMatchObject({ code: 'R10', amount: 1000 });
  });

  describe('on the sandboxes, which the simulator stands in for', () => {
    async function newConnection(username?: string) {
      const { answer } = await server.connect(username === undefined ? {} : { username });
      const [{ id }] = answer.body.connections;
      return server.storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    }

    /** By the calls of the sandboxes: on a simulator, `trigger` itself steers it in another way. */
    async function expectHappened(
      event: string,
      path: string,
      webhook: string,
      status: ConnectionStatus,
      username?: string,
    ) {
      const connection = await newConnection(username);
      const happened = await onSandbox(server, event, connection);
      expect(happened).toMatch(/^Plaid sends its webhook to http:\S+\/webhooks\/plaid \(request \w+\)$/);
      await expectStatus(connection.id, status);
      expect(server.ledger.calls().map((call) => call.path)).toContain(path);
      expect(server.ledger.webhooks().map(({ type }) => type)).toContain(webhook);
    }

    it.each<[string, string, ConnectionStatus]>([
      ['permission_revoked', 'ITEM/USER_PERMISSION_REVOKED', 'revoked'],
      ['account_revoked', 'ITEM/USER_ACCOUNT_REVOKED', 'revoked'],
      ['account_opened', 'ITEM/NEW_ACCOUNTS_AVAILABLE', 'active'],
      ['numbers_changed', 'AUTH/DEFAULT_UPDATE', 'active'],
      ['login_repaired', 'ITEM/LOGIN_REPAIRED', 'active'],
      ['disconnect_announced', 'ITEM/PENDING_DISCONNECT', 'needs_repair'],
    ])('%s has Plaid send %s, which leaves the connection %s', async (event, webhook, status) => {
      await expectHappened(event, '/sandbox/item/fire_webhook', webhook, status);
    });

    it('login_broken resets the login, so that the Item itself needs a repair', async () => {
      await expectHappened('login_broken', '/sandbox/item/reset_login', 'ITEM/ERROR', 'needs_repair');
      expect(server.ledger.items()).toMatchObject([{ login_required: true }]);
    });

    it.each<[string, string, ConnectionStatus]>([
      ['verified', 'AUTH/AUTOMATICALLY_VERIFIED', 'active'],
      ['verification_expired', 'AUTH/VERIFICATION_EXPIRED', 'failed'],
    ])(
      '%s has Plaid send %s, which ends the wait for small deposits: the connection is %s',
      async (event, webhook, status) => {
        const path = '/sandbox/item/set_verification_status';
        await expectHappened(event, path, webhook, status, 'user_pending_verification');
      },
    );

    it('instruments_disabled disables the instrument at Finix', async () => {
      const connection = await newConnection();
      await onSandbox(server, 'instruments_disabled', connection);
      await expectStatus(connection.id, 'revoked');
    });

    it('gives the reason when a sandbox refuses, sends nothing, or cannot do it', async () => {
      const connection = await newConnection();
      await expect(onSandbox(server, 'numbers_withheld', connection)).rejects.toThrow('the simulator can');
      const silent = createPlainCalls(server.config);
      silent.plaid = async () => ({
        ...{ status: 200, isOk: true, requestId: 'request1', date: undefined },
        body: { webhook_fired: false },
      });
      await expect(onSandbox(server, 'account_opened', connection, silent)).rejects.toThrow(/no address.+PUBLIC_URL/);
      const rule = { service: 'plaid', path: '/sandbox/item/fire_webhook', kind: 'plaid_error' } as const;
      server.upstream.simulator.faults.add({ ...rule, error_code: 'SANDBOX_ONLY' });
      await expect(onSandbox(server, 'account_opened', connection)).rejects.toThrow(/SANDBOX_ONLY.+Check PLAID_ENV/);
    });
  });

  it('names what it does not know', async () => {
    expect(await trigger('flood')).toMatchObject({ code: 2, err: expect.stringContaining('flood') });
    expect(await trigger('login_broken')).toMatchObject({ code: 1, err: 'No bank is connected.\n' });
    const missing = await trigger('login_broken', '--connection', 'con_none');
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('con_none')]);
  });

  it('refuses to touch production', async () => {
    const env = testEnvironment({ PLAID_ENV: 'production', FINIX_ENV: 'live', DATA_DIR: server.dataDir });
    const { code, err } = await runCommand(['trigger', 'login_broken'], {
      ...env,
      ENCRYPTION_KEY: Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64'),
      PUBLIC_URL: 'https://connect.shop.example',
    });
    expect([code, err]).toEqual([1, expect.stringContaining('PLAID_ENV=sandbox only')]);
  });

  it('ends with 3 when the simulator is gone', async () => {
    await server.connect();
    const env = testEnvironment({
      PLAID_BASE_URL: 'http://127.0.0.1:9/plaid',
      FINIX_BASE_URL: 'http://127.0.0.1:9/finix',
    });
    const { code, err } = await runCommand(['trigger', 'login_broken'], { ...env, DATA_DIR: server.dataDir });
    expect([code, err]).toEqual([3, expect.stringContaining('http://127.0.0.1:9')]);
  });
});

describe('listen', () => {
  let receiver: Receiver;
  const cleanUp: (() => unknown)[] = [];
  beforeEach(async () => {
    receiver = await startReceiver();
    cleanUp.push(() => receiver.close());
  });
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  });

  async function expectListening(args: string[], env: Record<string, string> = {}) {
    let printed = '';
    let stop = () => {};
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const done = runCommand(['listen', '--port', '0', ...args], env, stopped, (text) => {
      printed += text;
    });
    cleanUp.push(async () => {
      stop();
      expect((await done).code).toBe(0);
    });
    const url = await eventually(async () => /MERCHANT_WEBHOOK_URL=(\S+)/.exec(printed)?.[1]);
    return { url, printed: () => printed };
  }

  it('forwards the server’s events, signature and all, and gives back the handler’s answer', async () => {
    const { url, printed } = await expectListening(['--forward-to', receiver.url], {
      MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET,
    });
    const server = await TestServer.start({
      env: { MERCHANT_WEBHOOK_URL: url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET },
    });
    cleanUp.push(() => server.close());
    receiver.answer = { status: 500 };
    await server.connect();
    await server.jobs.tick();
    expect(receiver.types().sort()).toEqual(['connection.active', 'session.completed']);
    expect(receiver.received.map(({ isSigned }) => isSigned)).toEqual([true, true]);
    expect(printed()).toMatch(/\d\d:\d\d:\d\d connection\.active con_\w+ signed -> 500\n/);
    const { body } = await server.merchant('GET', '/v1/webhook-deliveries');
    expect(body.data.map(({ last_status }: { last_status: number }) => last_status)).toEqual([500, 500]);
  });

  it('shows which events are not signed by the secret, and cannot be made to steer the terminal', async () => {
    const { url, printed } = await expectListening(['--print'], { MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET });
    const body = JSON.stringify({ type: 'connection.active', data: { id: 'con_\u001b[2J' } });
    const wrong = new Webhook(`whsec_${Buffer.alloc(32, 1).toString('base64')}`);
    const now = new Date();
    const { status } = await fetch(url, {
      method: 'POST',
      headers: {
        'webhook-id': 'msg_1',
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': wrong.sign('msg_1', now, body),
      },
      body,
    });
    expect(status).toBe(204);
    expect(printed()).toContain('NOT SIGNED by MERCHANT_WEBHOOK_SECRET');
    expect(printed()).not.toContain('\u001b');
  });

  it('answers 502 while the handler does not answer, and 405 to other methods', async () => {
    const { url, printed } = await expectListening(['--forward-to', 'http://127.0.0.1:9/hooks']);
    expect((await fetch(url, { method: 'POST', body: '{"type":"session.completed"}' })).status).toBe(502);
    expect(printed()).toContain('no answer from http://127.0.0.1:9/hooks');
    expect((await fetch(url)).status).toBe(405);
  });

  it.each([
    [['--forward-to', 'https://elsewhere.example/hooks'], 'addresses of this machine'],
    [['--forward-to', 'hooks'], 'http address'],
    [['--port', '99999'], '65535'],
  ])('refuses %j', async (args, named) => {
    const { code, err } = await runCommand(['listen', ...args]);
    expect([code, err]).toEqual([2, expect.stringContaining(named)]);
  });
});

describe('completion', () => {
  it('completes commands and their options in bash', async () => {
    const { out } = await runCommand(['completion', 'bash']);
    const complete = async (...line: string[]): Promise<string[]> => {
      const words = line.map((word) => `'${word}'`).join(' ');
      const script = `${out}\nCOMP_WORDS=(finix-bank-connect-server ${words}); COMP_CWORD=${line.length}; _finix_bank_connect_server; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await promisify(execFile)('bash', ['-c', script]);
      return stdout.trim().split('\n');
    };
    expect(await complete('re')).toEqual(['resend-webhooks', 'reconcile']);
    expect(await complete('reconcile', '--')).toEqual(['--fix', '--since', '--json', '--help']);
    expect(await complete('list', 'w')).toEqual(['webhooks']);
    expect(await complete('completion', '')).toEqual(['bash', 'zsh', 'fish', '--help']);
  });

  it('names every command for zsh and fish', async () => {
    for (const shell of ['zsh', 'fish']) {
      const { code, out } = await runCommand(['completion', shell]);
      expect(code).toBe(0);
      for (const command of ['serve', 'trigger', 'rotate-keys']) expect(out).toContain(command);
    }
    expect((await runCommand(['completion', 'csh'])).code).toBe(2);
  });

  it('offers every command, and docs/cli.md documents it', async () => {
    const { out } = await runCommand(['completion', 'fish']);
    const commands = [...out.matchAll(/__fish_use_subcommand' -f -a (\S+)/g)].map(([, name]) => name);
    const documentation = readFileSync('docs/cli.md', 'utf8');
    expect(commands).toEqual(expect.arrayContaining(['serve', 'doctor', 'sandbox', 'show', 'completion']));
    expect(commands.filter((name) => !documentation.includes(`\`${name}`))).toEqual([]);
  });
});
