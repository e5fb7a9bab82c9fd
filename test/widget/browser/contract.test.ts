import { aTimeout, expect } from '@open-wc/testing';
import {
  FbcCanceledEvent,
  FbcConnectedEvent,
  FbcErrorEvent,
  FbcNeedsRepairEvent,
  FbcOpenEvent,
  FbcPendingEvent,
  FbcStepEvent,
} from '../../../widget/index.ts';
import { createHttpBackend } from '../../../widget/session/backend.ts';
import { cleanUp, connect, EVENTS, linkNamed, mount, part, press, reach } from '../helpers/element.ts';
import { refusal, type SimulatedBackend, session } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const CLASSES = {
  'fbc-open': FbcOpenEvent,
  'fbc-step': FbcStepEvent,
  'fbc-connected': FbcConnectedEvent,
  'fbc-pending': FbcPendingEvent,
  'fbc-needs-repair': FbcNeedsRepairEvent,
  'fbc-canceled': FbcCanceledEvent,
  'fbc-error': FbcErrorEvent,
} as const;

/** Questions that the server has after Link. */
const QUESTIONS = {
  choosing: refusal({
    code: 'account_selection_required',
    action: 'choose_account',
    accounts: ['a', 'b'].map((id) => ({ id, name: id, mask: id, subtype: 'checking' })),
  }),
  authorizing: refusal({
    code: 'authorization_required',
    action: 'retry',
    authorization: { text: 'Acme may debit your account.', version: '1', text_sha256: 'ab'.repeat(32) },
  }),
};

describe('the element keeps what its page relies on:', () => {
  const listening = new Map<string, (event: Event) => void>();
  const styles: HTMLStyleElement[] = [];
  afterEach(async () => {
    for (const [name, expectEvent] of listening) document.removeEventListener(name, expectEvent);
    for (const style of styles.splice(0)) style.remove();
    await cleanUp();
  });

  it('every event crosses shadow roots, bubbles, and is an instance of its class', async () => {
    const seen = new Set<string>();
    for (const name of EVENTS) {
      const expectEvent = (event: Event) => {
        expect(event, name).to.be.instanceOf(CLASSES[name]);
        expect([event.bubbles, event.composed, event.cancelable], name).to.deep.equal([
          true,
          true,
          name === 'fbc-open',
        ]);
        seen.add(name);
      };
      listening.set(name, expectEvent);
      document.addEventListener(name, expectEvent);
    }
    const inShadow = () => {
      const host = document.createElement('div');
      const inner = document.createElement('div');
      host.attachShadow({ mode: 'closed' }).append(inner);
      document.body.append(host);
      return inner;
    };
    const outcomes: [Parameters<typeof connect>[1], (backend: SimulatedBackend) => void][] = [
      ['connected', () => {}],
      [
        'pending_verification',
        ({ completeAnswers }) => completeAnswers.push(session('completed', ['pending_verification'])),
      ],
      ['needs_repair', ({ completeAnswers }) => completeAnswers.push(session('completed', ['needs_repair']))],
      [
        'error',
        ({ completeAnswers }) => completeAnswers.push(refusal({ code: 'verification_failed', action: 'restart' })),
      ],
    ];
    for (const [status, prepare] of outcomes) {
      const inner = inShadow();
      const mounted = await mount({}, prepare, document.createElement('div'));
      inner.append(mounted.element);
      await reach(mounted.element, 'ready');
      press(mounted.element);
      mounted.link.exit();
      await connect(mounted, status);
      (inner.getRootNode() as ShadowRoot).host.remove();
    }
    expect([...seen].sort()).to.deep.equal([...EVENTS].sort());
  });

  it('a page can style every part', async () => {
    const names = 'base button label spinner status account bank-name mask error retry legal'.split(' ');
    const style = document.createElement('style');
    style.textContent = names.map((name) => `finix-bank-connect::part(${name}) { --reached-${name}: yes; }`).join('\n');
    document.head.append(style);
    styles.push(style);
    const seen = new Set<string>();
    const { element, link, backend } = await mount();
    const look = async () => {
      await element.updateComplete;
      for (const name of names) {
        const one = element.shadowRoot?.querySelector(`[part~="${name}"]`);
        if (one && getComputedStyle(one).getPropertyValue(`--reached-${name}`).trim() === 'yes') seen.add(name);
      }
    };
    await reach(element, 'ready');
    await look();
    press(element);
    await look();
    link.exit();
    await look();
    backend.completeAnswers.push(refusal({ code: 'verification_failed', action: 'restart' }));
    press(element);
    link.succeed();
    await reach(element, 'error');
    await look();
    await waitUntil(() => link.handlers.length === 2);
    press(element);
    link.succeed();
    await reach(element, 'connected');
    await look();
    expect([...seen].sort()).to.deep.equal([...names].sort());
  });

  for (const how of ['Change', 'Remove']) {
    it(`"${how}" deletes nothing on the server`, async () => {
      const requests: string[] = [];
      const answers: Record<string, () => object> = {
        'link-token': () => ({
          link_token: `link-sandbox-${requests.length}`,
          expires_at: new Date(Date.now() + 4 * 3_600_000).toISOString(),
        }),
        complete: () => session('completed', ['active']),
        sessions: () => ({ ...session('open'), client_secret: 'ses_1_secret_a' }),
      };
      const answer = async (address: RequestInfo | URL, init?: RequestInit) => {
        const { pathname } = new URL(String(address));
        requests.push(`${init?.method ?? 'GET'} ${pathname}`);
        const found = answers[pathname.split('/').at(-1) ?? ''];
        return found ? Response.json(found()) : new Response(null, { status: 404 });
      };
      const backend = createHttpBackend('https://connect.example', { fetch: answer as typeof fetch });
      const mounted = await mount({ backend });
      await connect(mounted);
      requests.length = 0;
      linkNamed(mounted.element, how).click();
      await reach(mounted.element, how === 'Change' ? 'open' : 'ready');
      expect(mounted.element.value).to.equal(null);
      expect(requests).to.deep.equal(['POST /v1/sessions', 'POST /v1/sessions/ses_1/link-token']);
    });
  }

  for (const [phase, question] of Object.entries(QUESTIONS)) {
    it(`a question (${phase}) goes on when the element is taken off its page and put back later`, async () => {
      const mounted = await mount({}, ({ completeAnswers }) => completeAnswers.push(question));
      const { element, link, backend } = mounted;
      const dialog = () => element.shadowRoot?.querySelector('dialog');
      await reach(element, 'ready');
      press(element);
      link.succeed();
      await waitUntil(() => dialog()?.open);
      const parent = element.parentElement as HTMLElement;
      element.remove();
      await aTimeout(0);
      await element.updateComplete;
      expect(dialog()?.open).to.equal(false);
      parent.append(element);
      await waitUntil(() => dialog()?.open);
      if (phase === 'choosing') element.shadowRoot?.querySelector<HTMLInputElement>('input[value="b"]')?.click();
      linkNamed(element, phase === 'choosing' ? 'Use this account' : 'Agree and continue').click();
      await reach(element, 'connected');
      expect(backend.completed.map(({ input }) => input.public_token)).to.deep.equal([
        'public-sandbox-1',
        'public-sandbox-1',
      ]);
      expect(part(element, 'account')).to.be.instanceOf(HTMLElement);
    });
  }
});
