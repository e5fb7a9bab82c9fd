import { aTimeout, expect, waitUntil } from '@open-wc/testing';
import { cleanUp, connect, mount, part, press, reach } from '../helpers/element.ts';
import type { SimulatedLink } from '../helpers/simulated-link.ts';

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
    const far = document.createElement('div');
    far.style.paddingTop = '5000px';
    const { element, backend } = await mount({}, undefined, far);
    await element.updateComplete;
    await aTimeout(100);
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

  it('replaces a link token before it runs out, while somebody looks', async () => {
    seen(true);
    const { element, backend, link } = await mount({}, (server) => {
      server.tokenLife = 200;
    });
    await reach(element, 'ready');
    await waitUntil(() => backend.tokens >= 2 && link.handlers[0]?.destroyed);
    expect(link.alive).to.be.at.most(1);
  });

  it('asks for nothing while nobody looks, and for a token when somebody does again', async () => {
    seen(false);
    const { element, backend } = await mount({}, (server) => {
      server.tokenLife = 100;
    });
    element.dispatchEvent(new Event('pointerenter'));
    await reach(element, 'ready');
    await aTimeout(200);
    expect(backend.tokens).to.equal(1);
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
