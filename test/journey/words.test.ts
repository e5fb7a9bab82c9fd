import { afterEach, expect, test } from 'vitest';
import { type Line, lineOf } from '../../demo/panel/words.ts';
import { type RunningDemo, startDemo } from '../../demo/start-demo.ts';
import type { MerchantKey, Step } from '../../demo/step.ts';
import { STORIES } from '../../demo/stories.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually } from '../helpers/server.ts';
import { connectServerHere } from './connect-server-here.ts';

/**
 * Every scenario, played over HTTP as the page and Link would play it, and what the panel says of it: each line against
 * what the simulator knows. A browser would add nothing but time.
 */
const NAMES = { customer: 'Maya', merchant: 'Kestrel & Oak' };
let demo: RunningDemo;
let visitor: Visitor;
const cleanUp: (() => unknown)[] = [];

/**
 * @param isKilled the connect server, which needs a process for it; in the test's own it starts in a tenth of the time
 */
async function begin(isKilled = false): Promise<void> {
  demo = await startDemo(isKilled ? {} : { runConnectServer: connectServerHere });
  cleanUp.push(() => demo.close());
  if (demo.simulator) demo.simulator.simulator.settings.laterMs = 300;
  visitor = await visit(demo.url);
  cleanUp.push(() => visitor.leave());
}
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

interface Visitor {
  steps: Map<number, Step>;
  post(path: string, body: object | URLSearchParams): Promise<Response>;
  get(path: string): Promise<string>;
  leave(): void;
}

/** A browser's cookie and its stream of steps. */
async function visit(url: string): Promise<Visitor> {
  const page = await fetch(`${url}/coffee`);
  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
  const steps = new Map<number, Step>();
  const leaving = new AbortController();
  const stream = await fetch(`${url}/api/story`, { headers: { cookie }, signal: leaving.signal });
  void read(stream, steps).catch(() => {});
  return {
    steps,
    post: (path, body) => {
      const isForm = body instanceof URLSearchParams;
      const headers = { cookie, ...(isForm ? {} : { 'Content-Type': 'application/json' }) };
      return fetch(url + path, {
        method: 'POST',
        headers,
        body: isForm ? body : JSON.stringify(body),
        redirect: 'manual',
      });
    },
    get: async (path) => await (await fetch(url + path, { headers: { cookie } })).text(),
    leave: () => leaving.abort(),
  };
}

async function read(stream: Response, steps: Map<number, Step>): Promise<void> {
  let text = '';
  for await (const chunk of stream.body ?? []) {
    text += new TextDecoder().decode(chunk);
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^event: step\ndata: (.*)$/s.exec(block)?.[1];
      if (!data) continue;
      const step = JSON.parse(data) as Step;
      steps.set(step.id, step);
    }
  }
}

const lines = (): Line[] => [...visitor.steps.values()].flatMap((step) => lineOf(step, NAMES) ?? []);
const text = (): string =>
  lines()
    .map(({ who, text }) => `${who} ${text}`)
    .join('\n');

async function link(path: string, body: object): Promise<Record<string, unknown>> {
  const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  return (await (await fetch(`${demo.simulator?.url}/link/api/${path}`, json)).json()) as Record<string, unknown>;
}

/** The page and Link, up to an outcome. @returns the id of the connection, where there is one */
async function connects(username: string, merchant: MerchantKey = 'coffee'): Promise<string | undefined> {
  const { client_secret: secret } = (await (await visitor.post('/api/session', { merchant })).json()) as {
    client_secret: string;
  };
  const session = secret.split('_secret_')[0];
  const asPage = { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' };
  const call = (path: string, body: object) =>
    fetch(`${demo.connectUrl}/v1/sessions/${session}/${path}`, {
      method: 'POST',
      headers: asPage,
      body: JSON.stringify(body),
    });
  const { link_token } = (await (await call('link-token', {})).json()) as { link_token: string };
  const { link_session_id } = await link('start', { link_token });
  await link('open', { session: link_session_id });
  await link('institution', { session: link_session_id, institution_id: 'ins_109508' });
  const signed = await link('credentials', { session: link_session_id, username, password: 'pass_good' });
  const [account] = (signed['accounts'] as { id: string }[] | undefined) ?? [];
  if (!account) {
    await link('exit', {
      session: link_session_id,
      error_code: (signed['error'] as { error_code: string }).error_code,
    });
    return undefined;
  }
  const { public_token, metadata } = await link('accounts', { session: link_session_id, account_ids: [account.id] });
  const { accounts } = metadata as { accounts: object[] };
  await call('complete', { public_token, accounts }).catch(() => {});
  const ended = async () => {
    const answer = await fetch(`${demo.connectUrl}/v1/sessions/${session}`, { headers: asPage }).catch(() => undefined);
    const { status, connections } = ((await answer?.json()) ?? {}) as {
      status?: string;
      connections?: { id: string }[];
    };
    return status && status !== 'processing' && status !== 'open' ? { id: connections?.[0]?.id } : undefined;
  };
  const end = await eventually(ended, 25_000);
  return end.id;
}

test.each(STORIES.map((story) => [story.title, story] as const))(
  '%s: each line is true, and none is a raw name',
  async (_title, story) => {
    await begin(story.kills);
    expect((await visitor.post('/api/present', { scenario: story.id })).status).toBe(200);
    const connection = await connects(story.username);
    if (connection) await visitor.post('/checkout', new URLSearchParams({ bank_account: connection }));
    const ledger = demo.simulator?.simulator.ledger;
    const later = {
      user_revoked_later: 'ends the permission|customer ended the permission',
      user_broken_later: 'asks for a new sign-in',
      user_renumbered_later: 'another number',
      user_verified_later: 'account is confirmed',
    }[story.username];
    if (later) await expect.poll(text, { timeout: patient(15_000) }).toMatch(new RegExp(later));
    await expect
      .poll(() => [...visitor.steps.values()].filter(({ kind, status }) => kind === 'call' && status === undefined))
      .toEqual([]);
    // The page's stream is behind the answers.
    const debits = () => text().match(/debits \$86\.60: transfer/g) ?? [];
    await expect.poll(debits).toHaveLength(ledger?.transfers().length ?? 0);

    const said = text();
    expect(said).not.toMatch(/POST|GET|PUT|webhook|undefined|null|NaN|(?<!cus)_[a-z]|[A-Z]{3}_/);
    expect(said).not.toMatch(/(public|access|processor|link)-sandbox-\w/);
    const made = (ledger?.instruments() ?? []).map(({ id }) => id);
    const claimed = said.match(/gets the payment instrument (\S+)/g) ?? [];
    // Where an answer was lost or a process was killed, the instrument exists without such a line.
    expect(claimed.length).toBeLessThanOrEqual(made.length);
    for (const claim of claimed)
      expect(made.map((id) => `${id.slice(0, 2)}…${id.slice(-4)}`)).toContain(claim.split(' ').at(-1));
    if (said.includes('is connected\n') || story.group === 'It works') expect(made.length).toBeGreaterThan(0);
    if (story.id === 'user_owner_mismatch')
      expect([made, said.includes('refused') || said.includes('did not work')]).toEqual([[], true]);
  },
  patient(60_000),
);

test(
  'a payout is never said to be a debit, and returns only as a payout can',
  async () => {
    await begin();
    const merchant = 'payout';
    const connection = await connects('user_good', merchant);
    const ordered = await visitor.post(
      '/checkout',
      new URLSearchParams({ merchant, bank_account: connection ?? 'none' }),
    );
    const order = ordered.headers.get('location') ?? 'none';
    const act = async (action: string) => await (await visitor.post('/api/present', { merchant, action })).json();
    const shown = async () => ((await visitor.get(order)).match(/<h1>.*?<\/article>/s) ?? [''])[0];
    expect(await shown()).toContain('is on its way to');
    expect(await act('return_R01')).toEqual({ problem: 'A payout does not return with R01.' });
    expect(await act('return_R10')).toEqual({ problem: 'A payout does not return with R10.' });
    expect(await act('return_R03')).toEqual({});
    await expect.poll(shown, { timeout: patient(15_000) }).toContain('The bank did not find the account');
    await act('debit_again');
    await expect.poll(shown, { timeout: patient(15_000) }).toContain('Nothing was sent');
    expect(await shown()).not.toMatch(/debit/i);
  },
  patient(60_000),
);

test('A call that is on its way says what is asked, and no outcome', () => {
  const step: Step = {
    id: 1,
    at: 0,
    merchant: 'coffee',
    kind: 'call',
    from: 'connect',
    to: 'finix',
    what: 'POST /payment_instruments',
  };
  const said = (more: Partial<Step>) => lineOf({ ...step, ...more }, NAMES)?.text;
  expect(said({})).toBe('asks for the payment instrument …');
  expect(said({ status: null })).toBe('asks for the payment instrument: no answer');
  const body = { _embedded: { errors: [{ message: 'The bank account could not be used.' }] } };
  expect(said({ status: 422, response: { headers: {}, body } })).toBe(
    'asks for the payment instrument: refused. The bank account could not be used.',
  );
  const made = { headers: {}, body: { id: 'PI1234567890123456789abcd' } };
  expect(said({ status: 201, response: made })).toBe('gets the payment instrument PI…abcd');
});
