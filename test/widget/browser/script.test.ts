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
    const tag = document.createElement('script');
    tag.type = 'text/plain';
    tag.src = LINK_SCRIPT;
    document.body.append(tag);
    const loading = loadPlaid();
    const link = SimulatedLink.install();
    expect(await loading).to.equal(link);
    expect(network.tags).to.be.empty;
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
