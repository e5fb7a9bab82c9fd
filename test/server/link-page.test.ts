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

  it.each([
    ['', '/', 308],
    ['', '/?lang=de', 308],
    ['', '/hosted', 303],
    ['%0D%0AX-Other%3A%20y', '/hosted', 303],
    ['%00', '/', 308],
  ])('the link page is where its address with %j and %s leads', async (more, end, status) => {
    const path = `${await createLink()}${more}`;
    const response = await server.request(`${path}${end}`);
    expect([response.status, response.headers.get('Location')]).toEqual([status, `http://localhost:3000${path}`]);
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
  // As browsers send a form of a page whose policy sends no referrer.
  const OF_A_FORM = { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' };
  const submit = (path: string, fields: Record<string, string> = {}, headers: Record<string, string> = OF_A_FORM) =>
    server.request(`${path}/hosted`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(fields).toString(),
    });

  /** A page with a sentence, and with a way back to the link's page. */
  async function expectRefusedPage(response: Response, status: number, text: string, path: string): Promise<void> {
    const body = await response.text();
    expect([response.status, response.headers.get('Content-Type')?.split(';')[0]]).toEqual([status, 'text/html']);
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(body).toContain(`<h1>${text}</h1>`);
    expect(body).toContain(`href="http://localhost:3000${path}?lang=`);
  }

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

  it.each<[string, Record<string, string>]>([
    ['of this server', { Origin: 'http://localhost:3000' }],
    ['of a browser that sends no origin', {}],
    ['of an old browser, with null as its origin', { Origin: 'null' }],
  ])('the form of a page %s is accepted', async (_name, headers) => {
    expect((await submit(await createLink(), {}, headers)).status).toBe(303);
  });

  it.each<[string, Record<string, string>]>([
    ['another site', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }],
    ['another site that hides its origin', { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }],
    ['a sibling of the server', { Origin: 'null', 'Sec-Fetch-Site': 'same-site' }],
  ])('the form of a page of %s is refused, and opens nothing', async (_name, headers) => {
    const path = await createLink();
    await expectRefusedPage(await submit(path, {}, headers), 403, pageTexts('en').failed, path);
    expect(server.ledger.calls().filter((made) => made.path === '/link/token/create')).toEqual([]);
  });

  it('a second press while the bank is being connected shows that, in the form’s language, with a way back', async () => {
    const path = await createLink();
    expect((await submit(path)).status).toBe(303);
    const later = (await server.storage.now()) + 3600_000;
    const processing = { status: 'processing', next_at: later, processing_since: later } as const;
    await server.storage.db.updateTable('sessions').set(processing).execute();
    await expectRefusedPage(await submit(path, { lang: 'de' }), 409, pageTexts('de').busy, path);
    expect((await get(path)).status).toBe(200);
  });

  it('a second press before the bank is connected leads to Plaid’s page again', async () => {
    const path = await createLink();
    expect((await submit(path)).status).toBe(303);
    expect((await submit(path)).status).toBe(303);
  });

  it('a press while Plaid is down, or after too many, is answered with a page that leads back', async () => {
    const path = await createLink();
    const end = server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/link/token/create',
      kind: 'plaid_error',
      error_code: 'INTERNAL_SERVER_ERROR',
    });
    await expectRefusedPage(await submit(path, { lang: 'fr' }), 503, pageTexts('fr').failed, path);
    end();
    const now = await server.storage.now();
    await server.storage.db.updateTable('links').set({ openings: 1000, window_start: now }).execute();
    const refused = await submit(path);
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
    await expectRefusedPage(refused, 429, pageTexts('en').wait, path);
  });

  it('a press on a link that has ended, and a reload of the form’s address, lead to pages', async () => {
    const path = await createLink();
    const { body } = await server.merchant('GET', '/v1/links');
    const reload = await server.request(`${path}/hosted`, {});
    expect([reload.status, reload.headers.get('Location')]).toEqual([303, `http://localhost:3000${path}`]);
    await server.merchant('POST', `/v1/links/${body.data[0].id}/revoke`);
    const over = await submit(path, { lang: 'de' });
    expect([over.status, await over.text()]).toEqual([404, expect.stringContaining(pageTexts('en').over)]);
  });

  it('a robot that asks for too many pages gets one that asks it to wait', async () => {
    const path = await createLink();
    let last = await get(path);
    for (let asked = 0; last.status === 200 && asked < 100; asked++) last = await get(path);
    expect([last.status, last.text]).toEqual([429, expect.stringContaining(pageTexts('en').wait)]);
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
