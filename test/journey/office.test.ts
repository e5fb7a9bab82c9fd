import { expect, test } from 'vitest';
import { barriers } from '../helpers/barriers.ts';
import { merchantJourney } from './as-merchant.ts';
import type { Customer } from './customer.ts';

const here = merchantJourney({ adjust: (config) => Object.assign(config, { linksPage: true }) });

async function enters({ page }: Customer, key = here.merchantKey()): Promise<void> {
  await page.goto(`${here.demo.connectUrl}/links/new`);
  await page.getByLabel('Merchant key').fill(key);
  await page.keyboard.press('Enter');
}

test('A back office makes a link without code, its customer connects a bank, and the office sees it', async () => {
  const office = await here.arrives();
  await enters(office);
  await office.page.getByLabel('Customer (your id)').fill('cus_office');
  await office.page.getByLabel('First name').fill('Jane');
  await office.page.getByLabel('Last name').fill('Doe');
  await office.page.getByRole('button', { name: 'Make the link' }).click();
  await office.page.locator('#result').waitFor();
  const address = await office.page.locator('#address').textContent();
  await office.page.getByAltText('QR code of the address').waitFor();
  await expect
    .poll(() => office.page.locator('#qr').evaluate((img: HTMLImageElement) => img.naturalWidth))
    .toBeGreaterThan(0);
  await office.page.getByRole('cell', { name: 'cus_office', exact: true }).waitFor();

  const customer = await here.arrives();
  await customer.page.setViewportSize({ width: 390, height: 844 });
  await customer.page.goto(address ?? '');
  await customer.page.locator('#start').click();
  await customer.sees('ready');
  await customer.opensLink();
  await customer.choosesBank();
  await customer.signsIn();
  await customer.choosesAccount();
  await customer.finishesLink();
  await customer.page.getByText('Your bank account is connected.').waitFor();

  await office.page.bringToFront();
  await office.page.getByLabel('Status').selectOption('completed');
  await office.page.getByRole('button', { name: 'Show' }).click();
  await office.page.getByRole('cell', { name: 'completed' }).waitFor();
  expect(office.complaints).toEqual([]);
});

test('A link that the office revokes can no longer be used', async () => {
  const office = await here.arrives();
  await enters(office);
  await office.page.getByLabel('Customer (your id)').fill('cus_wrong');
  await office.page.getByRole('button', { name: 'Make the link' }).click();
  await office.page.locator('#result').waitFor();
  const address = await office.page.locator('#address').textContent();
  await office.page.getByRole('button', { name: 'Revoke the link of cus_wrong' }).click();
  await office.page.getByRole('cell', { name: 'revoked' }).waitFor();
  const customer = await here.arrives();
  await customer.page.goto(address ?? '');
  await customer.page.getByRole('heading', { name: 'This link can no longer be used' }).waitFor();
  customer.complaints.length = 0;
});

test('The office’s key is in no storage of the browser, and is asked for again after a reload', async () => {
  const office = await here.arrives();
  await enters(office);
  await office.page.getByRole('heading', { name: 'New link' }).waitFor();
  const kept = await office.page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, document.title]),
  );
  expect(kept).not.toContain(here.merchantKey());
  await expect.poll(() => office.page.content()).not.toContain(here.merchantKey());
  await expect.poll(() => office.page.locator('#key').inputValue()).toBe('');
  await office.page.reload();
  await office.page.getByLabel('Merchant key').waitFor();
  await expect.poll(() => office.page.getByRole('heading', { name: 'New link' }).isVisible()).toBe(false);
});

test('The office learns that a key is wrong, and which field is', async () => {
  const office = await here.arrives();
  await enters(office, 'not-the-key');
  await office.page.getByText('This is not the merchant key.').waitFor();
  await enters(office);
  await office.page.getByRole('button', { name: 'Make the link' }).click();
  await office.page.getByText('customer_id').waitFor();
  await expect.poll(() => office.page.locator('#customer_id').getAttribute('aria-invalid')).toBe('true');
  await office.page.getByLabel('Customer (your id)').fill('cus_1');
  await office.page.getByText('Repair, owner, authorization').click();
  await office.page.getByLabel('Connection to repair').fill('con_none');
  await office.page.getByRole('button', { name: 'Make the link' }).click();
  await office.page.getByText('is not a connection of this customer').waitFor();
  office.complaints.length = 0;
});

test.each([
  [390, 'light'],
  [768, 'dark'],
  [1280, 'light'],
] as const)('The office’s page is accessible and fits its window at %i px, %s', async (width, scheme) => {
  const office = await here.arrives({ colorScheme: scheme, viewport: { width, height: 900 } });
  await office.page.goto(`${here.demo.connectUrl}/links/new`);
  expect(await barriers(office.page)).toEqual([]);
  await enters(office);
  await office.page.getByLabel('Customer (your id)').fill('cus_1');
  await office.page.getByRole('button', { name: 'Make the link' }).click();
  await office.page.getByRole('cell', { name: 'cus_1', exact: true }).waitFor();
  expect(await barriers(office.page)).toEqual([]);
  const overflow = await office.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});
