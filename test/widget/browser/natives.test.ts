import { aTimeout, expect } from '@open-wc/testing';
import { ConnectError } from '../../../widget/errors.ts';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { createHttpBackend } from '../../../widget/session/backend.ts';
import { cleanUp, mount, part, reach } from '../helpers/element.ts';
import { session } from '../helpers/simulated-backend.ts';
import { account, SimulatedLink } from '../helpers/simulated-link.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** What old libraries do to a page before the element comes; each returns what takes it back. */
const LIBRARIES: Record<string, () => (() => void)[]> = {
  'Prototype 1.6 (toJSON on arrays, strings, dates; reduce, entries and from of its own)': () => [
    replace(Array.prototype, 'toJSON', function (this: unknown[]) {
      return `[${this.map((item) => JSON.stringify(item)).join(', ')}]`;
    }),
    replace(String.prototype, 'toJSON', function (this: string) {
      return `"${this}"`;
    }),
    replace(Date.prototype, 'toJSON', () => '"a date"'),
    replace(Array.prototype, 'reduce', function (this: unknown[]) {
      return this.length > 1 ? this : this[0];
    }),
    replace(Array.prototype, 'entries', function (this: unknown[]) {
      return [...this];
    }),
    replace(Array.prototype, 'find', function (this: unknown[], test: (value: unknown, index: number) => boolean) {
      for (let i = 0; i < this.length; i++) if (test(this[i], i)) return this[i];
      return undefined;
    }),
    replace(Array, 'from', (iterable: { length?: number }) => {
      const all: unknown[] = [];
      for (let i = 0; i < (iterable.length ?? 0); i++) all.push((iterable as unknown[])[i]);
      return all;
    }),
    replace(HTMLElement.prototype, 'remove', function (this: HTMLElement) {
      // Throws where there is no parent.
      (this.parentNode as ParentNode & Node).removeChild(this);
      return this;
    }),
  ],
  'MooTools 1.2 (an Event of its own)': () => [
    replace(globalThis, 'Event', class Event2 {}),
    replace(Array, 'from', (item: unknown) => [item]),
    replace(Function.prototype, 'extend', () => {}),
  ],
  'an extended Object.prototype (enumerable, with a toJSON)': () => [
    replace(Object.prototype, 'extend', () => {}),
    replace(Object.prototype, 'toJSON', () => 'an object'),
    replace(Object.prototype, 'each', () => {}),
    replace(Object.prototype, 'run', () => {}),
  ],
  'a Promise without finally and allSettled': () => [
    replace(Promise.prototype, 'finally', undefined),
    replace(Promise, 'allSettled', undefined),
    replace(Promise, 'any', undefined),
    replace(Promise, 'withResolvers', undefined),
  ],
  'polyfills of Object (keys and values of the prototype, too)': () => [
    replace(Object, 'keys', (object: object) => {
      const keys: string[] = [];
      for (const key in object) keys.push(key);
      return keys;
    }),
    replace(Object, 'assign', (target: Record<string, unknown>, ...sources: Record<string, unknown>[]) => {
      for (const source of sources) for (const key in source) target[key] = source[key];
      return target;
    }),
  ],
};

/**
 * As zone.js before 0.14.3, of Angular up to 17.0: all listeners for an event of a target share one of the browser's,
 * which has the options of the first of them, a signal included.
 */
function shareListeners(): (() => void)[] {
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  const shared = new Map<EventTarget, Map<string, EventListener[]>>();
  return [
    replace(EventTarget.prototype, 'addEventListener', function (this: EventTarget | undefined, ...given: Listening) {
      const [type, listener, options] = given;
      const target = this ?? globalThis;
      const types = shared.get(target) ?? new Map<string, EventListener[]>();
      shared.set(target, types);
      const all = types.get(type);
      if (all) {
        all.push(listener);
        return;
      }
      const first = [listener];
      types.set(type, first);
      const callAll = (event: Event) => {
        for (const one of [...first]) one.call(target, event);
      };
      add.call(target, type, callAll, options);
    }),
    replace(
      EventTarget.prototype,
      'removeEventListener',
      function (this: EventTarget | undefined, ...given: Listening) {
        const [type, listener] = given;
        const target = this ?? globalThis;
        const all = shared.get(target)?.get(type);
        const index = all?.indexOf(listener) ?? -1;
        if (all && index >= 0) all.splice(index, 1);
        else remove.call(target, type, listener);
      },
    ),
  ];
}

type Listening = [type: string, listener: EventListener, options?: AddEventListenerOptions];

function together(steps: (() => void)[]): () => void {
  return () => {
    for (const step of steps.splice(0)) step();
  };
}

function replace(owner: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  // By assignment, as libraries do, so that it is enumerable where it is new.
  Object.defineProperty(owner, name, {
    value,
    configurable: true,
    writable: true,
    enumerable: before?.enumerable ?? true,
  });
  return () => {
    if (before) Object.defineProperty(owner, name, before);
    else Reflect.deleteProperty(owner, name);
  };
}

/**
 * A server over HTTP, as `fetch` sees it: what it was sent, word by word. What it answers, no library of the page has
 * touched.
 */
function server() {
  const sent: { url: string; method: string | undefined; body: string | undefined }[] = [];
  const token = {
    link_token: 'link-sandbox-1',
    expires_at: '2099-01-01T00:00:00Z',
    merchant: { name: 'Acme' },
    purpose: 'debit',
  };
  const answers = {
    token: stringify(token),
    completed: stringify(session('completed', ['active'])),
    open: stringify({ ...session('open'), client_secret: 'ses_1_secret_abc' }),
  };
  const fetch = async (url: string, init: RequestInit) => {
    sent.push({ url, method: init.method, body: init.body as string | undefined });
    if (url.endsWith('/logo')) return new Response(null, { status: 204 });
    const name = url.endsWith('/link-token') ? 'token' : url.endsWith('/complete') ? 'completed' : 'open';
    return new Response(answers[name], { headers: { 'Content-Type': 'application/json' } });
  };
  return { sent, backend: createHttpBackend('https://connect.example', { fetch: fetch as typeof globalThis.fetch }) };
}

/** Without the helpers of other tests, which rely on natives that are the browser's own. */
function place(properties: Partial<FinixBankConnect>) {
  const link = SimulatedLink.install();
  const form = document.body.appendChild(document.createElement('form'));
  const element = document.createElement('finix-bank-connect');
  for (const name in properties) {
    if (Object.hasOwn(properties, name)) Reflect.set(element, name, Reflect.get(properties, name));
  }
  form.appendChild(element);
  return { link, form, element };
}

// Before any library has changed it.
const { stringify, parse } = JSON;

describe('on a page with', () => {
  let undo = () => {};
  afterEach(async () => {
    undo();
    undo = () => {};
    await cleanUp();
  });

  for (const [name, load] of Object.entries(LIBRARIES)) {
    it(`${name}, a bank is connected, and every request is what it is elsewhere`, async () => {
      const { sent, backend } = server();
      undo = together(load());
      const { element, link, form } = place({ name: 'bank', firstName: 'Ada', lang: 'en', backend });
      await reach(element, 'ready');
      part(element, 'button').click();
      link.succeed('public-sandbox-1', {
        accounts: [account('acc_1', 'Plaid "Checking"', '1234'), account('acc_2', 'Savings', '5')],
      });
      await reach(element, 'connected');
      const values = new FormData(form).getAll('bank');
      await waitUntil(() => sent.length === 4);
      undo();
      form.remove();
      expect(values).to.deep.equal(['con_1']);
      expect(sent.map(({ url, method, body }) => [url, method, body && parse(body)])).to.deep.equal([
        ['https://connect.example/v1/sessions', 'POST', { language: 'en', identity: { first_name: 'Ada' } }],
        ['https://connect.example/v1/sessions/ses_1/link-token', 'POST', { mode: 'button', language: 'en' }],
        [
          'https://connect.example/v1/sessions/ses_1/complete',
          'POST',
          {
            public_token: 'public-sandbox-1',
            accounts: [account('acc_1', 'Plaid "Checking"', '1234'), account('acc_2', 'Savings', '5')],
            institution: { institution_id: 'ins_56', name: 'Chase' },
            link_session_id: 'link-session-1',
          },
        ],
        ['https://connect.example/v1/sessions/ses_1/institutions/ins_56/logo', undefined, undefined],
      ]);
    });

    it(`${name}, the bank is removed again`, async () => {
      const { backend } = server();
      undo = together(load());
      const { element, link, form } = place({ backend });
      let changes = 0;
      element.addEventListener('change', () => changes++);
      await reach(element, 'ready');
      part(element, 'button').click();
      link.succeed();
      await reach(element, 'connected');
      const links = element.shadowRoot?.querySelectorAll<HTMLElement>('.link');
      links?.[links.length - 1]?.click();
      await reach(element, 'ready');
      undo();
      form.remove();
      expect(changes).to.equal(1);
      expect(element.value).to.equal(null);
    });
  }

  it('a fetch that knows no signal, a request that never ends is given up', async () => {
    const { setTimeout: wait } = globalThis;
    globalThis.setTimeout = ((act: () => void, delay = 0) =>
      wait(act, delay >= 15_000 ? 20 : delay)) as typeof setTimeout;
    undo = () => {
      globalThis.setTimeout = wait;
    };
    const backend = createHttpBackend('https://connect.example', { fetch: () => new Promise(() => {}) });
    const { element } = await mount({ backend });
    await reach(element, 'error');
    expect(element.error?.code).to.equal('timeout');
  });

  for (const html of ['<a id="Plaid" href="#">Plaid</a>', '<form name="Plaid"><input name="create"></form>']) {
    it(`${html}, Plaid’s own script is waited for`, async () => {
      const box = document.createElement('div');
      box.innerHTML = html;
      document.body.append(box);
      const { append } = document.head;
      let tag: HTMLScriptElement | undefined;
      document.head.append = (...nodes) => {
        tag = nodes[0] as HTMLScriptElement;
      };
      undo = () => {
        Reflect.deleteProperty(document.head, 'append');
        box.remove();
        expect(document.head.append).to.equal(append);
      };
      const mounted = await mount();
      Reflect.deleteProperty(globalThis, 'Plaid');
      expect((globalThis as { Plaid?: unknown }).Plaid).to.be.instanceOf(HTMLElement);
      mounted.element.dispatchEvent(new Event('pointerenter'));
      while (!tag) await aTimeout(5);
      globalThis.Plaid = mounted.link;
      await reach(mounted.element, 'ready');
      part(mounted.element, 'button').click();
      expect(mounted.link.last.opened).to.equal(1);
    });
  }

  it('zone.js of before 2024, the element takes no listener of the page along, and listens again when it comes back', async () => {
    undo = together(shareListeners());
    const { element } = await mount({}, (server) => {
      server.linkTokenErrors.push(
        new ConnectError({ code: 'offline', action: 'retry', retryable: true, requestId: null }),
      );
    });
    await reach(element, 'error');
    let calls = 0;
    const listen = () => calls++;
    addEventListener('online', listen);
    const parent = element.parentNode as HTMLElement;
    element.remove();
    await aTimeout(0);
    dispatchEvent(new Event('online'));
    expect(calls).to.equal(1);
    parent.append(element);
    dispatchEvent(new Event('online'));
    removeEventListener('online', listen);
    expect(calls).to.equal(2);
    await reach(element, 'ready');
  });

  it('a form whose fields are named like what forms have, the first that is missing has the focus', async () => {
    const form = document.createElement('form');
    form.innerHTML = '<input name="elements"><input name="submit"><input required name="form"><button>Pay</button>';
    const { element } = await mount({ name: 'bank', required: true }, undefined, form);
    await reach(element, 'ready');
    form.querySelector('button')?.click();
    await element.updateComplete;
    expect(document.activeElement).to.equal(form.querySelector('[required]'));
    expect(part(element, 'error').textContent).to.contain('Connect a bank account');
  });
});
