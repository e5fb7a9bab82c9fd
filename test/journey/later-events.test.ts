import { describe, expect, test } from 'vitest';
import { patient } from '../helpers/patience.mjs';
import { merchantJourney, visitWith } from './as-merchant.ts';
import type { Customer } from './customer.ts';

const PAGE = '/pages/form.html';
const valueIn = (customer: Customer) =>
  customer.page.evaluate<string | null>(`new FormData(document.querySelector('form')).get('bank_account')`);

describe('What happens to a bank later', () => {
  const here = merchantJourney();
  const item = () => here.simulator.ledger.items()[0]?.item_id ?? '';

  async function connected(username: string, status: 'connected' | 'pending_verification'): Promise<Customer> {
    const maya = await here.arrives();
    await visitWith(maya, PAGE, await here.createSession({ customer_id: 'cus_1' }));
    await maya.connects(username, 'Tartan Bank');
    await maya.sees(status);
    return maya;
  }
  const expectStatus = (id: string, status: string) =>
    expect.poll(async () => (await here.readConnection(id)).status, { timeout: patient(10_000) }).toBe(status);

  test('a verification that Plaid’s webhook ends makes the same connection usable', async () => {
    const maya = await connected('user_pending_verification', 'pending_verification');
    const id = (await valueIn(maya)) ?? '';
    expect(here.simulator.ledger.instruments()).toEqual([]);
    here.simulator.bank.verify(item(), 'automatically_verified');
    await expectStatus(id, 'active');
    await maya.page.reload();
    await maya.sees('connected');
    await expect.poll(() => valueIn(maya)).toBe(id);
    expect(here.simulator.ledger.instruments()).toHaveLength(1);
  });

  test('a login that breaks leaves the form empty, and the element asks the customer back without a button that can only fail', async () => {
    const maya = await connected('user_one_account', 'connected');
    const id = (await valueIn(maya)) ?? '';
    here.simulator.bank.breakLogin(item());
    await expectStatus(id, 'needs_repair');
    await maya.page.reload();
    await maya.sees('needs_repair');
    await expect.poll(() => valueIn(maya)).toBeNull();
    await maya.element.getByText('Sign in to your bank again').first().waitFor();
    await maya.element.getByText('Reload this page to connect your bank.').first().waitFor();
    // The session of this page is over: a button for another sign-in could only fail.
    expect(await maya.element.getByRole('button').count()).toBe(0);
    here.simulator.bank.repairLogin(item());
    await expectStatus(id, 'active');
    await maya.page.reload();
    await maya.sees('connected');
    await expect.poll(() => valueIn(maya)).toBe(id);
  });

  test('a permission that is taken back leaves nothing to pay with, and nothing that could be debited', async () => {
    const maya = await connected('user_one_account', 'connected');
    const id = (await valueIn(maya)) ?? '';
    here.simulator.bank.revokePermission(item());
    await expectStatus(id, 'revoked');
    await maya.page.reload();
    await maya.sees('error', 'ready', 'needs_repair');
    await expect.poll(() => valueIn(maya)).toBeNull();
    await expect.poll(() => here.simulator.ledger.instruments().filter((one) => one['enabled'] === true)).toEqual([]);
  });
});
