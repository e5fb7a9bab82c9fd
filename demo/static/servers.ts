import type { Context } from 'hono';
import type { Cookies } from '../server/cookies.ts';
import { createMerchantApi } from '../server/merchant-api.ts';
import type { ShopPages } from '../server/pages.ts';
import { isRecorded, parties } from '../server/parties.ts';
import { createPresenter } from '../server/presenter.ts';
import { Recorder } from '../server/recorder.ts';
import { createShop } from '../server/shop-app.ts';
import { Visits } from '../server/visits.ts';
import { watchSimulator } from '../server/watch-simulator.ts';
import { createSimulator, SIMULATOR_CREDENTIALS } from '../simulator/simulator.ts';
import { createConnect } from './connect/app.ts';
import { rebase } from './rebase.ts';

/** The simulator asks for one, and looks no further. */
const MERCHANT = 'MUsimulated';
const MERCHANT_NAME = 'Kestrel & Oak';
/** The name in the browser's storage. */
const KEPT_IN = 'bank-connect-demo';

export type Answers = (request: Request) => Promise<Response>;

/**
 * All that `npm run demo` runs as processes, in one page: the merchants' shop and the simulator as they are, and a
 * stand-in for the connect server.
 * @param pages the built pages, by their address
 * @param base the folder of the demo on its host, with a slash at both ends
 */
export function createServers(pages: Record<string, string>, base: string): Answers {
  const { origin } = location;
  const connectUrl = `${origin}${base}connect`;
  const merchantKey = crypto.randomUUID();
  const webhookSecret = `whsec_${btoa(crypto.randomUUID())}`;
  const visits = new Visits();
  const recorder = new Recorder(visits);
  const simulator = createSimulator({
    finixWebhook: { url: `${connectUrl}/webhooks/finix`, secret: 'unused' },
    deliver: (url, init) => askConnect(new Request(url, init)),
  });
  const connect = createConnect({
    simulator,
    origin,
    url: connectUrl,
    merchantKey,
    merchantName: MERCHANT_NAME,
    webhookSecret,
    deliver: async (body, headers) =>
      shop.fetch(new Request(`${origin}/webhooks/merchant`, { method: 'POST', headers, body })),
  });

  /** As the demo's own gate before the connect server: what passes is written down. */
  async function askConnect(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = url.pathname.replace(`${base}connect`, '') + url.search;
    const { method } = request;
    const headers = Object.fromEntries(request.headers);
    const body = method === 'GET' ? '' : await request.text();
    const record = isRecorded(method, path)
      ? recorder.sent({ ...parties(path, headers, merchantKey), method, path, headers, body })
      : undefined;
    const response = await connect.fetch(new Request(origin + path, { method, headers, ...(body ? { body } : {}) }));
    const { status } = response;
    record?.ended({ status, headers: Object.fromEntries(response.headers), body: await response.clone().text() });
    return response;
  }

  const api = createMerchantApi({
    connectUrl,
    merchantKey,
    finix: { ...SIMULATOR_CREDENTIALS.finix, baseUrl: `${origin}/finix`, merchant: MERCHANT },
    recorder: undefined,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      return request.url.startsWith(`${origin}/finix/`) ? simulator.app.fetch(request) : askConnect(request);
    },
  });
  const presenter = createPresenter({ simulator, visits, api, server: undefined });
  watchSimulator({ simulator }, visits, recorder, presenter.instrumentIsAskedFor);
  const shopPages: ShopPages = { asset: () => undefined, page: (path) => pages[path] };
  const shop = createShop({
    connectUrl,
    linkScriptUrl: `${origin}${base}link/link-initialize.js`,
    pages: shopPages,
    api,
    visits,
    presenter,
    webhookSecret,
    mode: 'static',
    cookies: keptCookies(),
  });

  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/connect/')) {
      return askConnect(new Request(request.url.replace('/connect/', `${base}connect/`), request));
    }
    return rebase(await (pathname.startsWith('/link/') ? simulator.app.fetch(request) : shop.fetch(request)), base);
  };
}

/** Of the one visitor that this page has. The colors outlive the page. */
function keptCookies(): Cookies {
  const cookies = new Map<string, string>(Object.entries(JSON.parse(localStorage.getItem(KEPT_IN) ?? '{}')));
  return {
    get: (_c: Context, name) => cookies.get(name),
    set: (_c, name, value, maxAge) => {
      cookies.set(name, value);
      if (maxAge) localStorage.setItem(KEPT_IN, JSON.stringify({ [name]: value }));
    },
    delete: (_c, name) => void cookies.delete(name),
  };
}
