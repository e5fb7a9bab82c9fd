import { aTimeout, expect, waitUntil } from '@open-wc/testing';
import type { Leave } from '../../../widget/link/away-store.ts';
import { cleanUp, connect, mount, press, reach, spoken } from '../helpers/element.ts';

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
