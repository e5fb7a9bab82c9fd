/**
 * Walks through the simulated Link, for Playwright.
 * @param {import('playwright-core').Page} page with the element on it
 */
export async function connectBank(page, username = 'user_good') {
  const element = page.locator('finix-bank-connect');
  await element.getByRole('button').first().click();
  const link = page.frameLocator('iframe[title^="Plaid Link"]:visible');
  await link.getByRole('button', { name: 'Continue' }).click();
  await link.getByRole('searchbox').fill('First Platypus Bank');
  await link.getByRole('button', { name: 'First Platypus Bank' }).click();
  await link.getByLabel('User name', { exact: true }).fill(username);
  await link.getByLabel('Password').fill('pass_good');
  await link.getByRole('button', { name: 'Sign in' }).click();
  await link.getByRole('radio', { name: 'Checking' }).check();
  await link.getByRole('button', { name: 'Continue' }).click();
  await link.getByRole('button', { name: 'Finish' }).click();
  await page.locator('finix-bank-connect[status="connected"]').waitFor();
}
