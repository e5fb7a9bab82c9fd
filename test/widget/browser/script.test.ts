import { expect } from '@open-wc/testing';
import { LINK_SCRIPT, loadPlaid } from '../../../widget/link/load-plaid.ts';
import { SimulatedLink } from '../helpers/simulated-link.ts';

/** Script tags as they are added to the head, kept from the network. */
function intercept() {
  const tags: HTMLScriptElement[] = [];
  const { append } = document.head;
  document.head.append = (...nodes) => {
    for (const node of nodes) {
      if (!(node instanceof HTMLScriptElement)) continue;
      tags.push(node);
      // With another type the browser does not fetch it, and everything else about it is real.
      node.type = 'text/plain';
      append.call(document.head, node);
    }
  };
  return { tags, stop: () => Reflect.deleteProperty(document.head, 'append') };
}

/** A tag of the page's, which the browser does not fetch: a parser has made it, in a place where scripts do not run. */
function putIntoPage(attributes: string): () => void {
  const place = document.createElement('div');
  place.innerHTML = `<script ${attributes} src="${LINK_SCRIPT}"></script>`;
  document.body.append(place);
  return () => place.remove();
}

const present = () => document.querySelectorAll(`script[src="${LINK_SCRIPT}"]`).length;
const codeOf = (error: { code?: string }) => error.code;

describe("the loader of Link's script", () => {
  let network: ReturnType<typeof intercept>;
  beforeEach(() => {
    network = intercept();
  });
  afterEach(() => {
    network.stop();
    SimulatedLink.remove();
    for (const tag of document.querySelectorAll(`script[src="${LINK_SCRIPT}"]`)) tag.remove();
  });

  it('loads it once for all who ask, with the nonce', async () => {
    const all = Promise.all([loadPlaid({ nonce: 'abc' }), loadPlaid({ nonce: 'abc' })]);
    expect(network.tags.map(({ src, nonce }) => [src, nonce])).to.deep.equal([[LINK_SCRIPT, 'abc']]);
    const link = SimulatedLink.install();
    network.tags[0]?.dispatchEvent(new Event('load'));
    expect(await all).to.deep.equal([link, link]);
  });

  it('takes a window.Plaid that is already there', async () => {
    const link = SimulatedLink.install();
    expect(await loadPlaid()).to.equal(link);
    expect(network.tags).to.be.empty;
  });

  it("waits for a tag of the page's own, also when it has fired its load event already", async () => {
    for (const type of ['', 'type', 'type=module', 'type="text/javascript"', 'type="Application/JavaScript"']) {
      const stop = putIntoPage(type);
      const loading = loadPlaid();
      const link = SimulatedLink.install();
      expect(await loading, type).to.equal(link);
      expect(network.tags, type).to.be.empty;
      SimulatedLink.remove();
      stop();
    }
  });

  for (const type of ['text/plain', 'javascript/blocked', 'text/x-consent', 'text/template']) {
    it(`does not wait for a tag that a consent manager keeps from running: ${type}`, async () => {
      const stop = putIntoPage(`type="${type}"`);
      const loading = loadPlaid();
      expect(network.tags).to.have.length(1);
      const link = SimulatedLink.install();
      network.tags[0]?.dispatchEvent(new Event('load'));
      expect(await loading).to.equal(link);
      SimulatedLink.remove();
      const failing = loadPlaid({ timeout: 30 }).catch(codeOf);
      expect(await failing).to.equal('script_blocked');
      // It is the page's.
      expect(document.querySelectorAll(`script[type="${type}"]`).length).to.be.at.least(1);
      stop();
    });
  }

  it('takes the Link of a tag that may run after all', async () => {
    const stop = putIntoPage('type="text/plain"');
    const loading = loadPlaid();
    const link = SimulatedLink.install();
    expect(await loading).to.equal(link);
    stop();
  });

  it('a failed script is forgotten, its tag removed, and the next call tries again', async () => {
    const failing = loadPlaid().catch(codeOf);
    network.tags[0]?.dispatchEvent(new Event('error'));
    expect(await failing).to.equal('script_blocked');
    expect(present()).to.equal(0);
    const retry = loadPlaid();
    expect(present()).to.equal(1);
    const link = SimulatedLink.install();
    network.tags[1]?.dispatchEvent(new Event('load'));
    expect(await retry).to.equal(link);
  });

  it('a script that never loads times out', async () => {
    expect(await loadPlaid({ timeout: 30 }).catch(codeOf)).to.equal('script_blocked');
    expect(present()).to.equal(0);
  });
});
