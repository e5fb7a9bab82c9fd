import { afterEach, beforeEach, expect, test } from 'vitest';
import { MERCHANT_KEY, TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.close());

test('A person who opens the server’s address learns where they are, and finds the documents and the tag', async () => {
  const page = await server.request('/');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  const text = await page.text();
  expect(text).toContain('<h1>The bank connect server is running</h1>');
  expect(text).toContain('&lt;finix-bank-connect&gt;');
  const links = [...text.matchAll(/<a href="([^"]+)"/g)].map(([, href]) => href);
  expect(links).toEqual(['docs', 'openapi.json', 'readyz']);
  for (const href of links.filter((href) => href !== 'docs'))
    expect((await server.request(`/${href}`)).status).toBe(200);
});

test('The first page needs nothing from elsewhere, runs no script, and shows no setting but the public address', async () => {
  const page = await server.request('/');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const text = await page.text();
  expect(text).not.toMatch(/<script/);
  expect(text).toContain('noindex');
  for (const secret of [MERCHANT_KEY, ...server.config.encryptionKeys.map(String), server.config.plaid.secret]) {
    expect(text).not.toContain(secret);
  }
});

test('Another method at the first page is a 405', async () => {
  expect((await server.request('/', { method: 'POST' })).status).toBe(405);
});

test.each(['/connect', '/connect/'])(
  'The first page leads to the documents when it is opened at %s below a path',
  async (path) => {
    const below = await TestServer.start({ env: { PUBLIC_URL: 'https://shop.example/connect' } });
    const text = await (await below.request('/')).text();
    await below.close();
    const links = [...text.matchAll(/<a href="([^"]+)"/g)].map(
      ([, href = '']) => new URL(href, `https://shop.example${path}`).href,
    );
    expect(links).toEqual(['docs', 'openapi.json', 'readyz'].map((name) => `https://shop.example/connect/${name}`));
  },
);
