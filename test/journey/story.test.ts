import { describe, expect, test } from 'vitest';
import { connectServer } from '../../demo/server/connect-server.ts';
import { patient } from '../helpers/patience.mjs';
import { journey } from './customer.ts';
import { visitsStory } from './story-page.ts';

const here = journey();
const enabled = () => here.simulator.ledger.instruments().filter(({ enabled }) => enabled === true);

test('The panel follows the customer while Link is open, and stays in view', async () => {
  const maya = await here.arrives({ reducedMotion: 'no-preference' });
  const story = await visitsStory(maya, here.demo.url);
  await story.shop.locator('finix-bank-connect button.main').click();
  await story.link.getByRole('button', { name: 'Continue' }).click();
  await story.link.getByRole('button', { name: 'First Platypus Bank' }).click();
  await story.seesLine('Maya chooses First Platypus Bank');
  await expect.poll(() => story.link.getByRole('heading', { name: 'Sign in to' }).isVisible()).toBe(true);
  // Over the panel Link is not.
  await maya.page
    .locator('button.step')
    .first()
    .click({ timeout: patient(3_000) });
  await maya.page.getByRole('heading', { name: 'Request' }).waitFor();
});

test('The order is charged with the instrument that was made, after customer and check', async () => {
  const maya = await here.arrives({ reducedMotion: 'no-preference' });
  const hosts = new Set<string>();
  maya.page.on('request', (request) => hosts.add(new URL(request.url()).hostname));
  const story = await visitsStory(maya, here.demo.url);
  await story.connects();
  await story.pays();
  await story.seesLine(/debits \$86\.60: transfer TR/);
  const [instrument, ...others] = here.simulator.ledger.instruments();
  expect(others).toEqual([]);
  expect(here.simulator.ledger.transfers()).toMatchObject([{ source: instrument?.id, amount: 8_660 }]);
  // The owner is compared while the customer goes on.
  await story.seesLine('compares the owner with Maya: 100 of 100');
  const lines = await story.lines();
  const at = (text: string) => lines.findIndex((line) => line.includes(text));
  // From cause to effect, although the page's question came first.
  expect(at('Connect server gets a link token')).toBeGreaterThan(at('Page asks for a link token'));
  expect(at('Page has a link token')).toBeGreaterThan(at('Connect server gets a link token'));
  expect(at('fetches the connection: it belongs to cus_')).toBeGreaterThan(0);
  expect(at('may $86.60 be moved? Yes')).toBeGreaterThan(at('fetches the connection'));
  expect(at('debits $86.60')).toBeGreaterThan(at('may $86.60 be moved? Yes'));
  // All of it from this machine: a meeting room without a network is enough.
  hosts.delete('');
  expect([...hosts]).toEqual(['127.0.0.1']);
  // A customer who comes back pays with the bank of before.
  await maya.page.goto(`${here.demo.url}/coffee`);
  await maya.sees('connected');
});

test('No line, and no opened call, has a token or a key', async () => {
  const maya = await here.arrives();
  const streamed: string[] = [];
  await maya.page.exposeFunction('streamed', (text: string) => streamed.push(text));
  await maya.page.addInitScript(`
    const listen = EventSource.prototype.addEventListener;
    EventSource.prototype.addEventListener = function (name, listener) {
      return listen.call(this, name, (event) => { window.streamed(event.data); listener(event); });
    };`);
  const story = await visitsStory(maya, here.demo.url);
  await story.connects();
  await story.pays();
  await story.seesLine('debits');
  const all = streamed.join('\n');
  const { ledger } = here.simulator;
  const secrets = [
    ...ledger.items().map(({ access_token }) => access_token),
    ...ledger.publicTokens().map(({ public_token }) => public_token),
    ...ledger.linkTokens().map(({ link_token }) => link_token),
    ...ledger.processorTokens(),
  ];
  expect(secrets.length).toBeGreaterThan(3);
  for (const secret of secrets) expect(all).not.toContain(secret);
  // The page shows a line before this process has it.
  await expect.poll(() => streamed.join('\n')).toContain('public-sandbox-••••••');
  expect(all).not.toMatch(/(public|access|processor|link)-sandbox-\w|_secret_\w|Bearer \w/);
});

test.each([
  ['R01', 'There was not enough money', 'active'],
  ['R03', 'did not find the account', 'failed'],
  ['R10', 'did not authorize it', 'revoked'],
] as const)('A payment that the bank returns with %s changes the page of the order', async (code, sentence, status) => {
  const maya = await here.arrives();
  const story = await visitsStory(maya, here.demo.url);
  await story.connects();
  await story.pays();
  await story.presses(`${code}, `);
  await story.seesLine(`returns the payment: ${code}`);
  if (status === 'active') await story.shop.getByText(sentence).waitFor();
  if (status !== 'active') await expect.poll(enabled).toEqual([]);
  else expect(enabled()).toHaveLength(1);
});

test('A permission that ends takes the green check away, and the next payment is stopped', async () => {
  const maya = await here.arrives();
  const story = await visitsStory(maya, here.demo.url);
  await story.connects();
  await story.pays();
  await story.presses('Revoked at the bank');
  await story.shop.getByRole('heading', { name: 'You ended the permission at your bank' }).waitFor();
  // The page learns of it by a webhook, Finix by a call of its own.
  await expect.poll(enabled).toEqual([]);
  await story.presses('Next payment');
  await story.seesLine(/may \$86\.60 be moved\? No/);
  expect(here.simulator.ledger.transfers()).toHaveLength(1);
});

test('A login that breaks is repaired in place, with the same instrument', async () => {
  const maya = await here.arrives();
  const story = await visitsStory(maya, here.demo.url);
  await story.connects();
  await story.pays();
  await story.presses('Login breaks');
  await story.shop.getByRole('heading', { name: 'Please sign in to your bank again' }).waitFor();
  await story.shop.locator('finix-bank-connect button.main').click();
  await story.link.getByRole('button', { name: 'Continue' }).click();
  await story.link.getByRole('button', { name: 'Sign in' }).click();
  await story.link.getByRole('button', { name: 'Finish' }).click();
  await story.shop.getByRole('heading', { name: 'Thank you, Maya.' }).waitFor();
  expect(here.simulator.ledger.instruments()).toHaveLength(1);
  await expect.poll(enabled).toHaveLength(1);
});

test('A login that breaks is repaired by a link on another device, and the page of the shop learns it', async () => {
  const maya = await here.arrives();
  const story = await visitsStory(maya, here.demo.url);
  await story.connects();
  await story.pays();
  await story.presses('Login breaks');
  await story.shop.getByRole('heading', { name: 'Please sign in to your bank again' }).waitFor();
  await story.presses('Repair by link');
  const dialog = maya.page.getByRole('dialog');
  await dialog.getByRole('img', { name: 'QR code' }).locator('svg').waitFor();
  const url = (await dialog.getByRole('link', { name: 'Open it here' }).getAttribute('href')) ?? '';
  const phone = await here.arrives({ viewport: { width: 390, height: 844 } });
  await phone.page.goto(url);
  await phone.page.locator('#start').click();
  await phone.sees('ready', 'needs_repair');
  await phone.element.locator('button.main').click();
  await phone.link.getByRole('button', { name: 'Continue' }).click();
  await phone.link.getByRole('button', { name: 'Sign in' }).click();
  await phone.finishesLink();
  await story.shop.getByRole('heading', { name: 'Thank you, Maya.' }).waitFor();
});

test('An account of someone else is stopped by the check, where the merchant asks only to be told', async () => {
  const maya = await here.arrives();
  const story = await visitsStory(maya, here.demo.url);
  await story.chooses('Someone else’s account, allowed');
  await story.connects();
  await story.pays();
  await story.seesLine('the account belongs to someone else');
  expect(here.simulator.ledger.transfers()).toEqual([]);
});

test('Two visitors never see each other’s lines, and a restart leaves nothing', async () => {
  const maya = await here.arrives();
  const other = await here.arrives();
  const mine = await visitsStory(maya, here.demo.url);
  const theirs = await visitsStory(other, here.demo.url);
  // The last lines before a customer does anything.
  await theirs.seesLine('has a link token');
  await theirs.seesLine('gets a link token');
  const before = await theirs.lines();
  await mine.connects();
  await mine.pays();
  await mine.seesLine('debits');
  await expect.poll(() => theirs.lines()).toEqual(before);
  await maya.page.getByRole('button', { name: 'Restart' }).click();
  await mine.shop.locator('finix-bank-connect[status="ready"]').waitFor();
  await mine.seesLine('has a link token');
  await expect.poll(async () => (await mine.lines()).join()).not.toContain('First Platypus Bank');
});

test.each([
  ['rent', 'Pay rent', /debits \$1,845\.00/],
  ['payout', 'Transfer', /pays out \$2,470\.00/],
] as const)('The story of the merchant %s ends with its money moved', async (key, button, line) => {
  const person = await here.arrives();
  const story = await visitsStory(person, here.demo.url, `/#${key}`);
  await story.shop.locator('finix-bank-connect button.main').click();
  await story.link.getByRole('button', { name: 'Continue' }).click();
  await story.link.getByRole('button', { name: 'First Platypus Bank' }).click();
  await story.link.getByRole('button', { name: 'Sign in' }).click();
  await story.link.getByRole('radio', { name: 'Checking' }).check();
  await story.link.getByRole('button', { name: 'Continue' }).click();
  await story.link.getByRole('button', { name: 'Finish' }).click();
  if (key === 'rent') await story.shop.locator('finix-bank-connect dialog').getByRole('button').first().click();
  await story.shop.locator('finix-bank-connect[status="connected"]').waitFor();
  await story.shop.getByRole('button', { name: button }).click();
  await story.seesLine(line);
  const [transfer] = here.simulator.ledger.transfers();
  expect(transfer).toMatchObject(key === 'payout' ? { type: 'CREDIT' } : { type: 'DEBIT' });
});

test(
  'Play tells the whole story by itself, waits while it is paused, and goes on',
  async () => {
    const maya = await here.arrives({ reducedMotion: 'no-preference' });
    await maya.page.addInitScript(`
      const wait = setTimeout;
      globalThis.pace = 1;
      globalThis.setTimeout = (act, ms, ...more) => wait(act, ms / globalThis.pace, ...more);`);
    const story = await visitsStory(maya, here.demo.url);
    maya.page.setDefaultTimeout(patient(60_000));
    await maya.page.keyboard.press(' ');
    await maya.page.getByText('Maya pays Kestrel & Oak').waitFor();
    await story.shop.locator('finix-bank-connect[status="open"]').waitFor();
    // The page was at its beginning: nothing is prepared for a second time.
    expect(await maya.page.locator('#log').getByText('Getting ready').count()).toBe(1);
    await maya.page.getByRole('button', { name: 'Pause' }).click();
    await maya.page.getByRole('button', { name: 'Resume' }).click();
    // Told at reading speed, the rest takes more than a minute.
    await maya.page.evaluate('pace = 10');
    await story.seesLine('may $86.60 be moved? No');
    expect(here.simulator.ledger.transfers().length).toBeGreaterThan(0);
    expect(enabled()).toEqual([]);
  },
  patient(90_000),
);

describe('With a connect server in a process of its own', () => {
  const here = journey({ runConnectServer: connectServer });

  test('The process is killed in the middle, another one continues, and there is one instrument', async () => {
    const maya = await here.arrives();
    const story = await visitsStory(maya, here.demo.url);
    await story.chooses('Our server is killed');
    await story.connects();
    await story.seesLine(/process \d+ is killed in the middle \(SIGKILL\)/);
    await story.seesLine(/process \d+ takes its place/);
    const pids = (await story.lines()).flatMap((line) => /process (\d+)/.exec(line)?.[1] ?? []);
    expect(new Set(pids).size).toBe(2);
    expect(here.simulator.ledger.instruments()).toHaveLength(1);
    await story.pays();
    await story.seesLine('debits $86.60');
  });
});
