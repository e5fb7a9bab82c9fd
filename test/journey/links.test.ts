import { describe, expect, test } from 'vitest';
import { barriers } from '../helpers/barriers.ts';
import { merchantJourney } from './as-merchant.ts';
import type { Customer } from './customer.ts';

const here = merchantJourney();

const bakery = {
  customer_id: 'cus_link',
  merchant: {
    id: 'm_1',
    name: 'Corner Bakery',
    accent: '#ffd54d',
    support_url: 'https://bakery.example/help',
  },
};

async function opens({ page }: Customer, url: string): Promise<void> {
  await page.goto(url);
}

async function presses(customer: Customer): Promise<void> {
  await customer.page.locator('#start').click();
  await customer.sees('ready');
}

test('A customer connects a bank through a link, on a phone, without the merchant’s page', async () => {
  const link = await here.createLink(bakery);
  const customer = await here.arrives();
  await customer.page.setViewportSize({ width: 390, height: 844 });
  await opens(customer, link.url);
  await expect.poll(() => customer.page.title()).toBe('Connect your bank account');
  await expect.poll(() => customer.page.locator('.ask').textContent()).toContain('Corner Bakery');
  await presses(customer);
  await customer.opensLink();
  await customer.choosesBank();
  await customer.signsIn();
  await customer.choosesAccount();
  await customer.finishesLink();
  await customer.page.getByText('Your bank account is connected.').waitFor();
  await expect.poll(() => customer.page.locator('#accounts').textContent()).toContain('First Platypus Bank ••');
  await expect
    .poll(() => here.readLink(link.id))
    .toMatchObject({ status: 'completed', connections: [{ status: 'active' }] });
  await opens(customer, link.url);
  await expect.poll(() => customer.page.locator('h1').textContent()).toBe('This link can no longer be used');
  await expect.poll(() => customer.page.content()).not.toContain('Corner Bakery');
  customer.complaints.splice(0, 1);
  expect(customer.complaints).toEqual([]);
});

test('A customer who leaves and comes back begins again with the same link', async () => {
  const link = await here.createLink(bakery);
  const customer = await here.arrives();
  await opens(customer, link.url);
  await presses(customer);
  await opens(customer, link.url);
  await presses(customer);
  await expect.poll(async () => (await here.readLink(link.id)).status).toBe('opened');
});

test('A customer whose account is declined connects another one on the same page', async () => {
  const link = await here.createLink(bakery);
  const customer = await here.arrives();
  await opens(customer, link.url);
  await presses(customer);
  await customer.connects('user_finix_refuses');
  await customer.element.getByText('This account was declined. Please use a different one.').first().waitFor();
  await customer.element.getByRole('button', { name: 'Choose another account' }).waitFor();
  await customer.connects();
  await customer.page.getByText('Your bank account is connected.').waitFor();
  await expect.poll(() => here.readLink(link.id)).toMatchObject({ status: 'completed', connections: [{}] });
  customer.complaints.length = 0;
});

test('A link that is revoked while its page is open shows that it can no longer be used', async () => {
  const link = await here.createLink(bakery);
  const customer = await here.arrives();
  await opens(customer, link.url);
  await here.revokeLink(link.id);
  await customer.page.locator('#start').click();
  await customer.page.getByRole('heading', { name: 'This link can no longer be used' }).waitFor();
  customer.complaints.length = 0;
});

test('A customer whose browser runs no scripts is led to Plaid’s own page, and back to a page at a second press', async () => {
  const link = await here.createLink({ ...bakery, authorization: { text: 'I authorize it.', version: '1' } });
  const { page } = await here.arrives({ javaScriptEnabled: false });
  const presses = async () => {
    await page.goto(link.url);
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Continue on Plaid’s page' }).click();
  };
  await presses();
  await page.waitForURL((url) => !url.pathname.includes('/c/'));
  await expect.poll(async () => (await here.readLink(link.id)).status).toBe('opened');
  here.simulator.faults.add({ service: 'plaid', path: '/link/token/create', kind: 'status', status: 500 });
  await presses();
  await page.getByRole('heading', { name: 'That didn’t work. Please try again.' }).waitFor();
  await page.getByRole('link', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Continue on Plaid’s page' }).waitFor();
});

describe('The page behind a link', () => {
  test.each([
    ['en', 390, 'light'],
    ['en', 1280, 'dark'],
    ['de', 390, 'dark'],
    ['es', 768, 'light'],
    ['zh', 390, 'light'],
    ['ar', 390, 'light'],
    ['ar', 1280, 'dark'],
  ] as const)(
    'the page behind a link is accessible and fits its window in %s at %i px, %s',
    async (language, width, scheme) => {
      const authorization = { text: 'I authorize Corner Bakery to debit my account.', version: '1' };
      const link = await here.createLink({ ...bakery, authorization });
      const customer = await here.arrives({ colorScheme: scheme, viewport: { width, height: 844 } });
      await opens(customer, `${link.url}?lang=${language}`);
      expect(await barriers(customer.page)).toEqual([]);
      await presses(customer);
      expect(await barriers(customer.page)).toEqual([]);
      const overflow = await customer.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
    },
  );
});
