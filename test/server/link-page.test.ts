import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contrast, parse, readableAccent } from '../../server/links/accent.ts';
import { PAGE_LANGUAGES, pageLanguage, pageTexts } from '../../server/links/page-texts.ts';
import { TestServer } from '../helpers/server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await TestServer.start();
});

afterEach(() => server.close());

const authorization = { text: 'I authorize Corner Bakery to debit my account.', version: '1' };
const merchant = {
  id: 'm_1',
  name: '<b>Corner</b> Bakery',
  logo_url: 'https://cdn.bakery.example/logo.png',
  accent: '#ffd54d',
  support_url: 'https://bakery.example/help',
};

async function createLink(more: object = {}): Promise<string> {
  const { body } = await server.merchant('POST', '/v1/links', { customer_id: 'cus_secret', ...more });
  return new URL(body.url).pathname;
}

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await server.request(path, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe('the page behind a link', () => {
  it('the link page names the merchant as text, and holds nothing that identifies the customer', async () => {
    const { status, text } = await get(await createLink({ merchant, identity: { email: 'jane@example.com' } }));
    expect(status).toBe(200);
    expect(text).toContain('&lt;b&gt;Corner&lt;/b&gt; Bakery');
    expect(text).not.toContain('<b>Corner');
    expect(text).not.toContain('cus_secret');
    expect(text).not.toContain('jane@example.com');
  });

  it('the link page is kept out of search engines, caches, frames and referrers, and lets only our scripts and Plaid’s run', async () => {
    const { headers } = await get(await createLink({ merchant }));
    const policy = headers.get('Content-Security-Policy') ?? '';
    expect(headers.get('X-Robots-Tag')).toContain('noindex');
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(headers.get('Referrer-Policy')).toBe('no-referrer');
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).toContain('https://cdn.bakery.example');
    expect(/script-src ([^;]*)/.exec(policy)?.[1]).not.toContain('unsafe');
  });

  it('the link page has a nonce of its own each time', async () => {
    const path = await createLink();
    const nonce = async () => /nonce-([^']+)/.exec((await get(path)).headers.get('Content-Security-Policy') ?? '')?.[1];
    expect(await nonce()).not.toBe(await nonce());
  });

  it('the link page names what the account is wanted for', async () => {
    expect((await get(await createLink({ purpose: 'payout' }))).text).toContain('be paid to');
    expect((await get(await createLink())).text).toContain('pay from');
  });

  it('the link page speaks the language that was chosen, then the session’s, then the browser’s', async () => {
    const path = await createLink({ language: 'de' });
    expect((await get(path, { 'Accept-Language': 'fr' })).text).toContain('lang="de"');
    expect((await get(`${path}?lang=ar`)).text).toContain('<html lang="ar" dir="rtl">');
    const plain = await createLink();
    expect((await get(plain, { 'Accept-Language': 'xx, fr-CA;q=0.8, es;q=0.9' })).text).toContain('<html lang="es"');
  });

  it('the link page is the same for a wrong address and for a link that is over, in the reader’s language', async () => {
    const path = await createLink({ merchant });
    const { body } = await server.merchant('GET', '/v1/links');
    await server.merchant('POST', `/v1/links/${body.data[0].id}/revoke`);
    const [over, wrong] = [await get(`${path}?lang=de`), await get(`/c/${'A'.repeat(43)}?lang=de`)];
    const plain = ({ text }: { text: string }) => text.replace(/nonce="[^"]*"/g, '');
    expect([over.status, wrong.status]).toEqual([404, 404]);
    expect(plain(over)).toBe(plain(wrong));
    expect(over.text).toContain('Dieser Link ist nicht mehr gültig');
    expect(over.text).not.toContain('Bakery');
  });
});

describe('a browser without scripts', () => {
  const submit = (path: string, fields: Record<string, string> = {}) =>
    server.request(`${path}/hosted`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'http://localhost:3000' },
      body: new URLSearchParams(fields).toString(),
    });

  it('a browser without scripts is led to Plaid’s own page, and from there to one that names no one', async () => {
    const path = await createLink();
    expect((await get(path)).text).toContain(`action="http://localhost:3000${path}/hosted"`);
    const response = await submit(path, { lang: 'es' });
    expect(response.status).toBe(303);
    expect(response.headers.get('Location')).toContain(new URL(server.upstream.plaidUrl).origin);
    const call = server.ledger.calls().find((made) => made.path === '/link/token/create');
    expect(call?.body).toMatchObject({
      language: 'es',
      hosted_link: { completion_redirect_uri: 'http://localhost:3000/c/done' },
    });
  });

  it('a browser without scripts accepts the authorization first', async () => {
    const path = await createLink({ authorization });
    expect((await get(path)).text).toContain(authorization.text);
    expect((await submit(path)).headers.get('Location')).toBe(`http://localhost:3000${path}`);
    const accepted = await submit(path, { accepted: 'yes' });
    expect(accepted.headers.get('Location')).toContain(new URL(server.upstream.plaidUrl).origin);
  });

  it('a browser without scripts sees an explanation where the merchant has turned Plaid’s page off', async () => {
    await server.close();
    server = await TestServer.start({ env: { HOSTED_LINK: 'off' } });
    const path = await createLink();
    expect((await get(path)).text).not.toContain('/hosted"');
    expect((await submit(path)).status).toBe(404);
    const session = await server.createSession();
    const answer = await server.page(session, 'POST', '/link-token', { mode: 'hosted' });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'mode' }] } });
  });
});

it.each(PAGE_LANGUAGES)('the texts of the page are complete in %s, with the same places for names', (language) => {
  const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  const [texts, english] = [pageTexts(language), pageTexts('en')];
  for (const key of Object.keys(english) as (keyof typeof english)[]) {
    expect(places(texts[key]), key).toEqual(places(english[key]));
    if (language !== 'en' && key !== 'name') expect(texts[key], key).not.toBe(english[key]);
  }
});

it.each([
  [['pt-BR', undefined, undefined], 'pt'],
  [['xx', 'ko', 'de'], 'ko'],
  [[undefined, undefined, 'fil-PH, en;q=0.5'], 'tl'],
  [[undefined, undefined, 'xx'], 'en'],
] as const)('of %j the page speaks %s', ([wanted, session, header], language) => {
  expect(pageLanguage(wanted, session, header)).toBe(language);
});

it.each(['#ffd54d', '#ffffff', '#000000', '#17483f', '#ff0000', '#7f7f7f', '#00ffff'])(
  'the accent %s becomes readable on light and on dark',
  (accent) => {
    for (const surface of ['#ffffff', '#17201d']) {
      const { color, on } = readableAccent(accent, surface);
      expect(contrast(parse(color), parse(surface))).toBeGreaterThanOrEqual(4.5);
      expect(contrast(parse(color), parse(on))).toBeGreaterThanOrEqual(4.5);
    }
  },
);
