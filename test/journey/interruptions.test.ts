import { expect, test } from 'vitest';
import { eventually } from '../helpers/server.ts';
import { journey } from './customer.ts';

const here = journey();

/** Long enough to act in the middle; shorter than the demo's own limit for a call. */
const MIDDLE_MS = 2_500;

function slowInstrument(): void {
  const path = '/payment_instruments';
  here.simulator.faults.add({ service: 'finix', path, method: 'POST', kind: 'delay', delayMs: MIDDLE_MS, times: 1 });
}

function instrumentIsAskedFor(): Promise<boolean> {
  return eventually(async () =>
    here.simulator.ledger.calls().some(({ method, path }) => method === 'POST' && path === '/payment_instruments'),
  );
}

test('A reload in the middle finds the work again, and nothing is done twice', async () => {
  const maya = await here.arrives();
  await maya.visit();
  slowInstrument();
  await maya.connects();
  await maya.sees('connecting');
  await instrumentIsAskedFor();
  await maya.page.reload();
  await maya.sees('connected');
  await maya.placesOrder();
  await maya.page.getByRole('heading', { name: 'Thank you' }).waitFor();
  expect(here.simulator.ledger.instruments()).toHaveLength(1);
});

test('In public mode, too, a reload in the middle finds the work again', async () => {
  const maya = await here.arrives();
  await maya.visit('/pages/script-tag.html');
  slowInstrument();
  await maya.connects();
  await instrumentIsAskedFor();
  await maya.page.reload();
  await maya.sees('connected');
  expect(here.simulator.ledger.instruments()).toHaveLength(1);
});

// Also without the browser's own copy of the page, which tests turn off: the form must get its value back.
test.each(['/coffee', '/pages/script-tag.html', '/pages/form.html'])(
  'Who goes on and comes back to %s finds the bank there',
  async (path) => {
    const maya = await here.arrives();
    await maya.visit(path);
    await maya.connects();
    await maya.sees('connected');
    const value = () => maya.element.evaluate((element) => (element as HTMLElement & { value: string | null }).value);
    const before = await value();
    await maya.page.goto(`${here.demo.url}/pages/`);
    await maya.page.goBack();
    await maya.sees('connected');
    expect(before).toMatch(/^con_/);
    await expect.poll(value).toBe(before);
  },
);

test('Two tabs with one session end with one bank, which both show', async () => {
  const maya = await here.arrives();
  await maya.visit();
  const second = await here.opensTab(maya);
  await second.visit();
  slowInstrument();
  await maya.connects();
  await instrumentIsAskedFor();
  await second.connects('user_one_account', 'Tartan Bank');
  await Promise.all([maya.sees('connected'), second.sees('connected')]);

  const bank = second.element.getByText('First Platypus Bank').first();
  await bank.waitFor();
  const third = await here.opensTab(maya);
  await third.page.goto(`${here.demo.url}/coffee`);
  await third.sees('connected');
  expect(here.simulator.ledger.instruments()).toHaveLength(1);
  expect(here.simulator.ledger.items().filter(({ exchanged }) => exchanged)).toHaveLength(1);
});

test('Where Link’s script is blocked the customer sees an error, and a retry works once it is not', async () => {
  const maya = await here.arrives();
  const simulated = here.demo.simulator?.linkScriptUrl ?? '';
  await maya.page.route(simulated, (route) => route.abort());
  await maya.page.route('https://cdn.plaid.com/**', (route) => route.abort());
  await maya.page.goto(`${here.demo.url}/coffee`);
  await maya.sees('blocked');
  await maya.element
    .getByText(/content blocker/)
    .first()
    .waitFor();
  await expect.poll(() => maya.page.getByText('Or pay by invoice').isVisible()).toBe(true);

  await maya.page.unrouteAll();
  await maya.page.route('https://cdn.plaid.com/**', (route) => {
    // The simulator's script must come from its own address, so this one only fetches it.
    const body = `document.head.append(Object.assign(document.createElement('script'), { src: '${simulated}' }))`;
    return route.fulfill({ contentType: 'text/javascript', body });
  });
  await maya.element.getByRole('button', { name: 'Try again' }).click();
  await maya.sees('ready', 'open');
  if ((await maya.element.getAttribute('status')) === 'ready') await maya.opensLink();
  await maya.choosesBank();
  await maya.signsIn();
  await maya.choosesAccount();
  await maya.finishesLink();
  await maya.sees('connected');
});

test('When Finix goes silent the page shows progress, and one payment instrument is made', async () => {
  const maya = await here.arrives();
  await maya.visit();
  await maya.connects('user_timeout_after_commit');
  await maya.sees('connected');
  expect(here.simulator.ledger.instruments()).toHaveLength(1);
});
