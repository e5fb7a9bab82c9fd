import { describe, expect, test } from 'vitest';
import { patient } from '../helpers/patience.mjs';
import { merchantJourney, visitWith } from './as-merchant.ts';
import type { Customer } from './customer.ts';

const PAGE = '/pages/form.html';
const ids = (customer: Customer) =>
  customer.page.evaluate<string[]>(`new FormData(document.querySelector('form')).getAll('bank_account')`);

describe('A shop that takes several accounts', () => {
  const here = merchantJourney({
    adjust: ({ plaid }) => {
      plaid.linkCustomization = 'multiple';
    },
  });

  test('a shop that takes several accounts gets an entry and a payment instrument for each that was picked', async () => {
    const maya = await here.arrives();
    const session = await here.createSession({ customer_id: 'cus_1', account_selection: 'multiple' });
    await visitWith(maya, PAGE, session);
    await maya.opensLink();
    await maya.choosesBank();
    await maya.signsIn('user_several');
    await maya.link.getByText('Household Checking').click();
    await maya.link.getByText('Bills Checking').click();
    await maya.link.getByRole('button', { name: 'Continue' }).click();
    await maya.finishesLink();
    await maya.sees('connected');
    // Nothing was left to ask, and both are shown.
    await expect.poll(() => maya.element.getByRole('dialog').count()).toBe(0);
    for (const mask of ['6001', '6002']) await maya.element.getByText(mask).first().waitFor();
    const entries = await ids(maya);
    expect(entries).toHaveLength(2);
    const connections = await Promise.all(entries.map((id) => here.readConnection(id)));
    expect(connections.map(({ account, status }) => [account.mask, status]).sort()).toEqual([
      ['6001', 'active'],
      ['6002', 'active'],
    ]);
    const instruments = connections.map(({ payment_instrument }) => payment_instrument);
    expect(here.simulator.ledger.instruments().map(({ id }) => id)).toEqual(expect.arrayContaining(instruments));
    expect(new Set(instruments).size).toBe(2);
    expect(maya.complaints).toEqual([]);

    // Each account is taken out of the form by itself.
    await maya.element.getByRole('button', { name: 'Remove' }).first().click();
    await expect.poll(() => ids(maya)).toEqual(entries.slice(1));
    await maya.element.getByRole('button', { name: 'Remove' }).first().click();
    await expect.poll(() => ids(maya)).toEqual([]);
  });
});

describe('A customer who connects the same account again', () => {
  const here = merchantJourney();
  const exchanges = () =>
    here.simulator.ledger.calls().filter(({ path }) => path === '/item/public_token/exchange').length;

  async function connects(bank: string): Promise<string> {
    const maya = await here.arrives();
    await visitWith(maya, PAGE, await here.createSession({ customer_id: 'cus_1' }));
    await maya.connects('user_one_account', bank);
    await maya.sees('connected');
    const [id = ''] = await ids(maya);
    return id;
  }
  const enabled = () => here.simulator.ledger.instruments().filter((instrument) => instrument['enabled'] === true);

  test('the same account connected again keeps its connection, without a second login, where Plaid confirms it', async () => {
    here.simulator.settings.linkEvents = true;
    const first = await connects('Tartan Bank');
    expect(await connects('Tartan Bank')).toBe(first);
    await expect.poll(() => [exchanges(), enabled().length]).toEqual([1, 1]);
  });

  test('the same account connected again elsewhere replaces its connection, with one active instrument', async () => {
    const first = await connects('Tartan Bank');
    const second = await connects('Tartan Bank');
    expect(second).not.toBe(first);
    await expect
      .poll(async () => (await here.readConnection(first)).status, { timeout: patient(10_000) })
      .toBe('removed');
    const { payment_instrument } = await here.readConnection(second);
    await expect.poll(() => enabled().map(({ id }) => id)).toEqual([payment_instrument]);
  });
});

describe('A shop that debits by agreement, with Link on Plaid’s own page', () => {
  const here = merchantJourney();
  const text = 'I allow Kestrel & Oak to debit my account for this order.';

  test('a customer who agrees, connects on Plaid’s own page and never comes back has the bank and the receipt', async () => {
    const maya = await here.arrives();
    const session = await here.createSession({ customer_id: 'cus_1', authorization: { text, version: '7' } });
    await visitWith(maya, '/pages/hosted.html', session);
    await maya.element.locator('button.main').click();
    const dialog = maya.element.getByRole('dialog', { name: 'Authorize payments' });
    await dialog.getByText(text).waitFor();
    const opening = maya.page.waitForEvent('popup');
    await dialog.getByRole('button', { name: 'Agree and continue' }).click();
    const hosted = await opening;
    await hosted.getByRole('button', { name: 'Continue' }).click();
    await maya.page.goto('about:blank');
    await hosted.getByRole('button', { name: 'Tartan Bank' }).click();
    await hosted.getByLabel('User name', { exact: true }).fill('user_one_account');
    await hosted.getByLabel('Password').fill('pass_good');
    await hosted.getByRole('button', { name: 'Sign in' }).click();
    await hosted.getByRole('radio').first().check();
    await hosted.getByRole('button', { name: 'Continue' }).click();
    // Read with the merchant's key: a page that asks for its session would have it looked at.
    await expect
      .poll(async () => (await here.readSession(session.id)).status, { timeout: patient(10_000) })
      .toBe('completed');
    const { connections } = await here.readSession(session.id);
    expect(connections).toMatchObject([{ status: 'active', authorization: { text, version: '7' } }]);
  });
});
