import { aTimeout, expect } from '@open-wc/testing';
import { cleanUp, connect, linkNamed, mount, mountFarAway, part, press, reach, spoken } from '../helpers/element.ts';
import type { SimulatedLink } from '../helpers/simulated-link.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** Whether the page is in front; the browser decides differently when several test pages are open. */
function seen(visible: boolean): void {
  Object.defineProperty(document, 'hidden', { configurable: true, value: !visible });
}

describe('on a page that changes', () => {
  afterEach(async () => {
    Reflect.deleteProperty(document, 'hidden');
    await cleanUp();
  });

  it('prepares nothing until the customer comes near', async () => {
    const { element, backend } = await mountFarAway();
    expect(backend.calls).to.be.empty;
    expect(element.status).to.equal('loading');
    element.dispatchEvent(new Event('pointerenter'));
    await reach(element, 'ready');
  });

  it('keeps Link open when it is moved', async () => {
    const { element, link } = await mount();
    await reach(element, 'ready');
    press(element);
    document.body.append(element);
    await aTimeout(0);
    expect(element.status).to.equal('open');
    expect(link.last.destroyed).to.equal(false);
    link.succeed();
    await reach(element, 'connected');
    element.remove();
  });

  it('takes Link off the page when it is removed, and works again when it comes back', async () => {
    const { element, link } = await mount();
    await reach(element, 'ready');
    const parent = element.parentElement as HTMLElement;
    press(element);
    element.remove();
    await waitUntil(() => link.last.destroyed);
    parent.append(element);
    await reach(element, 'ready');
    press(element);
    expect(link.last.opened).to.equal(1);
    expect(link.alive).to.equal(1);
  });

  it('shows one Link at a time when there are two elements', async () => {
    const one = await mount({ name: 'one' });
    await reach(one.element, 'ready');
    const two = await mount({ name: 'two' });
    await reach(two.element, 'ready');
    press(one.element);
    press(two.element);
    expect(two.log).to.be.empty;
    expect(one.element.status).to.equal('open');
    expect(two.element.status).to.equal('ready');
    expect(two.link.last.opened).to.equal(0);
    one.link.exit();
    press(two.element);
    expect(two.element.status).to.equal('open');
    two.link.succeed();
    await reach(two.element, 'connected');
    expect(one.element.status).to.equal('ready');
  });

  it('gives the page its scrolling back as it was', async () => {
    document.body.style.overflow = 'clip';
    const mounted = await mount();
    await reach(mounted.element, 'ready');
    press(mounted.element);
    expect(document.body.style.overflow).to.equal('hidden');
    mounted.link.exit();
    await waitUntil(() => document.body.style.overflow === 'clip');
  });

  it('gives the focus back to its button after Link', async () => {
    const { element, link } = await mount();
    await reach(element, 'ready');
    press(element);
    await element.updateComplete;
    (document.activeElement as HTMLElement | null)?.blur();
    link.exit();
    await element.updateComplete;
    expect(element.shadowRoot?.activeElement).to.equal(part(element, 'button'));
  });

  it('a link token is replaced before it runs out, while the page is visible', async () => {
    seen(true);
    const { element, backend, link } = await mount({}, (server) => {
      server.tokenLife = 200;
    });
    await reach(element, 'ready');
    await waitUntil(() => backend.tokens >= 2 && link.handlers[0]?.destroyed);
    expect(link.alive).to.be.at.most(1);
  });

  it('replaces a link token also when the clock is a moment behind the timer', async () => {
    seen(true);
    const { now } = Date;
    try {
      const { element, backend } = await mount({}, (server) => {
        server.tokenLife = 200;
      });
      await reach(element, 'ready');
      const stopped = now();
      Date.now = () => stopped;
      await waitUntil(() => backend.tokens >= 2);
    } finally {
      Date.now = now;
    }
  });

  it('a hidden page sends no request, and asks for a token when it is visible again', async () => {
    seen(false);
    const { element, backend } = await mount({}, (server) => {
      server.tokenLife = 100;
    });
    element.dispatchEvent(new Event('pointerenter'));
    await reach(element, 'ready');
    await aTimeout(200);
    expect(backend.tokens).to.equal(1);
    backend.tokenLife = 60_000;
    seen(true);
    document.dispatchEvent(new Event('visibilitychange'));
    await waitUntil(() => backend.tokens === 2);
  });

  it('does not open Link with a token that ran out while the page slept', async () => {
    const { element, backend, link } = await mount();
    await reach(element, 'ready');
    const { now } = Date;
    try {
      Date.now = () => now() + 4 * 3_600_000;
      press(element);
      expect(link.last.opened).to.equal(0);
      await waitUntil(() => backend.tokens === 2 && link.last.opened === 1);
    } finally {
      Date.now = now;
    }
  });

  it('leaves nothing behind after a hundred elements', async () => {
    const { element, backend } = await mount();
    await reach(element, 'ready');
    const link = globalThis.Plaid as SimulatedLink;
    const parent = element.parentElement as HTMLElement;
    for (let i = 0; i < 100; i++) {
      const another = document.createElement('finix-bank-connect');
      another.backend = backend;
      parent.append(another);
      if (i % 10 === 0) await reach(another, 'ready');
      another.remove();
    }
    await waitUntil(() => link.alive === 1);
  });

  it('Link is prepared in another language when the page speaks one, also one that it left in between', async () => {
    const { element, backend, link } = await mount({ lang: 'de' });
    await reach(element, 'ready');
    element.lang = 'fr';
    await waitUntil(() => backend.tokens === 2 && element.status === 'ready');
    press(element);
    element.lang = 'es';
    await element.updateComplete;
    expect(element.status).to.equal('open');
    expect(link.last.destroyed).to.equal(false);
    link.exit();
    await waitUntil(() => backend.tokens === 3 && element.status === 'ready');
    expect(backend.linkTokenInputs.map(({ language }) => language)).to.deep.equal(['de', 'fr', 'es']);
    await waitUntil(() => link.alive === 1);
  });

  it('does not open a Link that is still being prepared in the language of before', async () => {
    let release = () => {};
    const { element, backend, link } = await mount({ lang: 'de' }, (server) => {
      server.hold = new Promise((resolve) => {
        release = resolve;
      });
    });
    await waitUntil(() => backend.linkTokenInputs.length === 1);
    press(element);
    element.lang = 'fr';
    await waitUntil(() => backend.linkTokenInputs.length === 2);
    release();
    await reach(element, 'open');
    expect(link.handlers.map(({ config }) => config.token)).to.deep.equal(['link-sandbox-2']);
    expect(link.last.opened).to.equal(1);
  });

  it('is ready again after a reset while its session has no bank', async () => {
    const { element, link } = await mount({ clientSecret: 'ses_1_secret_a' });
    await reach(element, 'ready');
    press(element);
    element.reset();
    await reach(element, 'ready');
    press(element);
    expect(element.status).to.equal('open');
    expect(link.last.opened).to.equal(1);
  });

  it('prepares Link again when its token has run out while it was open', async () => {
    const { now } = Date;
    const { element, backend, link } = await mount();
    await reach(element, 'ready');
    press(element);
    Date.now = () => now() + 5 * 3_600_000;
    link.exit();
    Date.now = now;
    await waitUntil(() => backend.tokens === 2);
    await reach(element, 'ready');
    press(element);
    expect(element.status).to.equal('open');
    expect(link.last.config.token).to.equal('link-sandbox-2');
  });

  it('sends nothing for what a listener of an event has given up', async () => {
    const { element, backend, link } = await mount();
    await reach(element, 'ready');
    element.addEventListener('fbc-step', ({ detail }) => detail.step === 'connecting' && element.reset());
    press(element);
    link.succeed();
    await reach(element, 'ready');
    expect(backend.completed).to.be.empty;
  });

  it('after a reset the element asks for another session where it has none, and goes on with one', async () => {
    const mounted = await mount({ clientSecret: 'ses_1_secret_a' });
    await connect(mounted);
    const { element, log, backend } = mounted;
    element.reset();
    await reach(element, 'error');
    expect(element.value).to.equal(null);
    expect(element.error?.code).to.equal('session_already_completed');
    expect(log.at(-1)).to.equal('fbc-error error');
    expect(spoken(element)).to.equal('To use a different account, contact Acme.');
    element.dispatchEvent(new Event('pointerenter'));
    expect(element.shadowRoot?.querySelector('button')).to.equal(null);
    element.open();
    expect(element.status).to.equal('error');
    element.clientSecret = 'ses_2_secret_b';
    await reach(element, 'ready');
    expect(backend.calls.at(-1)).to.equal('createLinkToken ses_2_secret_b');
    expect(log.filter((entry) => entry.startsWith('fbc-error'))).to.have.length(1);
  });

  it('is ready for another bank after Remove where it can have another session', async () => {
    const mounted = await mount();
    await connect(mounted);
    linkNamed(mounted.element, 'Remove').click();
    await reach(mounted.element, 'ready');
    expect(mounted.backend.publicSessions).to.equal(2);
  });

  it('starts over with another client secret', async () => {
    const mounted = await mount({ clientSecret: 'ses_1_secret_a' });
    await connect(mounted);
    mounted.element.clientSecret = 'ses_2_secret_b';
    await mounted.element.updateComplete;
    expect(mounted.element.value).to.equal(null);
    await reach(mounted.element, 'ready');
    expect(mounted.backend.calls).to.include('getSession ses_2_secret_b');
  });
});
