import { expect, test } from 'vitest';
import { journey } from './customer.ts';

const here = journey();

test('A person connects a bank, pays, and the receipt names the one payment instrument that exists', async () => {
  const maya = await here.arrives({ reducedMotion: 'no-preference' });
  await maya.visit();
  await maya.connects();
  await maya.sees('connected');
  await expect.poll(() => maya.element.getByText('••0000', { exact: true }).isVisible()).toBe(true);

  await maya.placesOrder();
  await maya.page.getByRole('heading', { name: 'Thank you' }).waitFor();
  const [instrument, ...others] = here.simulator.ledger.instruments();
  expect(others).toEqual([]);
  await expect.poll(() => maya.page.getByRole('main').textContent()).toContain(instrument?.id);
  await expect.poll(() => maya.page.getByText('Simulator, nothing is real').isVisible()).toBe(true);
  await expect.poll(() => maya.page.getByRole('main').textContent()).toContain('First Platypus Bank ••0000');
  expect(maya.complaints).toEqual([]);
});

test('The form is not sent before a bank is connected', async () => {
  const maya = await here.arrives();
  await maya.visit();
  await maya.placesOrder();
  await maya.element.getByText('Connect a bank account to continue.').waitFor();
  const button = maya.element.locator('button.main');
  expect(await button.evaluate((one) => (one.getRootNode() as ShadowRoot).activeElement === one)).toBe(true);
  await maya.opensLink();
  await expect.poll(() => maya.element.getByText('Connect a bank account to continue.').count()).toBe(0);
  expect(new URL(maya.page.url()).pathname).toBe('/coffee');
  expect(here.simulator.ledger.instruments()).toEqual([]);
});

test('Leaving Link at any step cancels, and the button is ready again', async () => {
  const maya = await here.arrives();
  await maya.visit();
  // After the accounts comes success: closing there hands over, as Plaid's own does.
  const steps = [() => maya.agrees(), () => maya.findsBank(), () => maya.signsIn()];
  for (let walked = 0; walked <= steps.length; walked++) {
    await maya.opensLink();
    for (const step of steps.slice(0, walked)) await step();
    await maya.link.getByRole('heading', { level: 1 }).waitFor();
    await maya.leavesLink();
    await maya.sees('ready');
  }
  expect(here.simulator.ledger.items().filter(({ exchanged }) => exchanged)).toEqual([]);
  await maya.connects();
  await maya.sees('connected');
});

test('A bank that is down is explained with a way forward, and another bank works', async () => {
  const maya = await here.arrives();
  await maya.visit();
  await maya.opensLink();
  await maya.choosesBank('Tartan Bank');
  await maya.signsIn('user_bank_down');
  await maya.link.getByText('INSTITUTION_DOWN', { exact: true }).waitFor();
  await maya.link.getByRole('button', { name: 'Close', exact: true }).last().click();
  await maya.sees('error');
  await maya.element
    .getByText(/bank isn’t responding/)
    .first()
    .waitFor();
  await maya.element.getByRole('button', { name: 'Choose another bank' }).click();
  await maya.choosesBank('Houndstooth Bank');
  await maya.signsIn();
  await maya.choosesAccount();
  await maya.finishesLink();
  await maya.sees('connected');
  await expect.poll(() => maya.element.getByText('Houndstooth Bank').first().isVisible()).toBe(true);
  expect(here.simulator.ledger.instruments()).toHaveLength(1);
});

test('A bank that was changed is the one that pays', async () => {
  const maya = await here.arrives();
  await maya.visit();
  await maya.connects();
  await maya.sees('connected');
  await maya.element.getByRole('button', { name: 'Change' }).click();
  await maya.link.getByRole('heading').first().waitFor();
  await maya.choosesBank('Tartan Bank');
  await maya.signsIn('user_one_account');
  await maya.choosesAccount();
  await maya.finishesLink();
  await maya.element.getByText('Tartan Bank').first().waitFor();
  await maya.placesOrder();
  await maya.page.getByText('Tartan Bank ••5010').first().waitFor();
});

test('Another customer’s connection is refused', async () => {
  const maya = await here.arrives();
  await maya.visit();
  await maya.connects();
  await maya.sees('connected');
  const stolen = await maya.element.evaluate((element) => (element as HTMLElement & { value: string }).value);

  const thief = await here.arrives();
  await thief.visit('/pages/form.html');
  const answer = await thief.page.request.post(`${here.demo.url}/checkout`, { form: { bank_account: stolen } });
  expect(answer.status()).toBe(403);
});
