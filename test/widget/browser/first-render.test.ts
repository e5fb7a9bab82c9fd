import { aTimeout, expect } from '@open-wc/testing';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { listenToConsole } from '../helpers/console.ts';
import { cleanUp, EVENTS, mount, part, press, reach, spoken } from '../helpers/element.ts';
import { SimulatedBackend as Backend, refusal, type SimulatedBackend } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const noPublicSessions = (backend: SimulatedBackend) => {
  backend.createPublicSession = async (input) => {
    backend.calls.push(`createPublicSession ${JSON.stringify(input)}`);
    throw refusal({ code: 'public_sessions_off', action: 'contact_merchant' });
  };
};

describe('an element that has no client secret yet', () => {
  let console: ReturnType<typeof listenToConsole>;
  beforeEach(() => {
    console = listenToConsole();
  });
  afterEach(async () => {
    console.stop();
    await cleanUp();
  });

  it('waits for it without a word, and asks for a public session once', async () => {
    const { element, backend, log } = await mount({}, noPublicSessions);
    element.dispatchEvent(new Event('pointerenter'));
    await waitUntil(() => backend.calls.length === 1, 'a public session to be asked for');
    for (let i = 0; i < 5; i++) element.dispatchEvent(new Event('pointerenter'));
    await aTimeout(50);
    expect(element.status).to.equal('loading');
    expect(element.error).to.equal(null);
    expect(spoken(element)).to.equal('');
    expect(log).to.be.empty;
    expect(backend.calls).to.have.length(1);
    element.clientSecret = 'ses_1_secret_late';
    await reach(element, 'ready');
    expect(log).to.be.empty;
    expect(console.lines).to.be.empty;
  });

  it('waits for a function as well', async () => {
    const { element } = await mount({}, noPublicSessions);
    await aTimeout(50);
    element.fetchClientSecret = async () => 'ses_1_secret_late';
    await reach(element, 'ready');
  });

  it('without a session a customer who presses sees an error, and the console shows what to do; with one the element goes on', async () => {
    const { element, log } = await mount({}, noPublicSessions);
    await aTimeout(50);
    press(element);
    await reach(element, 'error');
    expect(element.error?.code).to.equal('public_sessions_off');
    expect(log).to.deep.equal(['fbc-open loading', 'fbc-error error']);
    expect(console.lines.join()).to.match(/public_sessions_off.*client-secret/);
    element.clientSecret = 'ses_1_secret_late';
    await reach(element, 'ready');
    expect(part(element, 'label').textContent).to.contain('Connect your bank');
  });

  for (const [kind, late] of [
    ['a client secret', { clientSecret: 'ses_1_secret_late' }],
    ['the function for one', { fetchClientSecret: async () => 'ses_1_secret_late' }],
  ] as const) {
    it(`keeps a press until ${kind} comes, and then opens Link for it, once`, async () => {
      const { element, backend, link, log } = await mount({}, noPublicSessions);
      press(element);
      await waitUntil(() => backend.calls.length > 0, 'a public session to be asked for');
      await element.updateComplete;
      expect(part(element, 'label').textContent).to.contain('Opening');
      Object.assign(element, late);
      await reach(element, 'open');
      expect(backend.calls.at(-1)).to.equal('createLinkToken ses_1_secret_late');
      expect(log).to.deep.equal(['fbc-open loading']);
      link.exit();
      await reach(element, 'ready');
      expect(link.handlers.filter(({ opened }) => opened > 0)).to.have.length(1);
      expect(console.lines).to.be.empty;
    });
  }

  it('keeps no press that the page has taken back by disabling the element', async () => {
    const { element, backend } = await mount({}, noPublicSessions);
    press(element);
    await waitUntil(() => backend.calls.length > 0, 'a public session to be asked for');
    Object.assign(element, { disabled: true, clientSecret: 'ses_1_secret_late' });
    element.dispatchEvent(new Event('pointerenter'));
    await reach(element, 'ready');
    expect(part(element, 'label').textContent).to.contain('Connect your bank');
  });

  it('keeps a press while a public session is being made for it, when the page sets another', async () => {
    const { element, backend } = await mount({}, (server) => {
      server.hold = new Promise(() => {});
    });
    press(element);
    await waitUntil(() => backend.calls.some((call) => call.startsWith('createLinkToken')));
    backend.hold = null;
    element.clientSecret = 'ses_1_secret_late';
    await reach(element, 'open');
    expect(backend.calls.at(-1)).to.equal('createLinkToken ses_1_secret_late');
  });
});

describe('an element that is on the page before its definition', () => {
  afterEach(cleanUp);

  it('the element keeps the properties that were set before it was defined', async () => {
    const backend = new Backend();
    const { element: original, link } = await mount();
    const box = original.parentElement as HTMLElement;
    // As a parser makes it where the tag is not defined: an element of another document has no definition.
    const other = document.implementation.createHTMLDocument();
    const element = other.createElement('finix-bank-connect') as FinixBankConnect;
    const fetchClientSecret = async () => 'ses_1_secret_before';
    Object.assign(element, { backend, fetchClientSecret, required: true });
    expect(Object.hasOwn(element, 'fetchClientSecret')).to.equal(true);
    box.append(element);
    customElements.upgrade(element);
    expect(Object.hasOwn(element, 'fetchClientSecret')).to.equal(false);
    await reach(element, 'ready');
    expect(element.hasAttribute('required')).to.equal(true);
    expect(backend.calls).to.deep.equal(['createLinkToken ses_1_secret_before']);
    expect(link.handlers.length).to.be.at.least(1);
  });
});

describe('the status attribute', () => {
  const { requestIdleCallback: idle } = globalThis;
  let rest: (() => void)[] = [];
  beforeEach(() => {
    rest = [];
    globalThis.requestIdleCallback = ((act: () => void) => rest.push(act)) as typeof requestIdleCallback;
  });
  afterEach(async () => {
    globalThis.requestIdleCallback = idle;
    await cleanUp();
  });

  /** As a parser and a later definition make it: already in the page when it becomes an element of ours. */
  async function upgraded(properties: Partial<FinixBankConnect> = {}) {
    const { element: other, backend, link } = await mount();
    const element = document.implementation.createHTMLDocument().createElement('finix-bank-connect');
    Object.assign(element, { backend, ...properties });
    const seen: (string | null)[] = [];
    for (const name of EVENTS) element.addEventListener(name, () => seen.push(element.getAttribute('status')));
    other.replaceWith(element);
    customElements.upgrade(element);
    await element.updateComplete;
    return { element, link, seen };
  }

  it('of a tag that was in the page is not written before the page comes to rest, so that hydration finds it as it was', async () => {
    const { element } = await upgraded();
    expect([...element.attributes]).to.be.empty;
    expect(element.matches(':state(loading)')).to.equal(true);
    for (const act of rest.splice(0)) act();
    expect(element.getAttribute('status')).to.equal(element.status);
    await reach(element, 'ready');
    expect(element.getAttribute('status')).to.equal('ready');
  });

  it('is written at once when something happens that the customer sees', async () => {
    const { element, seen } = await upgraded({ fetchClientSecret: () => Promise.reject(new Error('500')) });
    await reach(element, 'error');
    expect(element.getAttribute('status')).to.equal('error');
    expect(seen).to.deep.equal(['error']);
  });

  it('of a tag that a script has made is there at once', async () => {
    const { element } = await mount();
    await element.updateComplete;
    expect(element.getAttribute('status')).to.equal('loading');
  });
});
