import { aTimeout, expect } from '@open-wc/testing';
import type { Session } from '../../../widget/contract.ts';
import { loadStrings } from '../../../widget/i18n/index.ts';
import { LANGUAGES } from '../../../widget/i18n/languages.ts';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { cleanUp, connect, linkNamed, type Mounted, mount, part, press, reach, spoken } from '../helpers/element.ts';
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
});

describe('a bank that asks for another sign-in, where the page has only this session', () => {
  afterEach(cleanUp);

  const broken = (...statuses: Parameters<typeof session>[1] & object) => session('completed', statuses);

  /** Nothing that a press could do is left, and nothing can be pressed. */
  async function expectNothingToPress({ element, backend, log }: Mounted): Promise<void> {
    expect(buttons(element)).to.deep.equal([]);
    const [calls, events] = [backend.calls.length, log.length];
    element.open();
    for (const event of ['pointerenter', 'focusin']) element.dispatchEvent(new Event(event));
    await element.updateComplete;
    await aTimeout(0);
    expect(backend.calls).to.have.length(calls);
    expect(log).to.have.length(events);
    expect(element.value).to.equal(null);
  }

  for (const language of LANGUAGES) {
    it(`is named with the way forward, and without a button: ${language}`, async () => {
      const mounted = await mount({ clientSecret, lang: language }, ({ sessionAnswers }) =>
        sessionAnswers.push(broken('needs_repair')),
      );
      const { element } = mounted;
      element.innerHTML = '<a slot="fallback" href="#card">Pay by card</a>';
      await reach(element, 'needs_repair');
      const { needs_repair, reload } = await loadStrings(language);
      await waitUntil(() => spoken(element).includes(reload));
      expect(spoken(element)).to.contain(needs_repair);
      expect(part(element, 'status').textContent).to.equal(needs_repair);
      expect(element.shadowRoot?.querySelector('#said')?.textContent).to.equal(reload);
      expect(part(element, 'bank-name').getClientRects()).to.have.length(1);
      expect(element.firstElementChild?.getClientRects()).to.have.length(1);
      await expectNothingToPress(mounted);
      expect(mounted.log).to.deep.equal(['fbc-needs-repair needs_repair']);
    });
  }

  it('is so at the end of Link as well, and of several accounts each is named', async () => {
    const mounted = await mount({ clientSecret, required: true }, ({ completeAnswers }) =>
      completeAnswers.push(broken('needs_repair', 'needs_repair')),
    );
    await connect(mounted, 'needs_repair');
    const { element } = mounted;
    expect(element.shadowRoot?.querySelectorAll('[part=account]')).to.have.length(2);
    expect(element.validity.valid).to.equal(false);
    element.open();
    expect(element.status).to.equal('needs_repair');
  });

  it('is repaired with the client secret that the page sets on the event', async () => {
    const mounted = await mount({ clientSecret }, ({ completeAnswers }) =>
      completeAnswers.push(broken('needs_repair')),
    );
    const { element, log } = mounted;
    element.addEventListener(
      'fbc-needs-repair',
      () => {
        element.clientSecret = 'ses_repair_secret_abc';
      },
      { once: true },
    );
    await reach(element, 'ready');
    press(element);
    mounted.link.succeed();
    await waitUntil(() => log.includes('fbc-needs-repair needs_repair'));
    await reach(element, 'ready');
    expect(log.join()).not.to.contain('fbc-error');
    press(element);
    await reach(element, 'open');
  });

  it('has a button where the page can fetch another session', async () => {
    const mounted = await mount({ fetchClientSecret: fetching() }, ({ completeAnswers }) =>
      completeAnswers.push(broken('needs_repair')),
    );
    await connect(mounted, 'needs_repair');
    const { element, backend } = mounted;
    expect(buttons(element).map((text) => text?.split(' ')[0])).to.deep.equal(['Reconnect', 'Remove']);
    press(element);
    await reach(element, 'open');
    expect(backend.calls.at(-1)).to.equal('createLinkToken ses_fetched2_secret_x');
  });

  it('that was removed before is not offered again when it can’t be used any more', async () => {
    const mounted = await mount({ clientSecret });
    await connect(mounted);
    const { element, backend } = mounted;
    linkNamed(element, 'Remove').click();
    await waitUntil(() => buttons(element).join() === 'Use this account');
    backend.sessionAnswers.push(broken('needs_repair'));
    press(element);
    await reach(element, 'needs_repair');
    await expectNothingToPress(mounted);
  });
});

describe('an error whose way forward leads through Link again, where the page has only this session', () => {
  afterEach(cleanUp);

  for (const [code, action, sentence] of [
    ['restart_required', 'contact_merchant', 'Access to this account has ended. Contact Acme to connect it again.'],
    ['session_expired', 'restart', 'Your session expired. Reload this page to connect your bank.'],
    ['session_canceled', 'restart', 'Your session expired. Reload this page to connect your bank.'],
    ['unauthorized', 'restart', 'Try another way to pay, or contact Acme.'],
    ['provider_misconfigured', 'contact_merchant', 'Try another way to pay, or contact Acme.'],
  ] as const) {
    it(`loses its button as soon as another Link is refused for good: ${code}`, async () => {
      const { element, link, backend, log } = await mount({ clientSecret });
      await reach(element, 'ready');
      press(element);
      await reach(element, 'open');
      backend.linkTokenErrors.push(refusal({ code, action }));
      link.exit('INVALID_CREDENTIALS');
      await waitUntil(() => element.error?.code === code);
      await element.updateComplete;
      expect(spoken(element)).to.contain(sentence);
      expect(element.error?.action).to.equal('contact_merchant');
      expect(buttons(element)).to.deep.equal([]);
      expect(log.filter((line) => line.startsWith('fbc-error'))).to.have.length(2);
    });
  }

  it('keeps its button where another Link could not be prepared for now', async () => {
    const { element, link, backend } = await mount({ clientSecret });
    await reach(element, 'ready');
    press(element);
    await reach(element, 'open');
    const tokens = backend.calls.length;
    backend.linkTokenErrors.push(refusal({ code: 'timeout', action: 'retry', retryable: true }));
    link.exit('INVALID_CREDENTIALS');
    await waitUntil(() => backend.calls.length > tokens);
    await reach(element, 'error');
    linkNamed(element, 'Connect again').click();
    await reach(element, 'open');
  });

  it('and whose session repairs one bank is not one to choose another bank for', async () => {
    const { element, link } = await mount({ clientSecret }, ({ sessionAnswers }) =>
      sessionAnswers.push({ ...session('open', ['needs_repair']), mode: 'repair' }),
    );
    await waitUntil(() => buttons(element).some((text) => text?.startsWith('Reconnect')));
    await reach(element, 'ready');
    press(element);
    await reach(element, 'open');
    link.exit('ITEM_LOCKED');
    await reach(element, 'error');
    expect(buttons(element)).to.deep.equal(['Connect again']);
  });
});
