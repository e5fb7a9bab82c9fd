import { expect } from '@open-wc/testing';
import { listenToConsole } from '../helpers/console.ts';
import { cleanUp, mount, part, press, reach, textOf } from '../helpers/element.ts';
import { refusal } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

describe('when something goes wrong', () => {
  afterEach(cleanUp);

  it('an error shows that a bank is down, and opens Link at once for another', async () => {
    const { element, link, details } = await mount();
    await reach(element, 'ready');
    press(element);
    link.exit('INSTITUTION_DOWN', null, 'INSTITUTION_ERROR');
    await reach(element, 'error');
    expect(element.error?.code).to.equal('bank_unavailable');
    expect(details.at(-1)).to.deep.equal({ error: element.error });
    expect(part(element, 'error').textContent).to.equal(element.error?.message);
    await waitUntil(() => link.handlers.length === 2);
    part(element, 'retry').click();
    expect(link.last.opened).to.equal(1);
  });

  it('offers to send the same public token again when the network failed', async () => {
    const { element, link, backend } = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'network_failed', action: 'retry', retryable: true })),
    );
    await reach(element, 'ready');
    press(element);
    link.succeed();
    await reach(element, 'error');
    part(element, 'retry').click();
    await reach(element, 'connected');
    expect(backend.completed.map(({ input }) => input.public_token)).to.deep.equal([
      'public-sandbox-1',
      'public-sandbox-1',
    ]);
  });

  it('opens Link by itself after another try that the customer pressed for, unless the page prevents it', async () => {
    for (const prevented of [false, true]) {
      const { element, link, log } = await mount({}, ({ linkTokenErrors }) =>
        linkTokenErrors.push(refusal({ code: 'script_blocked', action: 'retry', retryable: true })),
      );
      if (prevented) element.addEventListener('fbc-open', (event) => event.preventDefault());
      await reach(element, 'blocked');
      part(element, 'retry').click();
      expect(log.at(-1)).to.equal('fbc-open blocked');
      if (prevented) {
        expect(element.status).to.equal('blocked');
      } else {
        await reach(element, 'open');
        expect(link.last.opened).to.equal(1);
        link.exit();
      }
    }
  });

  it('goes on by itself when the page is seen again, which may have slept when the network came back', async () => {
    const { element, backend } = await mount({}, ({ linkTokenErrors }) =>
      linkTokenErrors.push(refusal({ code: 'network_failed', action: 'retry', retryable: true })),
    );
    await reach(element, 'error');
    dispatchEvent(new Event('pageshow'));
    await reach(element, 'ready');
    expect(backend.tokens).to.equal(1);
  });

  it('goes on by itself when the network is back', async () => {
    const { element } = await mount({}, ({ linkTokenErrors }) =>
      linkTokenErrors.push(refusal({ code: 'offline', action: 'retry', retryable: true })),
    );
    await reach(element, 'error');
    globalThis.dispatchEvent(new Event('online'));
    await reach(element, 'ready');
  });

  it('an error shows that the merchant’s own function failed, also when it throws at once', async () => {
    for (const fetchClientSecret of [
      () => Promise.reject(new Error('500')),
      () => {
        throw new Error('not signed in');
      },
    ]) {
      const { element } = await mount({ fetchClientSecret });
      await reach(element, 'error');
      expect(element.error).to.include({ code: 'client_secret_unavailable', action: 'retry' });
    }
  });

  for (const message of [
    'the page forbids it',
    'Cannot import this module',
    'chunk, fetch and preload',
    'Failed to fetch',
  ]) {
    it(`reports an exception while it is set up as its own, with the cause on the console: ${message}`, async () => {
      const console = listenToConsole();
      const cause = new TypeError(message);
      const { element, backend } = await mount();
      element.remove();
      const other = document.createElement('finix-bank-connect');
      other.backend = backend;
      backend.calls.length = 0;
      document.body.append(other);
      await other.updateComplete;
      Object.defineProperty(other.shadowRoot, 'adoptedStyleSheets', {
        get: () => [],
        set() {
          throw cause;
        },
      });
      other.dispatchEvent(new Event('pointerenter'));
      await reach(other, 'error');
      console.stop();
      expect(other.error).to.include({ code: 'internal_error', action: 'contact_merchant', retryable: false });
      expect(console.causes).to.include(cause);
      expect(backend.calls).to.be.empty;
      // Nothing can be pressed, so nothing asks the customer to try again.
      expect(textOf(other))
        .to.contain(other.error?.message)
        .and.not.to.match(/try again/i);
      expect(other.shadowRoot?.querySelector('button')).to.equal(null);
      other.remove();
    });
  }

  it('an error shows what is missing when the element has no endpoint', async () => {
    const { element } = await mount({ backend: null });
    await reach(element, 'error');
    expect(element.error?.code).to.equal('endpoint_missing');
    expect(element.error?.action).to.equal('contact_merchant');
  });
});
