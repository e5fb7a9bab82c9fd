import { type Context, Hono } from 'hono';
import { parseWebhook } from '../../widget/client.ts';
import type { MerchantConnection, Session } from '../../widget/contract.ts';
import { MERCHANTS as MERCHANT_KEYS, type Mode } from '../step.ts';
import { type Cookies, headerCookies } from './cookies.ts';
import { checkoutValues, type Html, orderValues, refusalValues } from './html.ts';
import type { MerchantApi } from './merchant-api.ts';
import { MERCHANTS, type Merchant, merchantOf } from './merchants.ts';
import { applyEvent, charge, judge, placeOrder } from './orders.ts';
import { fillPage, type PageFacts, type ShopPages } from './pages.ts';
import type { Presenter } from './presenter.ts';
import { streamOf } from './stream.ts';
import type { Customer, Visit, Visits } from './visits.ts';

const VISIT_COOKIE = 'demo_visit';
const THEME_COOKIE = 'demo_theme';
const YEAR_S = 365 * 24 * 3600;

export interface ShopOptions extends PageFacts {
  pages: ShopPages;
  api: MerchantApi;
  visits: Visits;
  presenter: Presenter;
  webhookSecret: string;
  mode: Mode;
  /**
   * The merchant's key, shown in the playground for trying its snippets. Only a key of the simulator's is to be shown.
   */
  shownKey?: string | undefined;
  /** Those of HTTP when left out. */
  cookies?: Cookies;
}

/** Names the mode that is on, on every page. */
const BANNERS: Record<Mode, [name: string, more: string]> = {
  simulator: ['Simulator', ', nothing is real'],
  sandboxes: ['Sandboxes', ' of Plaid and Finix'],
  static: ['Static', ', runs in this page'],
};

/**
 * The merchants' servers in one: their pages, the customers that they know by a cookie of their own, and the
 * presenter's buttons.
 */
export function createShop({
  pages,
  api,
  visits,
  presenter,
  webhookSecret,
  mode,
  cookies = headerCookies,
  shownKey,
  ...facts
}: ShopOptions): Hono {
  const app = new Hono();

  function visitOf(c: Context): Visit {
    const known = visits.find(cookies.get(c, VISIT_COOKIE));
    if (known) return known;
    const visit = visits.begin();
    cookies.set(c, VISIT_COOKIE, visit.cookie);
    for (const customer of visit.customers.values()) presenter.introduce(customer);
    return visit;
  }

  function sessionFor(customer: Customer, fresh: boolean): Promise<Session> {
    if (fresh || !customer.session) {
      const made = api.createSession(customer, presenter.merchantFor(customer));
      customer.session = made;
      made.catch(() => {
        if (customer.session === made) delete customer.session;
      });
    }
    return customer.session as Promise<Session>;
  }

  function themeOf(c: Context): string {
    const theme = cookies.get(c, THEME_COOKIE);
    return theme === 'light' || theme === 'dark' ? theme : 'auto';
  }

  async function page(
    c: Context,
    path: string,
    values: Record<string, Html | string> = {},
    status: 200 | 403 | 404 | 409 | 422 | 502 = 200,
  ) {
    const source = pages.page(path) ?? '';
    const customer = source.includes('{{client-secret}}') ? visitOf(c).customer('coffee') : undefined;
    const { html, policy } = fillPage(source, facts, {
      theme: themeOf(c),
      mode,
      providers: BANNERS[mode].join(''),
      // A phone has no room for more than the name.
      banner: `<span>${BANNERS[mode][0]}<span class="more">${BANNERS[mode][1]}</span></span>`,
      'link-script': facts.linkScriptUrl ?? '',
      'merchant-key': shownKey ?? '',
      // A server that renders its pages puts the secret straight into the tag; made only for the pages that do.
      'client-secret': customer ? ((await sessionFor(customer, false)).client_secret ?? '') : '',
      ...Object.fromEntries(
        await Promise.all(Object.entries(values).map(async ([name, value]) => [name, String(await value)])),
      ),
    });
    // No other site may show the shop in a frame of its own, and have it pressed there.
    c.header('Content-Security-Policy', policy ?? "frame-ancestors 'self'");
    c.header('Cache-Control', 'no-store');
    c.header('X-Content-Type-Options', 'nosniff');
    return c.html(html, status);
  }
  const refuse = (
    c: Context,
    merchant: Merchant,
    status: 403 | 404 | 409 | 422 | 502,
    title: string,
    sentence: string,
  ) => page(c, '/shop', refusalValues(merchant, title, sentence), status);

  app.post('/api/session', async (c) => {
    // A form of another site can't send this type, so no other site can use up a customer's sessions.
    if (!isJson(c)) return c.text('JSON only', 415);
    const { fresh, merchant } = await jsonOf(c);
    const customer = visitOf(c).customer(merchantOf(merchant).key);
    const { client_secret } = await sessionFor(customer, fresh === true);
    c.header('Cache-Control', 'no-store');
    return c.json({ client_secret });
  });

  app.post('/api/playground', async (c) => {
    if (!isJson(c)) return c.text('JSON only', 415);
    const { client_secret } = await api.createSession(
      { id: `cus_${crypto.randomUUID().slice(0, 8)}` },
      { ...MERCHANTS.coffee, ...playgroundOptions(await jsonOf(c)) },
    );
    c.header('Cache-Control', 'no-store');
    return c.json({ client_secret });
  });

  app.get('/api/story', (c) => streamOf(visitOf(c)));

  app.post('/api/present', async (c) => {
    if (!isJson(c)) return c.text('JSON only', 415);
    const { merchant, action, scenario } = await jsonOf(c);
    const customer = visitOf(c).customer(merchantOf(merchant).key);
    const problem =
      typeof scenario === 'string'
        ? presenter.choose(customer, scenario)
        : await presenter.act(customer, String(action));
    return problem ? c.json({ problem }, 409) : c.json({});
  });

  app.post('/checkout', async (c) => {
    const form = await c.req.formData().catch(() => undefined);
    if (!form)
      return refuse(
        c,
        MERCHANTS.coffee,
        422,
        'Something went wrong',
        'The form could not be read. Go back and try again.',
      );
    const merchant = merchantOf(form.get('merchant'));
    const customer = visitOf(c).customer(merchant.key);
    const judged = await judge(api, customer, form.get('bank_account'));
    if ('refusal' in judged) {
      const { refusal } = judged;
      if (refusal === 'missing')
        return refuse(
          c,
          merchant,
          422,
          'Connect a bank account',
          `To ${merchant.purpose === 'payout' ? 'be paid' : 'pay'}, connect a bank account first.`,
        );
      if (refusal === 'foreign')
        return refuse(
          c,
          merchant,
          403,
          'That is not your account',
          `This bank account was not connected by you, so nothing was ${merchant.purpose === 'payout' ? 'sent' : 'debited'}.`,
        );
      return refuse(c, merchant, 409, 'Please connect your bank again', 'This bank account can no longer be used.');
    }
    const order = placeOrder(customer, merchant, judged.connection);
    await charge(api, customer, merchant, order, judged.connection);
    customer.visit.stateChanged(customer);
    return c.redirect(`/orders/${merchant.key}/${order.id}`, 303);
  });

  app.get('/orders/:merchant/:id', async (c) => {
    const merchant = merchantOf(c.req.param('merchant'));
    const customer = visitOf(c).customer(merchant.key);
    const order = customer.orders.find(({ id }) => id === c.req.param('id'));
    if (!order) return refuse(c, merchant, 404, 'Order not found', 'The demo may have been restarted.');
    const connection = customer.connection?.id === order.connection ? customer.connection : undefined;
    const repair =
      connection?.status === 'needs_repair'
        ? (await api.repairSession(customer, order.connection)).client_secret
        : undefined;
    return page(c, '/shop', orderValues(merchant, order, connection, repair));
  });

  app.post('/webhooks/merchant', async (c) => {
    const event = await parseWebhook(await c.req.arrayBuffer(), c.req.raw.headers, webhookSecret).catch(
      () => undefined,
    );
    if (!event) return c.text('No valid signature', 400);
    const data = event.data as Partial<MerchantConnection>;
    const customer = visits.namedIn(`${data.id} ${data.customer_id}`);
    if (customer && data.object === 'connection') {
      const merchant = MERCHANTS[customer.merchant];
      presenter.received(customer, event.type, data as MerchantConnection);
      const { chargeNow } = applyEvent(customer, event.type, data as MerchantConnection);
      if (chargeNow) await charge(api, customer, merchant, chargeNow, data as MerchantConnection);
      customer.visit.stateChanged(customer);
    }
    return c.body(null, 204);
  });

  app.post('/restart', (c) => {
    const visit = visits.find(cookies.get(c, VISIT_COOKIE));
    if (visit) visits.end(visit);
    cookies.delete(c, VISIT_COOKIE);
    return c.redirect('/', 303);
  });

  app.get('/assets/*', (c) => {
    const asset = pages.asset(c.req.path);
    if (!asset) return c.notFound();
    return c.body(asset.content, 200, { 'Content-Type': asset.type, 'Cache-Control': 'no-cache' });
  });

  for (const key of MERCHANT_KEYS) {
    app.get(`/${key}`, (c) => {
      const customer = visitOf(c).customer(key);
      if (c.req.query('fresh') !== undefined) delete customer.session;
      return page(c, '/shop', checkoutValues(MERCHANTS[key]));
    });
  }

  app.post('/api/theme', async (c) => {
    const { theme } = await jsonOf(c);
    if (theme !== 'light' && theme !== 'dark') return c.text('light or dark', 422);
    cookies.set(c, THEME_COOKIE, theme, YEAR_S);
    return c.body(null, 204);
  });

  app.get('*', (c) => {
    if (c.req.path === '/shop' || pages.page(c.req.path) === undefined)
      return refuse(c, MERCHANTS.coffee, 404, 'Page not found', 'There is no page at this address.');
    visitOf(c);
    return page(c, c.req.path);
  });

  app.onError((error, c) => {
    process.stderr.write(`${error.stack}\n`);
    return refuse(
      c,
      MERCHANTS.coffee,
      502,
      'Something went wrong',
      'The shop can’t reach its payment server. Please try again.',
    );
  });
  return app;
}

/** What the playground may choose for a session; the connect server checks the values. */
function playgroundOptions(given: Record<string, unknown>): Partial<Merchant> {
  const { account_selection, authorization, ownership, language } = given as Partial<Merchant>;
  return { account_selection, authorization, ownership, language };
}

function isJson(c: Context): boolean {
  return c.req.header('Content-Type')?.startsWith('application/json') === true;
}

async function jsonOf(c: Context): Promise<Record<string, unknown>> {
  const body: unknown = await c.req.json().catch(() => ({}));
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
}
