import { expect, waitUntil } from '@open-wc/testing';
import type { ElementStatus } from '../../../widget/flow-state.ts';
import { violations } from '../helpers/axe.ts';
import { cleanUp, type Mounted, mount, press, reach, spoken } from '../helpers/element.ts';
import { refusal, type SimulatedBackend, session } from '../helpers/simulated-backend.ts';

const never = new Promise<never>(() => {});
const accounts = ['Checking', 'Savings'].map((name) => ({ id: name, name, mask: '0000', subtype: name.toLowerCase() }));
const authorization = { text: 'I agree to be debited. '.repeat(200), version: '1', text_sha256: 'ab' };

interface Case {
  status: ElementStatus;
  server?: (backend: SimulatedBackend) => void;
  act?: (mounted: Mounted) => void;
  says: RegExp;
  until?: (mounted: Mounted) => boolean | undefined;
}

const open = ({ element }: Mounted) => press(element);
const succeed = (mounted: Mounted) => {
  open(mounted);
  mounted.link.succeed();
};
const asks = ({ element }: Mounted) => element.shadowRoot?.querySelector('dialog')?.open;
const completing =
  (answer: Parameters<SimulatedBackend['completeAnswers']['push']>[0]) => (backend: SimulatedBackend) => {
    backend.completeAnswers.push(answer);
  };
const refusing = (error: Parameters<typeof refusal>[0]) => (backend: SimulatedBackend) => {
  backend.linkTokenErrors.push(refusal(error));
};

const cases: Record<string, Case> = {
  loading: { status: 'loading', server: (backend) => (backend.hold = never), says: /^$/ },
  ready: { status: 'ready', says: /^$/ },
  open: { status: 'open', act: open, says: /^$/ },
  connecting: { status: 'connecting', server: completing(never), act: succeed, says: /Connecting your bank/ },
  connected: { status: 'connected', act: succeed, says: /Chase ••1234 is connected/ },
  'pending verification': {
    status: 'pending_verification',
    server: completing(session('completed', ['pending_verification'])),
    act: succeed,
    says: /confirming this account/,
  },
  'needs repair': {
    status: 'needs_repair',
    server: completing(session('completed', ['needs_repair'])),
    act: succeed,
    says: /sign in again/,
  },
  'an error to retry': {
    status: 'error',
    server: refusing({ code: 'internal_error', action: 'retry' }),
    says: /Please try again/,
  },
  'an error for the merchant': {
    status: 'error',
    server: refusing({ code: 'provider_misconfigured', action: 'contact_merchant' }),
    says: /contact the shop/,
  },
  blocked: {
    status: 'blocked',
    server: refusing({ code: 'script_blocked', action: 'retry' }),
    says: /content blocker/,
  },
  'choosing an account': {
    status: 'connecting',
    server: completing(refusal({ code: 'account_selection_required', action: 'choose_account', accounts })),
    act: succeed,
    says: /^$/,
    until: asks,
  },
  agreeing: {
    status: 'connecting',
    server: completing(refusal({ code: 'authorization_required', action: 'retry', authorization })),
    act: succeed,
    says: /^$/,
    until: asks,
  },
};

const start: ElementStatus[] = ['ready', 'open', 'connecting', 'connected', 'pending_verification', 'needs_repair'];

describe('every state', () => {
  afterEach(async () => {
    document.documentElement.style.colorScheme = '';
    document.body.style.background = '';
    await cleanUp();
  });

  for (const scheme of ['light', 'dark']) {
    for (const [name, { status, server, act, says, until }] of Object.entries(cases)) {
      it(`is accessible: ${name}, ${scheme}`, async () => {
        document.documentElement.style.colorScheme = scheme;
        document.body.style.background = scheme === 'dark' ? '#101614' : '#fff';
        const mounted = await mount({}, server);
        const { element } = mounted;
        if (act && start.includes(status)) await reach(element, 'ready');
        act?.(mounted);
        await reach(element, status);
        if (until) await waitUntil(() => until(mounted));
        await element.updateComplete;
        expect(spoken(element)).to.match(says);
        expect(element.getAttribute('status')).to.equal(status);
        expect(element.matches(`:state(${status})`)).to.equal(true);
        expect(await violations(element)).to.deep.equal([]);
      });
    }
  }

  it('takes the same room, so that nothing on the page moves', async () => {
    const heights = new Map<string, number>();
    for (const [name, { status, server, act }] of Object.entries(cases)) {
      const mounted = await mount({}, server);
      (mounted.element.parentElement as HTMLElement).style.inlineSize = '360px';
      if (act) await reach(mounted.element, 'ready');
      act?.(mounted);
      await reach(mounted.element, status);
      heights.set(name, Math.round(mounted.element.getBoundingClientRect().height));
      await cleanUp();
    }
    expect([...new Set(heights.values())].length, JSON.stringify([...heights])).to.equal(1);
  });

  it('shows the way to another payment only where the customer needs it', async () => {
    const { element } = await mount({}, refusing({ code: 'script_blocked', action: 'retry' }));
    element.innerHTML = '<a slot="fallback" href="#card">Pay by card</a>';
    const fallback = () => (element.firstElementChild as HTMLElement).getBoundingClientRect().height;
    await reach(element, 'blocked');
    expect(fallback()).to.be.greaterThan(0);
    press(element);
    await reach(element, 'open');
    expect(fallback()).to.equal(0);
  });
});
