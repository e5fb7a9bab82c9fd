import { expect } from '@open-wc/testing';
import { listenToConsole } from '../helpers/console.ts';
import { cleanUp, mount, part, reach } from '../helpers/element.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const { fetch } = globalThis;

describe('a value that an attribute can’t have', () => {
  let console: ReturnType<typeof listenToConsole>;
  beforeEach(() => {
    console = listenToConsole();
  });
  afterEach(async () => {
    console.stop();
    globalThis.fetch = fetch;
    await cleanUp();
  });

  // Each value in one test only: a page is warned of it once.
  for (const [properties, text] of [
    [{ mode: 'popup' }, 'mode="popup" is not valid. Use button, embedded or hosted'],
    [{ theme: 'purple' }, 'theme="purple" is not valid. Use dark or light'],
  ] as const) {
    it(`is named on the console, with what it may be, once for several elements: ${JSON.stringify(properties)}`, async () => {
      for (let i = 0; i < 2; i++) {
        const { element } = await mount(properties as object);
        await reach(element, 'ready');
        expect(part(element, 'label').textContent).to.contain('Connect your bank');
      }
      await waitUntil(() => console.lines.length > 0);
      expect(console.lines).to.have.length(1);
      expect(console.lines[0]).to.contain(`finix-bank-connect: ${text}`);
    });
  }

  it('is none of these, and the console stays empty', async () => {
    for (const properties of [
      { mode: 'button', theme: 'dark', endpoint: 'https://pay.example' },
      { mode: null, theme: 'light', endpoint: '/pay' },
      { mode: '', theme: '', endpoint: './pay' },
      { mode: 'hosted', endpoint: 'HTTP://localhost:4000' },
    ]) {
      const { element } = await mount(properties as object, (backend) => {
        backend.hostedLinkUrl = 'https://hosted.example/link';
      });
      await reach(element, 'ready');
      // Had something been wrong, what shows it would have come.
      element.mode = 'embedded';
      await reach(element, 'ready');
    }
    expect(console.lines).to.deep.equal([]);
  });

  for (const [endpoint, answer] of [
    ['localhost:4000', () => Promise.reject(new TypeError('Failed to fetch'))],
    ['pay.example', async () => new Response('<!doctype html>', { status: 404 })],
  ] as const) {
    it(`of the endpoint shows at the first request, with what it may be: ${endpoint}`, async () => {
      globalThis.fetch = answer;
      const { element } = await mount({ backend: null, endpoint, clientSecret: 'ses_1_secret_a' });
      await reach(element, 'error');
      expect(console.lines).to.have.length(1);
      expect(console.lines[0]).to.contain(`endpoint="${endpoint}" is not valid. Use an address with https://`);
    });
  }

  for (const [type, code] of [
    ['a page in place of the server', 'network_failed'],
    ['a server that has no such address', 'not_found'],
  ] as const) {
    it(`of the endpoint shows when ${type} answers`, async () => {
      globalThis.fetch = async () => new Response('<!doctype html>', { status: code === 'not_found' ? 404 : 200 });
      const { element } = await mount({
        backend: null,
        endpoint: 'https://wrong.example',
        clientSecret: 'ses_1_secret_a',
      });
      await reach(element, 'error');
      expect(element.error?.code).to.equal(code);
      expect(console.lines.join()).to.contain(
        `${code}: https://wrong.example answered, but not as the connect server does: check "endpoint"`,
      );
    });
  }

  for (const [given, text] of [
    [async () => undefined, 'fetchClientSecret returned undefined; return the string client_secret'],
    [async () => ({ client_secret: 'ses_1_secret_a' }), 'fetchClientSecret returned an object; return the string'],
    ['ses_1_secret_a', 'fetchClientSecret is a string of another form; set a function'],
  ] as const) {
    it(`of fetchClientSecret shows what came and what is expected: ${text}`, async () => {
      const { element } = await mount({ fetchClientSecret: given as unknown as () => Promise<string> });
      await reach(element, 'error');
      expect(element.error).to.include({ code: 'client_secret_unavailable', action: 'retry' });
      expect(console.lines.join()).to.contain(text);
      expect(console.lines.join()).not.to.contain('ses_1');
    });
  }
});
