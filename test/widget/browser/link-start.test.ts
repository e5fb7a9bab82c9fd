import { aTimeout, expect } from '@open-wc/testing';
import type { PlaidLinkConfig } from '../../../widget/link/plaid-link.types.ts';
import { listenToConsole } from '../helpers/console.ts';
import { cleanUp, mount, press, reach } from '../helpers/element.ts';
import { SimulatedLink } from '../helpers/simulated-link.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const EXIT = {
  status: 'requires_credentials',
  request_id: 'm8MDnv9okwxFNBV',
  link_session_id: '79e772be-547d-4c9c-8b76-4ac4ed4c441a',
  institution: { institution_id: 'ins_56', name: 'Chase' },
};
const TRACE = {
  requestId: EXIT.request_id,
  linkSessionId: EXIT.link_session_id,
  institution: { id: 'ins_56', name: 'Chase' },
};
const NOWHERE = { status: null, request_id: '', link_session_id: '', institution: null };

/** Link that reports an error while it begins, for as many of its handlers as given. */
class FailingLink extends SimulatedLink {
  failures = Number.POSITIVE_INFINITY;
  code = 'INVALID_LINK_TOKEN';
  /** Within the call that creates it, or later. */
  when: 'at once' | 'soon' = 'soon';

  static override install(settings: Partial<Pick<FailingLink, 'failures' | 'code' | 'when'>> = {}): FailingLink {
    const link = Object.assign(new FailingLink(), settings);
    globalThis.Plaid = link;
    return link;
  }

  override create(config: PlaidLinkConfig) {
    const handler = super.create(config);
    if (this.handlers.length <= this.failures) {
      const fail = () => config.onExit({ error_type: 'INVALID_INPUT', error_code: this.code }, NOWHERE);
      if (this.when === 'at once') fail();
      else setTimeout(fail, 10);
    }
    return handler;
  }
}

describe('a Link that can not begin', () => {
  let console: ReturnType<typeof listenToConsole>;
  beforeEach(() => {
    console = listenToConsole();
  });
  afterEach(async () => {
    console.stop();
    await cleanUp();
  });

  for (const when of ['at once', 'soon'] as const) {
    it(`is created again with another link token, and works (${when})`, async () => {
      const link = FailingLink.install({ failures: 1, when });
      const { element, backend, log } = await mount({}, undefined, undefined, link);
      await waitUntil(() => link.handlers.length === 2);
      await reach(element, 'ready');
      expect(backend.tokens).to.equal(2);
      expect(link.alive).to.equal(1);
      press(element);
      expect(link.last.opened).to.equal(1);
      link.succeed();
      await reach(element, 'connected');
      expect(log.filter((entry) => entry.startsWith('fbc-error'))).to.be.empty;
    });

    it(`is created twice at most before the customer presses, and twice for each press (${when})`, async () => {
      const link = FailingLink.install({ when });
      const { element, log } = await mount({}, undefined, undefined, link);
      await waitUntil(() => link.handlers.length === 2);
      await aTimeout(100);
      element.dispatchEvent(new Event('pointerenter'));
      await aTimeout(50);
      expect(link.handlers).to.have.length(2);
      expect(element.status).to.equal('loading');
      expect(log).to.be.empty;
      press(element);
      await reach(element, 'error');
      expect(element.error).to.include({ code: 'link_failed', action: 'restart' });
      await aTimeout(100);
      expect(link.handlers.length).to.be.at.most(6);
      expect(link.alive).to.equal(0);
      link.failures = 0;
      press(element);
      await reach(element, 'open');
    });
  }

  it('the error names the reason where another token can not help', async () => {
    const link = FailingLink.install({ code: 'INVALID_PRODUCT' });
    const { element } = await mount({}, undefined, undefined, link);
    press(element);
    await reach(element, 'error');
    expect(element.error).to.include({ code: 'provider_misconfigured' });
  });

  it('in embedded mode is prepared again where its token is the reason', async () => {
    const { element, link } = await mount({ mode: 'embedded' });
    await reach(element, 'ready');
    link.searches[0]?.config.onExit({ error_type: 'INVALID_INPUT', error_code: 'INVALID_LINK_TOKEN' }, NOWHERE);
    await waitUntil(() => link.searches.length === 2);
    await reach(element, 'ready');
    expect(link.searches[1]?.destroyed).to.equal(false);
  });

  for (const code of [7, {}, ['ITEM_LOCKED', 'x'], true]) {
    it(`ends with a code that is no text: ${JSON.stringify(code)}`, async () => {
      const { element, link, log } = await mount();
      await reach(element, 'ready');
      press(element);
      link.last.config.onExit({ error_type: 5, error_code: code } as never, NOWHERE);
      await reach(element, 'error');
      expect(element.error).to.include({ code: 'link_failed', action: 'restart' });
      expect(log.at(-1)).to.equal('fbc-error error');
      press(element);
      await reach(element, 'open');
    });
  }

  for (const metadata of [
    { accounts: {} },
    { accounts: [null] },
    { accounts: [{ id: 'acc_1', name: 7 }] },
    { accounts: 'acc_1', institution: 'Chase' },
    { institution: { institution_id: 3, name: {} } },
  ]) {
    it(`that gives odd facts with a bank does not lose the bank: ${JSON.stringify(metadata)}`, async () => {
      const { element, link, backend } = await mount();
      await reach(element, 'ready');
      press(element);
      link.succeed('public-odd', metadata as never);
      await reach(element, 'connected');
      expect(backend.completed).to.have.length(1);
      expect(backend.completed[0]?.input).to.deep.include({ public_token: 'public-odd', accounts: [] });
    });
  }

  it('a Link script that throws is shown to the customer, and its cause in the console', async () => {
    const { element, link } = await mount();
    await reach(element, 'ready');
    const cause = new Error('Link is broken');
    link.last.open = () => {
      throw cause;
    };
    press(element);
    await reach(element, 'error');
    expect(element.error?.code).to.equal('link_failed');
    expect(console.causes).to.include(cause);
  });
});

describe('a Link that never opens', () => {
  const { setTimeout: wait } = globalThis;
  let console: ReturnType<typeof listenToConsole>;
  /** As long as the element waits for a sign, and no longer. */
  beforeEach(() => {
    console = listenToConsole();
    globalThis.setTimeout = ((act: () => void, delay = 0, ...more: unknown[]) =>
      wait(act, delay === 15_000 ? 50 : delay, ...more)) as typeof setTimeout;
  });
  afterEach(async () => {
    console.stop();
    globalThis.setTimeout = wait;
    await cleanUp();
  });

  it('is left, with another window as the way out', async () => {
    const { element, link, log } = await mount({}, (backend) => {
      const { createLinkToken } = backend;
      backend.createLinkToken = async (secret, input) => ({
        ...(await createLinkToken.call(backend, secret, input)),
        ...(input.mode === 'hosted' ? { hosted_link_url: 'https://hosted.example/link' } : {}),
      });
    });
    await reach(element, 'ready');
    press(element);
    await reach(element, 'blocked');
    expect(log.at(-1)).to.equal('fbc-error blocked');
    expect(link.last.destroyed).to.equal(true);
    await waitUntil(() => element.shadowRoot?.querySelector('.links'));
  });

  for (const [sign, give] of [
    ['reports that it is open', (config) => config.onEvent('OPEN', null)],
    ['reports a step', (config) => config.onEvent('TRANSITION_VIEW', { view_name: 'CONSENT' })],
  ] as [string, (config: PlaidLinkConfig) => void][]) {
    it(`is not one that ${sign}, also after another press`, async () => {
      const { element, link } = await mount();
      await reach(element, 'ready');
      press(element);
      give(link.last.config);
      press(element);
      await aTimeout(150);
      expect(element.status).to.equal('open');
      expect(link.last.destroyed).to.equal(false);
    });
  }

  it('a Link that has the focus counts as opened', async () => {
    const { element } = await mount();
    await reach(element, 'ready');
    const frame = document.createElement('iframe');
    frame.title = 'Link';
    document.body.append(frame);
    press(element);
    frame.focus();
    await aTimeout(150);
    expect(element.status).to.equal('open');
    frame.remove();
  });
});

describe('the end of Link', () => {
  afterEach(cleanUp);

  it('has Plaid’s ids in fbc-canceled, and in the report to the server', async () => {
    const { element, link, details, backend } = await mount();
    await reach(element, 'ready');
    press(element);
    link.last.config.onExit(null, EXIT);
    await reach(element, 'ready');
    expect(details.at(-1)).to.deep.equal({ step: 'requires_credentials', ...TRACE });
    expect(backend.exits).to.deep.equal([
      {
        link_session_id: EXIT.link_session_id,
        request_id: EXIT.request_id,
        institution_id: 'ins_56',
        status: 'requires_credentials',
        error_code: null,
      },
    ]);
  });

  it('has them in fbc-error, and no token', async () => {
    const { element, link, details, backend } = await mount();
    await reach(element, 'ready');
    press(element);
    link.last.config.onExit({ error_type: 'ITEM_ERROR', error_code: 'ITEM_LOCKED' }, EXIT);
    await reach(element, 'error');
    expect(element.error).to.deep.include({ code: 'bank_login_locked', ...TRACE });
    expect(details.at(-1)).to.deep.equal({ error: element.error });
    expect(JSON.stringify(details)).not.to.match(/link-sandbox|public-sandbox|_secret_/);
    expect(backend.exits[0]?.error_code).to.equal('ITEM_LOCKED');
  });

  it('a report to the server changes nothing where the server can not be reached, or has no route for it', async () => {
    for (const reportExit of [undefined, () => Promise.reject(new Error('gone'))]) {
      const { element, link } = await mount({}, (backend) => Object.assign(backend, { reportExit }));
      await reach(element, 'ready');
      press(element);
      link.last.config.onExit(null, EXIT);
      await reach(element, 'ready');
      element.remove();
    }
  });
});
