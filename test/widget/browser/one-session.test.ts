import { expect } from '@open-wc/testing';
import type { Session } from '../../../widget/contract.ts';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { cleanUp, connect, linkNamed, mount, part, press, reach, spoken } from '../helpers/element.ts';
import { failedSession, refusal, type SimulatedBackend, session } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const clientSecret = 'ses_1_secret_abc';
const fetching = () => {
  let count = 0;
  return async () => `ses_fetched${++count}_secret_x`;
};
const declined = () => failedSession('instrument_refused', 'use_other_method');
const buttons = ({ shadowRoot }: FinixBankConnect) =>
  [...(shadowRoot?.querySelectorAll('button') ?? [])].map(({ textContent }) => textContent?.trim());

describe('an account that is declined, where the page has only this session', () => {
  afterEach(cleanUp);

  for (const [when, prepare, act] of [
    [
      'while the customer waits',
      ({ completeAnswers }: SimulatedBackend) => completeAnswers.push(declined()),
      async ({ element, link }: Awaited<ReturnType<typeof mount>>) => {
        await reach(element, 'ready');
        press(element);
        link.succeed();
      },
    ],
    [
      'before the page was loaded',
      ({ sessionAnswers }: SimulatedBackend) => sessionAnswers.push(declined()),
      async () => {},
    ],
  ] as const) {
    it(`${when}: the reason and the merchant’s name are shown, the fallback too, and nothing that can only fail`, async () => {
      const mounted = await mount({ clientSecret }, prepare);
      const { element, backend, log } = mounted;
      element.innerHTML = '<a slot="fallback" href="#card">Pay by card</a>';
      await act(mounted);
      await reach(element, 'error');
      expect(spoken(element)).to.equal('This account was declined. To use a different account, contact Acme.');
      expect(element.error).to.include({ code: 'instrument_refused', action: 'contact_merchant', retryable: false });
      expect(element.firstElementChild?.getClientRects()).to.have.length(1);
      expect(buttons(element)).to.deep.equal([]);
      const calls = backend.calls.length;
      element.open();
      element.dispatchEvent(new Event('pointerenter'));
      await element.updateComplete;
      expect(backend.calls).to.have.length(calls);
      expect(log.filter((line) => line.startsWith('fbc-error'))).to.have.length(1);
    });
  }

  it('goes on with the next client secret that the page sets', async () => {
    const { element, link } = await mount({ clientSecret }, ({ completeAnswers }) => completeAnswers.push(declined()));
    await reach(element, 'ready');
    press(element);
    link.succeed();
    await reach(element, 'error');
    element.clientSecret = 'ses_2_secret_abc';
    await reach(element, 'ready');
  });

  it('another account can be chosen at once where the page can fetch another session', async () => {
    const { element, link, backend } = await mount({ fetchClientSecret: fetching() }, ({ completeAnswers }) =>
      completeAnswers.push(declined()),
    );
    await reach(element, 'ready');
    press(element);
    link.succeed();
    await reach(element, 'error');
    expect(spoken(element)).to.equal('This account was declined. Please use a different one.');
    backend.linkTokenErrors.push(refusal({ code: 'session_failed', action: 'restart' }));
    linkNamed(element, 'Choose another account').click();
    await reach(element, 'open');
    expect(backend.calls.at(-1)).to.equal('createLinkToken ses_fetched2_secret_x');
  });

  for (const code of ['session_expired', 'session_failed', 'session_canceled'] as const) {
    it(`asks for a reload where the session is over when Link ends: ${code}`, async () => {
      const { element, link } = await mount({ clientSecret }, ({ completeAnswers }) =>
        completeAnswers.push(refusal({ code, action: 'restart' })),
      );
      await reach(element, 'ready');
      press(element);
      link.succeed();
      await reach(element, 'error');
      expect(spoken(element)).to.contain('Reload this page');
      expect(buttons(element)).to.deep.equal([]);
    });
  }
});

describe('a connected bank, where the page has only this session', () => {
  afterEach(cleanUp);

  const done = () => session('completed', ['active']);
  /** What the server answers where the session has its bank already. */
  const completed = (backend: SimulatedBackend, answer: Session = done()) => {
    backend.sessionAnswers.push(answer);
  };

  it('can be removed but not changed, and is taken back by a press, without a reload', async () => {
    const mounted = await mount({ clientSecret, required: true });
    await connect(mounted);
    const { element, backend, log } = mounted;
    expect(buttons(element)).to.deep.equal(['Remove']);
    log.length = 0;
    linkNamed(element, 'Remove').click();
    await waitUntil(() => buttons(element).join() === 'Use this account');
    expect(element.value).to.equal(null);
    expect(element.validity.valid).to.equal(false);
    expect(spoken(element)).to.equal('This bank account won’t be used.');
    for (const event of ['pointerenter', 'focus']) element.dispatchEvent(new Event(event));
    element.reset();
    await element.updateComplete;
    expect(buttons(element)).to.deep.equal(['Use this account']);
    expect(log).to.deep.equal([]);
    completed(backend);
    press(element);
    await reach(element, 'connected');
    expect(element.value).to.equal('con_1');
    expect(log).to.deep.equal(['fbc-connected connected']);
    expect(backend.tokens).to.equal(1);
    expect(buttons(element)).to.deep.equal(['Remove']);
  });

  it('is taken back also after the server could not be reached', async () => {
    const mounted = await mount({ clientSecret });
    await connect(mounted);
    const { element, backend } = mounted;
    linkNamed(element, 'Remove').click();
    await waitUntil(() => buttons(element).join() === 'Use this account');
    backend.sessionAnswers.push(refusal({ code: 'timeout', action: 'retry', retryable: true }));
    press(element);
    await reach(element, 'error');
    backend.linkTokenErrors.push(refusal({ code: 'session_already_completed', action: 'restart' }));
    completed(backend);
    linkNamed(element, 'Try again').click();
    await reach(element, 'connected');
  });

  it('makes room for another where the page sets another client secret after it was removed', async () => {
    const mounted = await mount({ clientSecret });
    await connect(mounted);
    const { element } = mounted;
    linkNamed(element, 'Remove').click();
    await waitUntil(() => buttons(element).join() === 'Use this account');
    element.clientSecret = 'ses_2_secret_abc';
    await reach(element, 'ready');
    expect(part(element, 'label').textContent).to.contain('Connect your bank');
    expect(spoken(element)).to.equal('');
  });

  it('has "Change" where the page can fetch another session', async () => {
    const mounted = await mount({ clientSecret, fetchClientSecret: fetching() });
    await connect(mounted);
    expect(buttons(mounted.element)).to.deep.equal(['Change', 'Remove']);
  });

  it('that needs a sign-in tells the page by an event that it needs another session for it', async () => {
    const mounted = await mount({ clientSecret }, ({ completeAnswers }) =>
      completeAnswers.push(session('completed', ['needs_repair'])),
    );
    await connect(mounted, 'needs_repair');
    const { element, log } = mounted;
    element.addEventListener('fbc-error', () => {
      element.clientSecret = 'ses_repair_secret_abc';
    });
    press(element);
    await reach(element, 'ready');
    expect(log.slice(-2)).to.deep.equal(['fbc-needs-repair needs_repair', 'fbc-error error']);
  });
});

describe('a customer who asked for another bank', () => {
  afterEach(cleanUp);

  it('and closes Link reads that none was chosen, each time', async () => {
    const mounted = await mount({ fetchClientSecret: fetching() });
    await connect(mounted);
    const { element, link } = mounted;
    linkNamed(element, 'Change').click();
    await reach(element, 'open');
    for (let i = 0; i < 2; i++) {
      link.exit();
      await waitUntil(() => spoken(element) === 'No new bank account was connected.');
      await reach(element, 'ready');
      press(element);
      await reach(element, 'open');
    }
    link.succeed();
    await reach(element, 'connected');
    linkNamed(element, 'Remove').click();
    await reach(element, 'ready');
    press(element);
    await reach(element, 'open');
    link.exit();
    await waitUntil(() => spoken(element).startsWith('No bank account was connected'));
  });

  it('and declines a question reads the same', async () => {
    const accounts = ['a', 'b'].map((id) => ({ id, name: id, mask: id, subtype: 'checking' }));
    const mounted = await mount({ fetchClientSecret: fetching() });
    await connect(mounted);
    const { element, link, backend } = mounted;
    backend.completeAnswers.push(refusal({ code: 'account_selection_required', action: 'choose_account', accounts }));
    linkNamed(element, 'Change').click();
    await reach(element, 'open');
    link.succeed();
    await waitUntil(() => element.shadowRoot?.querySelector('dialog')?.open);
    linkNamed(element, 'Cancel').click();
    await waitUntil(() => spoken(element) === 'No new bank account was connected.');
  });
});
