import { type Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { MerchantConnection, Session } from '../widget/contract.ts';
import { type ConnectApi, type Customer, Customers } from './customers.ts';
import { orderLines, TOTAL } from './order.ts';
import { receiptPage, refusalPage } from './receipt.ts';
import { fillPage, type PageFacts, type ShopPages } from './shop-pages.ts';
import type { StepLog } from './steps.ts';

const CUSTOMER_COOKIE = 'kestrel_customer';
const THEME_COOKIE = 'kestrel_theme';

export interface ShopOptions extends PageFacts {
  pages: ShopPages;
  api: ConnectApi;
  steps: StepLog;
  simulated: boolean;
}

/** The merchant: a shop with a page, a server, and customers that it knows by a cookie of its own. */
export function createShop({ pages, api, steps, simulated, ...facts }: ShopOptions): Hono {
  const app = new Hono();
  const customers = new Customers();

  function customerOf(c: Context): Customer {
    const known = customers.find(getCookie(c, CUSTOMER_COOKIE));
    if (known) return known;
    const { cookie, customer } = customers.create();
    setCookie(c, CUSTOMER_COOKIE, cookie, { httpOnly: true, sameSite: 'Lax', path: '/' });
    return customer;
  }

  /** `fresh` when the page needs another one: the customer changes their bank, or the last session is over. */
  function sessionFor(customer: Customer, fresh: boolean): Promise<Session> {
    if (fresh || !customer.session) {
      const made = api.createSession(customer);
      customer.session = made;
      made.catch(() => {
        if (customer.session === made) delete customer.session;
      });
    }
    return customer.session as Promise<Session>;
  }

  const look = (c: Context) => ({ styles: pages.styles, theme: themeOf(c), simulated });

  app.post('/api/session', async (c) => {
    // A form of another site can't send this type, so nobody can spend a customer's sessions for them.
    if (!c.req.header('Content-Type')?.startsWith('application/json')) return c.text('JSON only', 415);
    const { fresh } = (await c.req.json().catch(() => ({}))) as { fresh?: unknown };
    const { client_secret } = await sessionFor(customerOf(c), fresh === true);
    c.header('Cache-Control', 'no-store');
    return c.json({ client_secret });
  });

  app.get('/api/steps', (c) => {
    const after = Number(c.req.header('Last-Event-ID') ?? c.req.query('after') ?? 0);
    return steps.stream(Number.isInteger(after) ? after : 0);
  });

  app.post('/checkout', async (c) => {
    const customer = customerOf(c);
    const form = await c.req.formData();
    const id = form.get('bank_account');
    if (typeof id !== 'string' || !id) {
      return c.html(refusalPage('One thing is missing', 'Connect a bank account to pay with.', look(c)), 422);
    }
    const connection = await api.getConnection(id);
    if (!connection || !customers.owns(customer, connection)) {
      const sentence = 'This bank account was not connected by you, so nothing was ordered.';
      return c.html(refusalPage('That is not your account', sentence, look(c)), 403);
    }
    if (!isUsable(connection)) {
      const sentence = 'This bank account can’t be used any more. Please connect it again.';
      return c.html(refusalPage('Please connect your bank again', sentence, look(c)), 409);
    }
    const order = { id: `KO-${1042 + customer.orders.size}`, connection };
    customer.orders.set(order.id, order);
    delete customer.session;
    return c.redirect(`/receipts/${order.id}`, 303);
  });

  app.get('/receipts/:id', (c) => {
    const order = customerOf(c).orders.get(c.req.param('id'));
    if (!order) return c.html(refusalPage('There is no such order', 'Perhaps the demo was restarted.', look(c)), 404);
    return c.html(receiptPage(order, look(c)));
  });

  app.post('/restart', (c) => {
    deleteCookie(c, CUSTOMER_COOKIE, { path: '/' });
    return c.redirect('/', 303);
  });

  app.get('/assets/*', (c) => {
    const asset = pages.asset(c.req.path);
    if (!asset) return c.notFound();
    return c.body(asset.content, 200, { 'Content-Type': asset.type, 'Cache-Control': 'no-cache' });
  });

  app.get('*', async (c) => {
    const page = pages.page(c.req.path);
    if (page === undefined)
      return c.html(refusalPage('There is no such page', 'The checkout is this way.', look(c)), 404);
    const customer = customerOf(c);
    const { html, policy } = fillPage(page, facts, {
      theme: themeOf(c),
      total: TOTAL,
      order: String(await orderLines()),
      simulated: String(simulated),
      after: String(steps.last),
      // A server that renders its pages puts the secret straight into the tag; made only for the pages that do.
      'client-secret': page.includes('{{client-secret}}')
        ? ((await sessionFor(customer, false)).client_secret ?? '')
        : '',
    });
    if (policy) c.header('Content-Security-Policy', policy);
    c.header('Cache-Control', 'no-store');
    c.header('X-Content-Type-Options', 'nosniff');
    return c.html(html);
  });

  app.onError((error, c) => {
    process.stderr.write(`${error.stack}\n`);
    return c.html(
      refusalPage('That did not work', 'The shop can’t reach its payment server. Please try again.', look(c)),
      502,
    );
  });
  return app;
}

function isUsable({ status }: MerchantConnection): boolean {
  return status === 'active' || status === 'pending_verification';
}

function themeOf(c: Context): string {
  const theme = getCookie(c, THEME_COOKIE);
  return theme === 'light' || theme === 'dark' ? theme : 'auto';
}
