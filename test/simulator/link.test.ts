import { serve } from '@hono/node-server';
import axe from 'axe-core';
import type { LinkTokenCreateRequest } from 'plaid';
import { type Browser, chromium, type FrameLocator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import { chromiumArgs, findChromium } from '../helpers/chromium.mjs';
import { linkItem, linkTokenRequest, plaidClient, refusal } from './client.ts';

// One browser for all; a browser takes seconds to start, so the hooks get more than the default.
const BROWSER_MS = 60_000;
let browser: Browser;
let running: RunningSimulator;
let shop: { url: string; close: () => void };
let page: Page;
let link: FrameLocator;
let complaints: string[];
let now: number;

beforeAll(async () => {
  const found = await findChromium();
  browser = await chromium.launch({
    executablePath: found.path,
    args: [...chromiumArgs],
    env: { ...process.env, ...found.env } as Record<string, string>,
    chromiumSandbox: false,
  });
}, BROWSER_MS);
afterAll(() => browser?.close());

beforeEach(async () => {
  now = Date.now();
  running = await startSimulator({ now: () => now });
  shop = await startShop();
  // Motion only costs time here: a tool waits for things to stand still before it clicks.
  page = await browser.newPage({ reducedMotion: 'reduce' });
  page.setDefaultTimeout(10_000);
  complaints = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(shop.url);
  link = page.frameLocator('iframe');
}, BROWSER_MS);
afterEach(async () => {
  await page.close();
  shop.close();
  await running.close();
});

type Told = [name: string, first: unknown, second?: unknown];

/** A page of another origin under a strict policy: only scripts with its nonce, no style attributes, one frame origin. */
async function startShop(): Promise<typeof shop> {
  const script = `
    window.told = [];
    window.create = (token, more) => {
      window.handler = Plaid.create({ token,
        onSuccess: (token, metadata) => told.push(['success', token, metadata]),
        onExit: (error, metadata) => told.push(['exit', error, metadata]),
        onEvent: (name, metadata) => told.push(['event', name, metadata]),
        onLoad: () => told.push(['load']), ...more });
    };`;
  const html = `<!doctype html><title>Shop</title><link rel="icon" href="data:,"><button>Pay</button>
    <script nonce="n" src="${running.linkScriptUrl}"></script><script nonce="n">${script}</script>`;
  const policy = `default-src 'none'; script-src 'nonce-n'; frame-src ${running.url}; img-src data:`;
  return new Promise((resolve) => {
    const headers = { 'content-type': 'text/html', 'content-security-policy': policy };
    const server = serve(
      { fetch: () => new Response(html, { headers }), hostname: '127.0.0.1', port: 0, overrideGlobalObjects: false },
      ({ port }) => resolve({ url: `http://localhost:${port}/`, close: () => server.close() }),
    );
  });
}

async function create(more: Parameters<typeof linkTokenRequest>[0] = {}): Promise<void> {
  const { link_token } = (await plaidClient(running.plaidUrl).linkTokenCreate(linkTokenRequest(more))).data;
  await page.evaluate(`create(${JSON.stringify(link_token)})`);
}

async function openLink(more: Parameters<typeof linkTokenRequest>[0] = {}): Promise<void> {
  await create(more);
  await page.evaluate('handler.open()');
  await link.getByRole('heading', { name: /bank to Acme/ }).waitFor();
}

const press = (name: string | RegExp) => link.getByRole('button', { name }).click();

async function signIn(username: string, password = 'pass_good', bank = 'Tartan Bank'): Promise<void> {
  await press('Continue');
  await press(new RegExp(bank));
  await link.getByLabel('User name').fill(username);
  await link.getByLabel('Password').fill(password);
  await press('Sign in');
}

const tellings = async (): Promise<Told[]> => (await page.evaluate('told')) as Told[];

/** Asks again and again from outside: the page's policy does not let a browser tool wait inside. */
async function heard(what: (told: Told) => boolean): Promise<void> {
  await expect.poll(async () => (await tellings()).some(what), { timeout: 10_000 }).toBe(true);
}

/** Waits for a callback and gives back its arguments. */
async function told(name: 'success' | 'exit'): Promise<[unknown, Record<string, unknown>]> {
  await heard((each) => each[0] === name);
  const all = await tellings();
  const [, first, second] = all.find(([each]) => each === name) ?? [name, undefined];
  return [first, second as Record<string, unknown>];
}

const isShown = () => page.locator('iframe').isVisible();

describe('a customer in Link', () => {
  it('connects one account, and the shop gets a public token that can be exchanged', async () => {
    await openLink();
    await signIn('user_good');
    await expect.poll(() => link.getByRole('radio').count()).toBe(2);
    await link.getByText('Plaid Saving').click();
    await press('Continue');
    await press('Finish');
    const [publicToken, metadata] = await told('success');
    expect(metadata).toMatchObject({
      institution: { name: 'Tartan Bank', institution_id: 'ins_109511' },
      accounts: [
        { name: 'Plaid Saving', mask: '1111', type: 'depository', subtype: 'savings', verification_status: null },
      ],
      link_session_id: expect.any(String),
    });
    const client = plaidClient(running.plaidUrl);
    const { access_token } = (await client.itemPublicTokenExchange({ public_token: String(publicToken) })).data;
    const { accounts } = (await client.accountsGet({ access_token })).data;
    expect(accounts.map(({ account_id }) => account_id)).toEqual(
      (metadata['accounts'] as { id: string }[]).map(({ id }) => id),
    );
    expect(await isShown()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('may pick several under the customization “multiple”', async () => {
    await openLink({ link_customization_name: 'multiple' });
    await signIn('user_several');
    await link.getByText('Household Checking').click();
    await link.getByText('Bills Checking').click();
    await press('Continue');
    await press('Finish');
    const [, metadata] = await told('success');
    expect(metadata['accounts']).toHaveLength(2);
  });

  it('finds banks by typing, and is told when there is none', async () => {
    await openLink();
    await press('Continue');
    await link.getByRole('searchbox').fill('platypus');
    expect(await link.getByRole('list', { name: 'Banks' }).getByRole('button').count()).toBe(4);
    await link.getByRole('searchbox').fill('no such bank');
    await link.getByText('No results').waitFor();
  });

  it('is told of a wrong password and can try again, then of a wrong code', async () => {
    await openLink();
    await signIn('user_good', 'wrong');
    await link.getByRole('alert').getByText('not correct').waitFor();
    await link.getByLabel('Password').fill('mfa_device');
    await press('Sign in');
    await link.getByLabel('Code').fill('0000');
    await press('Continue');
    await link.getByRole('alert').getByText('not correct').waitFor();
    await link.getByLabel('Code').fill('1234');
    await press('Continue');
    await link.getByRole('heading', { name: 'Which account?' }).waitFor();
  });

  it('signs in at the bank’s own window where the bank has one', async () => {
    await openLink();
    await press('Continue');
    await press(/Platypus OAuth/);
    const opening = page.waitForEvent('popup');
    await press('Continue');
    const bank = await opening;
    const closed = bank.waitForEvent('close');
    await bank.getByLabel('User name').fill('user_one_account');
    await bank.getByRole('button', { name: 'Sign in and share' }).click();
    await closed;
    await link.getByText('Everyday Checking').waitFor();
    await press('Continue');
    await press('Finish');
    expect((await told('success'))[1]).toMatchObject({ institution: { institution_id: 'ins_127287' } });
  });

  it('who declines at the bank’s window leaves with requires_oauth', async () => {
    await openLink();
    await press('Continue');
    await press(/Platypus OAuth/);
    const opening = page.waitForEvent('popup');
    await press('Continue');
    await (await opening).getByRole('button', { name: 'Cancel' }).click();
    await link.locator('#pane').getByRole('button', { name: 'Close' }).click();
    expect(await told('exit')).toMatchObject([
      { error_type: 'ITEM_ERROR', error_code: 'INSUFFICIENT_CREDENTIALS' },
      { status: 'requires_oauth' },
    ]);
  });

  it('repairs an Item in update mode', async () => {
    const client = plaidClient(running.plaidUrl);
    const { accessToken } = await linkItem(client, 'user_login_required');
    expect(await refusal(client.accountsGet({ access_token: accessToken }))).toMatchObject({
      error_code: 'ITEM_LOGIN_REQUIRED',
    });
    await openLink({ access_token: accessToken, products: undefined });
    await press('Continue');
    await link.getByLabel('User name').fill('user_login_required');
    await press('Sign in');
    await press('Finish');
    await told('success');
    expect((await client.accountsGet({ access_token: accessToken })).data.accounts).toHaveLength(1);
  });
});

describe('leaving Link', () => {
  it('at the first pane happens at once, and later asks first', async () => {
    await openLink();
    await page.keyboard.press('Escape');
    expect(await told('exit')).toMatchObject([null, { status: 'institution_not_found', institution: null }]);
    await page.evaluate('told.length = 0; handler.open()');
    await press('Continue');
    await press(/Tartan/);
    await link.getByLabel('Password').waitFor();
    await press('Close');
    await link.getByRole('alertdialog', { name: 'Leave without connecting?' }).waitFor();
    await press('Stay');
    await page.keyboard.press('Escape');
    await press('Yes, leave');
    expect(await told('exit')).toMatchObject([
      null,
      { status: 'requires_credentials', institution: { name: 'Tartan Bank' }, request_id: expect.any(String) },
    ]);
  });

  it('at the accounts says requires_account_selection', async () => {
    await openLink();
    await signIn('user_good');
    await link.getByRole('radio').first().waitFor();
    await page.evaluate('handler.exit({ force: true })');
    expect((await told('exit'))[1]).toMatchObject({ status: 'requires_account_selection' });
    expect(running.simulator.ledger.items()).toEqual([]);
  });

  it.each([
    ['user_bank_down', 'pass_good', 'INSTITUTION_DOWN'],
    ['user_no_accounts', 'pass_good', 'NO_ACCOUNTS'],
    ['user_ineligible', 'pass_good', 'NO_AUTH_ACCOUNTS'],
    ['user_good', 'error_ITEM_LOCKED', 'ITEM_LOCKED'],
  ])('after the error of %s with %s tells the shop', async (username, password, code) => {
    await openLink();
    await signIn(username, password);
    await link.getByText(code).waitFor();
    await link.locator('#pane').getByRole('button', { name: 'Close' }).click();
    const [error, metadata] = await told('exit');
    expect(error).toMatchObject({
      error_code: code,
      error_type: expect.any(String),
      error_message: expect.any(String),
    });
    expect(metadata).toMatchObject({ status: 'requires_credentials' });
  });

  it('happens by itself when the link token is over', async () => {
    await openLink();
    await signIn('user_link_token_expired');
    expect((await told('exit'))[0]).toMatchObject({ error_code: 'INVALID_LINK_TOKEN' });
    await page.evaluate('told.length = 0; handler.destroy()');
    await create();
    now += 240 * 60_000;
    await page.evaluate('handler.open()');
    expect((await told('exit'))[0]).toMatchObject({ error_type: 'INVALID_INPUT', error_code: 'INVALID_LINK_TOKEN' });
  });
});

describe('the script on the page', () => {
  it('waits with an early open until the frame is loaded, and tells of events with times', async () => {
    const { link_token } = (await plaidClient(running.plaidUrl).linkTokenCreate(linkTokenRequest())).data;
    await page.evaluate(`create(${JSON.stringify(link_token)}); handler.open()`);
    await press('Continue');
    expect((await tellings()).map(([name, first]) => [name, first].join(' '))).toEqual(['load ', 'event OPEN']);
    await page.evaluate('handler.exit({ force: true })');
    await heard(([, name]) => name === 'EXIT');
    const events = (await tellings()).filter(([name]) => name === 'event');
    const times = events.map(([, , metadata]) => Date.parse((metadata as { timestamp: string }).timestamp));
    expect(times.every((time) => time > 0)).toBe(true);
    expect(events.at(-1)?.[2]).toMatchObject({ exit_status: 'institution_not_found', view_name: null });
  });

  it('puts one frame on the page, and takes it away with destroy', async () => {
    await openLink();
    expect(await page.locator('iframe').count()).toBe(1);
    expect(await page.evaluate('document.body.style.overflow')).toBe('hidden');
    await page.evaluate('handler.destroy()');
    expect(await page.locator('iframe').count()).toBe(0);
    expect(await page.evaluate('document.body.style.overflow')).toBe('');
  });

  it('hears only its own frame', async () => {
    await openLink();
    const message = {
      channel: 'bank-connect-simulator-link',
      kind: 'success',
      public_token: 'public-forged',
      metadata: {},
    };
    await page.evaluate(`window.postMessage(${JSON.stringify(message)}, '*')`);
    await page.evaluate('handler.exit({ force: true })');
    await told('exit');
    expect(JSON.stringify(await page.evaluate('told'))).not.toContain('forged');
  });

  it('complains when it is embedded twice', async () => {
    await page.addScriptTag({ url: running.linkScriptUrl }).catch(() => undefined);
    await page.evaluate(`new Promise((resolve) => {
      const script = document.createElement('script');
      script.nonce = 'n'; script.src = ${JSON.stringify(running.linkScriptUrl)}; script.onload = resolve;
      document.head.append(script);
    })`);
    expect(complaints.join('\n')).toContain('embedded more than once');
  });

  it('keeps the keyboard inside the dialog', async () => {
    await openLink();
    const seen = new Set<string>();
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.tagName')).toBe('IFRAME');
      seen.add((await link.locator(':focus').textContent())?.trim() ?? '');
    }
    expect([...seen].sort()).toEqual(['', 'Continue']);
  });
});

describe('every pane', () => {
  it.each(['LIGHT', 'DARK'] as const)(
    'has no accessibility violation that a machine can find (%s)',
    async (appearance_mode) => {
      await openLink({ appearance_mode: appearance_mode as LinkTokenCreateRequest['appearance_mode'] });
      const frame = page.frames()[1];
      await frame?.evaluate(axe.source);
      const violations = async (): Promise<string[]> => {
        const found = (await frame?.evaluate('axe.run()')) as {
          violations: { id: string; nodes: { html: string }[] }[];
        };
        return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      };
      const found: string[] = await violations();
      await press('Continue');
      await link.getByRole('searchbox').waitFor();
      found.push(...(await violations()));
      await press(/Tartan/);
      await link.getByText('User names to try').click();
      await link.getByLabel('Password').fill('wrong');
      await press('Sign in');
      await link.getByRole('alert').waitFor();
      found.push(...(await violations()));
      await link.getByLabel('Password').fill('mfa_device');
      await press('Sign in');
      await link.getByLabel('Code').fill('1234');
      found.push(...(await violations()));
      await press('Close');
      await link.getByRole('alertdialog').waitFor();
      found.push(...(await violations()));
      await press('Stay');
      await press('Continue');
      await link.getByText('Plaid Saving').click();
      found.push(...(await violations()));
      await press('Continue');
      await link.getByRole('button', { name: 'Finish' }).waitFor();
      found.push(...(await violations()));
      expect(found).toEqual([]);
    },
  );
});

describe('Hosted Link', () => {
  it('gives an address that works without the script, and link/token/get tells what came of it', async () => {
    const client = plaidClient(running.plaidUrl);
    const request = linkTokenRequest({ hosted_link: { completion_redirect_uri: `${shop.url}back` } });
    const { link_token, hosted_link_url } = (await client.linkTokenCreate(request)).data;
    await page.goto(hosted_link_url ?? '');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: /Tartan/ }).click();
    await page.getByLabel('User name').fill('user_one_account');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Everyday Checking').waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Finish' }).click();
    await page.waitForURL(`${shop.url}back`);
    const [session] = (await client.linkTokenGet({ link_token })).data.link_sessions ?? [];
    const result = session?.results?.item_add_results[0];
    expect(result?.accounts).toHaveLength(1);
    expect((await client.itemPublicTokenExchange({ public_token: result?.public_token ?? '' })).status).toBe(200);
  });
});
