import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { journey } from './customer.ts';

/** What a visitor has copied, in a folder of their own, behind a server that knows nothing. */
let copied = '';
const folder = createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(copied);
});
await new Promise<void>((resolve) => folder.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${(folder.address() as AddressInfo).port}`;
afterAll(() => new Promise((resolve) => folder.close(resolve)));

const allowed: string[] = [];
const here = journey({
  adjust: (config) => {
    allowed.push(...config.allowedOrigins);
    // A port of this test, which may run at the same time as others; the usual ones are looked at below.
    config.allowedOrigins.push(address);
  },
});

test('A visitor copies the script tag from the playground into an empty folder, and connects a bank there', async () => {
  for (const port of [3000, 5173, 8000]) expect(allowed).toContain(`http://localhost:${port}`);
  const visitor = await here.arrives({ viewport: { width: 1024, height: 768 } });
  await visitor.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await visitor.page.goto(`${here.demo.url}/playground?accent=%235b2a86`);
  await visitor.page.getByText('run npx serve').waitFor();
  await visitor.page.getByRole('button', { name: 'Copy', exact: true }).click();
  await visitor.page.getByText('Script tag copied').waitFor();
  copied = await visitor.page.evaluate(() => navigator.clipboard.readText());
  await visitor.page.goto(address);
  await visitor.sees('ready');
  const color = await visitor.element.locator('button.main').evaluate((one) => getComputedStyle(one).backgroundColor);
  expect(color).toBe('rgb(91, 42, 134)');
  await visitor.connects();
  await visitor.sees('connected');
  expect(here.simulator.ledger.instruments()).toHaveLength(1);
  expect(visitor.complaints).toEqual([]);

  // For the visitor's own server it names none of the demo's.
  await visitor.page.goto(`${here.demo.url}/playground`);
  await visitor.page.getByRole('combobox', { name: 'Server' }).selectOption({ label: 'Your own' });
  await visitor.page.getByText('client-secret="{{client-secret}}"').waitFor();
  await expect.poll(() => visitor.page.locator('#snippet').innerText()).not.toContain('127.0.0.1');
});
