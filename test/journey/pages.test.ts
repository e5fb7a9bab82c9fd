import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { connectBank } from '../../docs/snippets/testing/connect-bank.mjs';
import { journey } from './customer.ts';

const here = journey();
const pages = readdirSync('demo/pages').filter((name) => name.endsWith('.html'));
const embeddings = pages.filter((name) => name !== 'index.html');

// A failure here means a broken import, a tag that nothing defines, or a policy that the element does not keep.
test.each(embeddings)('%s works without an error on the console', async (name) => {
  const visitor = await here.arrives();
  await visitor.visit(`/pages/${name}`);
  const undefinedTags = await visitor.page.evaluate(() =>
    [...document.querySelectorAll(':not(:defined)')].map(({ localName }) => localName),
  );
  expect(undefinedTags).toEqual([]);
  const statuses = () =>
    visitor.page.locator('finix-bank-connect').evaluateAll((all) => all.map((one) => one.getAttribute('status')));
  await expect.poll(statuses).toSatisfy((all: string[]) => all.every((status) => status === 'ready'));
  // These are walked in modes.test.ts: their Link is not behind a button.
  if (!/^(embedded|hosted)/.test(name)) {
    await visitor.connects();
    await visitor.sees('connected');
  }
  expect(visitor.complaints).toEqual([]);
});

test('The index leads to every page', async () => {
  const visitor = await here.arrives();
  await visitor.page.goto(`${here.demo.url}/pages/`);
  const links = await visitor.page.locator('li a').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
  expect(links.map((href) => href?.replace('/pages/', '')).sort()).toEqual([...embeddings].sort());
  expect(visitor.complaints).toEqual([]);
});

test('Two elements have a bank each', async () => {
  const visitor = await here.arrives();
  await visitor.visit('/pages/two-elements.html');
  await visitor.connects();
  await visitor.sees('connected');
  const second = visitor.page.locator('finix-bank-connect').nth(1);
  await second.locator('button.main').click();
  await visitor.choosesBank('Tartan Bank');
  await visitor.signsIn();
  await visitor.choosesAccount('Saving');
  await visitor.finishesLink();
  await second.getByText('••1111').first().waitFor();
  expect(here.simulator.ledger.instruments()).toHaveLength(2);
});

test('In public mode the merchant’s server accepts the connection of the first customer who sends it', async () => {
  const visitor = await here.arrives();
  await visitor.visit('/pages/script-tag.html');
  await visitor.connects();
  await visitor.sees('connected');
  const id = await visitor.element.evaluate((element) => (element as HTMLElement & { value: string }).value);
  const form = { bank_account: id };
  const mine = await visitor.page.request.post(`${here.demo.url}/checkout`, { form });
  expect(mine.status()).toBe(200);
  expect(await mine.text()).toContain(here.simulator.ledger.instruments()[0]?.id);
  const other = await here.arrives();
  expect((await other.page.request.post(`${here.demo.url}/checkout`, { form })).status()).toBe(403);
});

test('The walk through Link that the documents show for Playwright connects a bank', async () => {
  const visitor = await here.arrives();
  await visitor.visit('/pages/form.html');
  await connectBank(visitor.page);
  expect(here.simulator.ledger.instruments()).toHaveLength(1);
});
