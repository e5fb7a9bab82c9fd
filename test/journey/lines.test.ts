import { expect, test } from 'vitest';
import { shownLines } from '../../demo/panel/order.ts';
import type { Step } from '../../demo/step.ts';

const NAMES = { customer: 'Maya', merchant: 'Kestrel & Oak' };
const step = (id: number, more: Partial<Step>): Step => ({
  id,
  at: id * 10,
  merchant: 'coffee',
  kind: 'call',
  from: 'browser',
  to: 'connect',
  what: 'POST /v1/sessions/{id}/link-token',
  ...more,
});
const toPlaid: Partial<Step> = { from: 'connect', to: 'plaid', what: 'POST /link/token/create' };
const shown = (...steps: Step[]) =>
  shownLines(steps, NAMES).map(({ line, chapter }) => `${chapter}: ${line.who} ${line.text}`);

test('What comes of a call is below the calls that it came of', () => {
  const page = step(1, { status: 200, ms: 100 });
  const server = step(2, { ...toPlaid, status: 200, ms: 28 });
  expect(shown(server, page)).toEqual([
    'Getting ready: Page asks for a link token',
    'Getting ready: Connect server gets a link token: permission to open Link',
    'Getting ready: Page has a link token: one click opens Link',
  ]);
});

test('A call is one line while it is on its way, where no other was made for it, and where the next began after its answer', () => {
  const server = step(2, { ...toPlaid, status: 200, ms: 28 });
  const gets = 'Getting ready: Connect server gets a link token: permission to open Link';
  expect(shown(step(1, {}), server)).toEqual(['Getting ready: Page asks for a link token …', gets]);
  const answered = 'Getting ready: Page has a link token: one click opens Link';
  expect(shown(step(1, { status: 200, ms: 100 }))).toEqual([answered]);
  expect(shown(step(1, { status: 200, ms: 2 }), server)).toEqual([answered, gets]);
});

test('An inner outcome is above the outer one, and a refusal is below its cause, too', () => {
  const check = { from: 'shop', to: 'connect', what: 'POST /v1/connections/{id}/check' } as const;
  const request = { headers: {}, body: { amount: 8_660 } };
  const decided = { headers: {}, body: { decision: 'ok', reasons: [] } };
  const outer = step(1, { ...check, request, response: decided, status: 200, ms: 300 });
  const inner = step(2, { from: 'connect', to: 'plaid', what: 'POST /accounts/balance/get', status: 200, ms: 200 });
  expect(shown(outer, inner)).toEqual([
    'Moving the money: Kestrel & Oak asks: may $86.60 be moved?',
    'Moving the money: Connect server asks the bank for the balance',
    'Moving the money: Kestrel & Oak asks: may $86.60 be moved? Yes',
  ]);
  const problem = { headers: {}, body: { detail: 'Plaid could not be reached.' } };
  const failed = step(1, { status: 502, response: problem, ms: 100 });
  expect(shown(failed, step(2, { ...toPlaid, status: null, ms: 50 }))).toEqual([
    'Getting ready: Page asks for a link token',
    'Getting ready: Connect server asks for a link token: no answer',
    'Getting ready: Page asks for a link token: refused. Plaid could not be reached.',
  ]);
});

test('An event that comes during a call is no part of it, and a call without a sentence for its outcome is said once', () => {
  const made = { headers: {}, body: { id: 'PI1234567890123456789abcd' } };
  const finix = { from: 'connect', to: 'finix', what: 'POST /payment_instruments' } as const;
  const event = { headers: {}, body: { entity: 'transfer', type: 'updated' } };
  const webhook = step(2, { from: 'finix', to: 'connect', what: 'POST /webhooks/finix', request: event });
  expect(shown(step(1, { ...finix, response: made, status: 201, ms: 100 }), webhook)).toEqual([
    'Getting ready: Connect server gets the payment instrument PI…abcd',
    'Getting ready: Finix reports: the transfer went to the bank',
  ]);
  const logo = step(1, { what: 'GET /v1/sessions/{id}/institutions/{id}/logo', status: 200, ms: 100 });
  const bank = { from: 'connect', to: 'plaid', what: 'POST /institutions/get_by_id' } as const;
  expect(shown(logo, step(2, { ...bank, status: 200, ms: 20 }))).toEqual([
    'Getting ready: Page asks for the bank’s logo',
    'Getting ready: Connect server asks about the bank',
  ]);
});
