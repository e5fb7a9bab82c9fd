import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../server/config.ts';
import type { MerchantConnection, Session } from '../../widget/contract.ts';
import { eventually } from '../helpers/server.ts';
import { journey } from './customer.ts';

const PAGE = '/pages/script-tag.html';

describe('Banks that want more time', () => {
  const here = journey();

  test('a pending verification is shown as such, survives a reload, and can be paid with', async () => {
    const maya = await here.arrives();
    await maya.visit();
    await maya.connects('user_pending_verification');
    await maya.sees('pending_verification');
    await maya.element.getByText('confirming this account').first().waitFor();
    await maya.page.reload();
    await maya.sees('pending_verification');
    const value = await maya.element.evaluate((element) => (element as HTMLElement & { value: string | null }).value);
    expect(value).toMatch(/^con_/);
  });

  test('a customer without a usable account is shown another way to pay', async () => {
    const maya = await here.arrives();
    await maya.visit();
    await maya.opensLink();
    await maya.choosesBank('Tartan Bank');
    await maya.signsIn('user_ineligible');
    await maya.link.getByText('NO_AUTH_ACCOUNTS', { exact: true }).waitFor();
    await maya.link.getByRole('button', { name: 'Close', exact: true }).last().click();
    await maya.sees('error');
    expect(await eventually(() => maya.page.getByText('Or pay by invoice').isVisible())).toBe(true);
  });
});

describe('A customer who shared more accounts than the shop may take', () => {
  const here = journey({
    adjust: ({ plaid }) => {
      plaid.linkCustomization = 'multiple';
    },
  });

  test('a customer who shared several accounts is asked which, by keyboard too, and pays with that one', async () => {
    const maya = await here.arrives();
    await maya.visit();
    await maya.opensLink();
    await maya.choosesBank();
    await maya.signsIn('user_several');
    await maya.link.getByText('Household Checking').click();
    await maya.link.getByText('Bills Checking').click();
    await maya.link.getByRole('button', { name: 'Continue' }).click();
    await maya.finishesLink();
    const dialog = maya.element.getByRole('dialog', { name: 'Choose an account' });
    await dialog.waitFor();
    await expect.poll(() => dialog.getByRole('radio').count()).toBe(2);
    // No account is chosen for the customer. The focus begins at the title, the first Tab leads to the first account.
    expect(await dialog.getByRole('radio', { checked: true }).count()).toBe(0);
    await maya.page.keyboard.press('Tab');
    await maya.page.keyboard.press('ArrowDown');
    await maya.page.keyboard.press('Enter');
    await maya.sees('connected');
    await maya.placesOrder();
    await maya.page.getByText('First Platypus Bank ••6002').first().waitFor();
    expect(here.simulator.ledger.instruments()).toHaveLength(1);
    expect(maya.complaints.filter((one) => !one.includes('409'))).toEqual([]);
  });

  test('a customer who declines all accounts has connected nothing', async () => {
    const maya = await here.arrives();
    await maya.visit();
    await maya.opensLink();
    await maya.choosesBank();
    await maya.signsIn('user_several');
    await maya.link.getByText('Household Checking').click();
    await maya.link.getByText('Bills Checking').click();
    await maya.link.getByRole('button', { name: 'Continue' }).click();
    await maya.finishesLink();
    await maya.element.getByRole('dialog').waitFor();
    await maya.page.keyboard.press('Escape');
    await maya.sees('ready');
    expect(here.simulator.ledger.instruments()).toEqual([]);
  });
});

describe('A shop that debits by agreement', () => {
  const text = 'I allow Kestrel & Oak to debit my account for this order.';
  const here = journey({
    adjust: ({ publicSessions }) => {
      publicSessions.authorization = { text, version: '2026-11' };
    },
  });

  test('an authorization shows its text, gives a copy, and without consent nothing is charged', async () => {
    const maya = await here.arrives();
    await maya.visit(PAGE);
    await maya.connects();
    const dialog = maya.element.getByRole('dialog', { name: 'Authorize payments' });
    await dialog.getByText(text).waitFor();
    expect(here.simulator.ledger.instruments()).toEqual([]);
    const download = maya.page.waitForEvent('download');
    await dialog.getByRole('link', { name: 'Save a copy' }).click();
    expect(await readFile(await (await download).path(), 'utf8')).toContain(text);
    await dialog.getByText('revoke this at any time').waitFor();
    await dialog.getByRole('button', { name: 'Agree and continue' }).click();
    await maya.sees('connected');
    expect(here.simulator.ledger.instruments()).toHaveLength(1);
  });
});

describe('A bank that wants its customer to sign in again', () => {
  let config: Config;
  const here = journey({
    adjust: (settings) => {
      config = settings;
    },
  });

  async function ask<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${here.demo.connectUrl}/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${config.merchantApiKeys[0]}`, 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    return (await response.json()) as T;
  }

  test('a login that needs a new sign-in is repaired in the same element, and the payment instrument stays', async () => {
    const maya = await here.arrives();
    await maya.visit(PAGE);
    await maya.connects('user_one_account', 'Tartan Bank');
    await maya.sees('connected');
    const id = await maya.element.evaluate((element) => (element as HTMLElement & { value: string }).value);
    const before = await ask<MerchantConnection>('GET', `/connections/${id}`);
    const request = { customer_id: before.customer_id, connection: id };
    const { client_secret } = await ask<Session>('POST', '/sessions', request);

    const later = await here.arrives();
    await later.page.addInitScript(`document.addEventListener('readystatechange', () => {
      for (const element of document.querySelectorAll('finix-bank-connect')) {
        element.setAttribute('client-secret', '${client_secret}');
      }
    }, { once: true })`);
    await later.visit(PAGE);
    await later.element.getByText('Reconnect Tartan Bank ••5010').waitFor();
    await later.opensLink();
    await later.link.getByRole('button', { name: 'Continue' }).click();
    await later.signsIn('user_one_account');
    await later.finishesLink();
    await later.sees('connected');
    const after = await ask<MerchantConnection>('GET', `/connections/${id}`);
    expect(after).toMatchObject({ status: 'active', payment_instrument: before.payment_instrument });
    expect(here.simulator.ledger.instruments()).toHaveLength(1);
    expect(here.simulator.ledger.calls().filter(({ path }) => path === '/item/public_token/exchange')).toHaveLength(1);
  });
});
