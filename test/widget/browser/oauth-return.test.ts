import { aTimeout, expect } from '@open-wc/testing';
import type { FinixBankConnect } from '../../../widget/index.ts';
import type { Leave } from '../../../widget/link/away-store.ts';
import { LINK_SCRIPT } from '../../../widget/link/load-plaid.ts';
import { cleanUp, connect, type Mounted, mount, press, reach, spoken } from '../helpers/element.ts';
import { SimulatedLink } from '../helpers/simulated-link.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const KEY = 'finix-bank-connect:away';
const STATE = '11111111-2222-4333-8444-555555555555';
const home = location.href;

/** The page as a bank has just come back to it. */
function comeBack(state = STATE): string {
  const url = new URL(home);
  url.searchParams.set('oauth_state_id', state);
  history.replaceState({ cart: 1 }, '', url);
  return location.href;
}

/** What an element left with, as it wrote it down itself. */
async function leave(name: string | null = null): Promise<Leave & Record<string, unknown>> {
  const mounted = await mount({ name });
  await reach(mounted.element, 'ready');
  press(mounted.element);
  const entry = sessionStorage.getItem(KEY) ?? '';
  mounted.element.remove();
  // Going away with its page, unlike being taken off it, leaves the entry.
  await aTimeout(0);
  sessionStorage.setItem(KEY, entry);
  return JSON.parse(entry);
}

describe('a page that a bank’s own page takes the place of', () => {
  afterEach(async () => {
    history.replaceState(null, '', home);
    await cleanUp();
  });

  it('writes down what the way back needs when Link opens, and takes it away when Link ends', async () => {
    const mounted = await mount();
    await reach(mounted.element, 'ready');
    expect(sessionStorage.getItem(KEY)).to.equal(null);
    press(mounted.element);
    expect(JSON.parse(sessionStorage.getItem(KEY) ?? '')).to.include({
      linkToken: 'link-sandbox-1',
      clientSecret: 'ses_public1_secret_abc',
    });
    mounted.link.exit();
    expect(sessionStorage.getItem(KEY)).to.equal(null);
    await connect(mounted);
    expect(sessionStorage.getItem(KEY)).to.equal(null);
    expect(JSON.stringify(sessionStorage)).not.to.contain('public-sandbox');
  });

  it('goes on with the same token, session and exact address, and connects', async () => {
    await leave();
    const address = comeBack();
    const mounted = await mount();
    const seen: string[] = [];
    new MutationObserver(() => seen.push(mounted.element.status)).observe(mounted.element, {
      attributeFilter: ['status'],
    });
    await reach(mounted.element, 'open');
    expect(mounted.link.last.config).to.include({ token: 'link-sandbox-1', receivedRedirectUri: address });
    expect(mounted.backend.tokens).to.equal(0);
    mounted.link.succeed();
    await reach(mounted.element, 'connected');
    expect(mounted.backend.completed[0]?.secret).to.equal('ses_public1_secret_abc');
    expect(seen[0]).to.equal('returning');
  });

  it('cleans the address at once, and nothing else of it', async () => {
    await leave();
    comeBack();
    const { element } = await mount();
    await reach(element, 'open');
    expect(location.href).to.equal(home);
    expect(history.state).to.deep.equal({ cart: 1 });
  });

  it('starts afresh after a refresh or a second return', async () => {
    await leave();
    comeBack();
    const first = await mount();
    await reach(first.element, 'open');
    first.element.remove();
    await aTimeout(0);
    comeBack();
    const second = await mount();
    await reach(second.element, 'ready');
    expect(second.link.last.config.receivedRedirectUri).to.equal(undefined);
    expect(second.backend.tokens).to.equal(1);
    expect(location.href).to.equal(home);
  });

  /**
   * As on a slow line: Link's script has not come yet. The browser does not fetch it: a parser has made the tag, in a
   * place where scripts do not run.
   */
  function withoutScript(): () => void {
    const place = document.createElement('div');
    place.innerHTML = `<script src="${LINK_SCRIPT}"></script>`;
    document.body.append(place);
    SimulatedLink.remove();
    return () => place.remove();
  }

  for (const [kind, replace] of [
    ['is replaced', async () => mount()],
    [
      'is put back later',
      async (first: Mounted, parent: Element) => {
        SimulatedLink.install();
        parent.append(first.element);
        return { ...first, link: globalThis.Plaid as SimulatedLink };
      },
    ],
  ] as const) {
    it(`keeps the return when its element ${kind} before Link has gone on`, async () => {
      await leave();
      const address = comeBack();
      const parent = document.createElement('div');
      const mounting = mount({}, undefined, parent);
      const restore = withoutScript();
      const first = await mounting;
      await reach(first.element, 'returning');
      first.element.remove();
      await aTimeout(0);
      expect(location.href).to.equal(address);
      const second = await replace(first, parent);
      await reach(second.element, 'open');
      restore();
      expect(second.link.last.config).to.include({ token: 'link-sandbox-1', receivedRedirectUri: address });
      expect(location.href).to.equal(home);
      expect(sessionStorage.getItem(KEY)).to.equal(null);
    });
  }

  it('goes on in one element only, also where another comes later', async () => {
    await leave();
    comeBack();
    const both = document.createElement('div');
    const mounting = mount({}, undefined, both);
    const restore = withoutScript();
    const first = await mounting;
    await reach(first.element, 'returning');
    both.prepend(document.createElement('finix-bank-connect'));
    const other = both.firstElementChild as FinixBankConnect;
    other.backend = first.backend;
    await other.updateComplete;
    const link = SimulatedLink.install();
    await reach(first.element, 'open');
    await reach(other, 'ready');
    restore();
    expect(link.handlers.filter(({ config }) => config.receivedRedirectUri)).to.have.length(1);
  });

  it('a return in another tab than the one that was left starts over, shows it, and cleans the address', async () => {
    comeBack();
    const both = document.createElement('div');
    const first = await mount({ name: 'first' }, undefined, both);
    await reach(first.element, 'ready');
    expect(first.link.last.config.receivedRedirectUri).to.equal(undefined);
    expect(location.href).to.equal(home);
    expect(history.state).to.deep.equal({ cart: 1 });
    expect(spoken(first.element)).to.contain('different tab or browser');
    const second = await mount({ name: 'second' }, undefined, both);
    await reach(second.element, 'ready');
    expect(spoken(second.element)).to.equal('');
  });

  it('starts afresh when the link token is over', async () => {
    const entry = await leave();
    sessionStorage.setItem(KEY, JSON.stringify({ ...entry, until: Date.now() - 1 }));
    comeBack();
    const { element, link } = await mount();
    await reach(element, 'ready');
    expect(link.last.config.receivedRedirectUri).to.equal(undefined);
    expect(sessionStorage.getItem(KEY)).to.equal(null);
    expect(spoken(element)).to.contain('Connect your bank again');
  });

  it('goes on in the element that was left, where there are several', async () => {
    await leave('second');
    comeBack();
    const both = document.createElement('div');
    both.innerHTML = '<finix-bank-connect name="first"></finix-bank-connect>';
    const second = await mount({ name: 'second' }, undefined, both);
    await reach(second.element, 'open');
    expect(both.querySelector('[name=first]')?.getAttribute('status')).not.to.equal('open');
  });

  const endings: Record<string, (other: FinixBankConnect) => void> = {
    'is removed': (other) => other.remove(),
    'is reset': (other) => other.reset(),
    'gets another language': (other) => {
      other.lang = 'de';
    },
  };
  for (const [ending, act] of Object.entries(endings)) {
    it(`keeps what an open Link needs for its return when another element ${ending}`, async () => {
      const both = document.createElement('div');
      const first = await mount({ name: 'first' }, undefined, both);
      const second = await mount({ name: 'second' }, undefined, both, first.link);
      await reach(first.element, 'ready');
      await reach(second.element, 'ready');
      const before = first.link.alive;
      press(first.element);
      const entry = sessionStorage.getItem(KEY);
      expect(entry).to.contain('"name":"first"');
      act(second.element);
      await waitUntil(() => first.link.alive < before || first.link.handlers.length > before);
      expect(sessionStorage.getItem(KEY)).to.equal(entry);
      first.link.handlers.find(({ opened }) => opened)?.config.onExit(null, {});
      expect(sessionStorage.getItem(KEY)).to.equal(null);
    });
  }

  it('a return that Plaid can’t go on with prepares another Link, and shows it', async () => {
    await leave();
    comeBack();
    const { element, link } = await mount();
    await reach(element, 'open');
    link.exit('OAUTH_STATE_ID_ALREADY_PROCESSED', null, 'OAUTH_ERROR');
    await reach(element, 'ready');
    expect(link.last.config.receivedRedirectUri).to.equal(undefined);
    expect(spoken(element)).to.contain('Connect your bank again');
  });

  it('is where the customer left it', async () => {
    document.body.style.minHeight = '4000px';
    scrollTo(0, 300);
    await leave();
    scrollTo(0, 0);
    comeBack();
    const { element } = await mount();
    await reach(element, 'open');
    expect(scrollY).to.equal(300);
    document.body.style.minHeight = '';
  });

  it('stays where the page or the customer has scrolled in the meantime', async () => {
    document.body.style.minHeight = '4000px';
    scrollTo(0, 300);
    await leave();
    scrollTo(0, 700);
    comeBack();
    const { element } = await mount();
    await reach(element, 'open');
    expect(scrollY).to.equal(700);
    scrollTo(0, 0);
    document.body.style.minHeight = '';
  });

  it('has the focus in the element when Link has ended', async () => {
    await leave();
    comeBack();
    const { element, link } = await mount();
    await reach(element, 'open');
    link.exit();
    await reach(element, 'ready');
    await waitUntil(() => document.activeElement === element);
  });
});
