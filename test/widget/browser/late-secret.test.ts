import { aTimeout, expect } from '@open-wc/testing';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { cleanUp, linkNamed, type Mounted, mount, press, reach, reachQuestion, spoken } from '../helpers/element.ts';
import { refusal, session } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const KEY = 'finix-bank-connect:away';
const FIRST = 'ses_first_secret_abc';
const LATE = 'ses_late_secret_abc';
const ACCOUNTS = [
  { id: 'acc_1', name: 'Checking', mask: '1234', subtype: 'checking' },
  { id: 'acc_2', name: 'Savings', mask: '5678', subtype: 'savings' },
];
const home = location.href;
let returns = 0;

/** An element on a page that a bank has just come back to, with what it left with. */
async function comeBack(properties: Partial<FinixBankConnect> = {}, prepare?: Parameters<typeof mount>[1]) {
  const entry = { linkToken: 'link-first', clientSecret: FIRST, until: Date.now() + 600_000 };
  sessionStorage.setItem(KEY, JSON.stringify({ ...entry, name: '', index: 0, path: location.pathname, scrollY: 0 }));
  const url = new URL(home);
  url.searchParams.set('oauth_state_id', `late-${++returns}`);
  history.replaceState(null, '', url);
  const mounted = await mount(properties, prepare);
  await reach(mounted.element, 'open');
  return mounted;
}

/** What pages set late, and what they change. */
const LATE_ONES: Record<string, [before: Partial<FinixBankConnect>, after: Partial<FinixBankConnect>]> = {
  'a client secret': [{}, { clientSecret: LATE }],
  'another client secret': [{ clientSecret: 'ses_early_secret_abc' }, { clientSecret: LATE }],
  'the function for one': [{}, { fetchClientSecret: async () => LATE }],
};

async function set({ element }: Mounted, properties: Partial<FinixBankConnect>): Promise<void> {
  Object.assign(element, properties);
  await element.updateComplete;
  await aTimeout(0);
}

describe('after a bank’s return', () => {
  afterEach(async () => {
    history.replaceState(null, '', home);
    await cleanUp();
  });

  for (const [kind, [before, after]] of Object.entries(LATE_ONES)) {
    it(`${kind} that comes while Link is open does not close it, and the bank is connected with the session of before`, async () => {
      const mounted = await comeBack(before);
      const { element, link, backend, log } = mounted;
      await set(mounted, after);
      expect(element.status).to.equal('open');
      expect(link.last.destroyed).to.equal(false);
      link.succeed();
      await reach(element, 'connected');
      expect(backend.completed.map(({ secret }) => secret)).to.deep.equal([FIRST]);
      expect(log.join()).not.to.match(/error|canceled/);
    });

    it(`${kind} that comes while the bank is being connected does not take it away`, async () => {
      let answer: (value: ReturnType<typeof session>) => void = () => {};
      const mounted = await comeBack(before, ({ completeAnswers }) =>
        completeAnswers.push(
          new Promise((resolve) => {
            answer = resolve;
          }),
        ),
      );
      const { element, link, log } = mounted;
      link.succeed();
      await reach(element, 'connecting');
      await set(mounted, after);
      expect(element.status).to.equal('connecting');
      answer(session('completed', ['active']));
      await reach(element, 'connected');
      expect(log.filter((line) => line.startsWith('fbc-connected'))).to.have.length(1);
    });

    it(`${kind} that comes when the bank is connected restarts nothing, and is used for another bank`, async () => {
      const mounted = await comeBack(before);
      const { element, link, backend } = mounted;
      link.succeed();
      await reach(element, 'connected');
      await set(mounted, after);
      expect(element.status).to.equal('connected');
      expect(element.value).to.equal('con_1');
      linkNamed(element, 'Change').click();
      await reach(element, 'open');
      expect(backend.calls.at(-1)).to.equal(`createLinkToken ${LATE}`);
      link.succeed();
      await reach(element, 'connected');
      expect(backend.completed.at(-1)?.secret).to.equal(LATE);
    });

    it(`${kind} that comes while Link is open is used next, where Link ends without a bank`, async () => {
      const mounted = await comeBack(before);
      const { element, link, backend } = mounted;
      await set(mounted, after);
      link.exit();
      await waitUntil(() => backend.calls.at(-1) === `createLinkToken ${LATE}`);
      await reach(element, 'ready');
      expect(spoken(element)).to.contain('No bank account was connected');
      press(element);
      await reach(element, 'open');
      link.succeed();
      await reach(element, 'connected');
      expect(backend.completed.map(({ secret }) => secret)).to.deep.equal([LATE]);
    });

    it(`${kind} that comes while Link is open leaves the customer the reason where Link ends with an error`, async () => {
      const mounted = await comeBack(before);
      const { element, link, backend } = mounted;
      await set(mounted, after);
      link.exit('INVALID_CREDENTIALS');
      await reach(element, 'error');
      expect(spoken(element)).to.contain('verify your sign-in');
      press(element);
      await reach(element, 'open');
      expect(backend.calls.at(-1)).to.equal(`createLinkToken ${LATE}`);
    });
  }

  it('a secret that comes while a question is open leaves it open', async () => {
    const authorization = { text: 'I authorize Acme.', version: '1', text_sha256: 'ab' };
    const mounted = await comeBack({}, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'authorization_required', action: 'retry', authorization })),
    );
    const { element, link, backend } = mounted;
    link.succeed();
    await waitUntil(() => element.shadowRoot?.querySelector('dialog[open]'));
    await set(mounted, { clientSecret: LATE });
    expect(element.shadowRoot?.querySelector('dialog')?.open).to.equal(true);
    linkNamed(element, 'Agree and continue').click();
    await reach(element, 'connected');
    expect(backend.completed.at(-1)?.secret).to.equal(FIRST);
  });

  it('the name of a person that comes late does not close Link', async () => {
    const mounted = await comeBack();
    await set(mounted, { firstName: 'Ada' });
    expect(mounted.element.status).to.equal('open');
    mounted.link.succeed();
    await reach(mounted.element, 'connected');
  });

  it('the page’s own session, which was there from the start, is left for another bank', async () => {
    const { element, link, backend } = await comeBack({ clientSecret: LATE });
    link.succeed();
    await reach(element, 'connected');
    linkNamed(element, 'Change').click();
    await reach(element, 'open');
    expect(backend.calls.at(-1)).to.equal(`createLinkToken ${LATE}`);
  });

  it('a second secret, after the late one, starts over when the bank is connected', async () => {
    const mounted = await comeBack();
    const { element, link } = mounted;
    link.succeed();
    await reach(element, 'connected');
    await set(mounted, { clientSecret: LATE });
    expect(element.status).to.equal('connected');
    await set(mounted, { clientSecret: 'ses_next_secret_abc' });
    await reach(element, 'ready');
    expect(element.value).to.equal(null);
  });

  it('a secret that comes after Link has ended and was opened again does not close it either', async () => {
    const mounted = await comeBack();
    const { element, link, backend } = mounted;
    link.exit();
    await reach(element, 'ready');
    press(element);
    await reach(element, 'open');
    await set(mounted, { clientSecret: LATE });
    await aTimeout(50);
    expect(element.status).to.equal('open');
    link.exit();
    await waitUntil(() => backend.calls.at(-1) === `createLinkToken ${LATE}`);
    await reach(element, 'ready');
  });
});

const LATE_OR_PERSON: Record<string, Partial<FinixBankConnect>> = {
  'a client secret': { clientSecret: LATE },
  'the function for one': { fetchClientSecret: async () => LATE },
  'the name of a person': { firstName: 'Ada' },
};

describe('in a public session', () => {
  afterEach(cleanUp);

  async function openLink(prepare?: Parameters<typeof mount>[1]) {
    const mounted = await mount({}, prepare);
    await reach(mounted.element, 'ready');
    press(mounted.element);
    await reach(mounted.element, 'open');
    return mounted;
  }

  for (const [kind, properties] of Object.entries(LATE_OR_PERSON)) {
    it(`${kind} that comes while Link is open does not close it, and the bank is connected`, async () => {
      const mounted = await openLink();
      const { element, link, backend, log } = mounted;
      await set(mounted, properties);
      await aTimeout(50);
      expect(element.status).to.equal('open');
      expect(link.last.destroyed).to.equal(false);
      link.succeed();
      await reach(element, 'connected');
      await aTimeout(50);
      expect(element.status).to.equal('connected');
      expect(element.value).to.equal('con_1');
      expect(backend.completed).to.have.length(1);
      expect(backend.completed[0]?.secret).not.to.equal(LATE);
      expect(log.join()).not.to.match(/error|canceled/);
    });

    it(`${kind} that comes while the bank is being connected does not take it away`, async () => {
      let answer: (value: ReturnType<typeof session>) => void = () => {};
      const mounted = await openLink(({ completeAnswers }) =>
        completeAnswers.push(
          new Promise((resolve) => {
            answer = resolve;
          }),
        ),
      );
      mounted.link.succeed();
      await reach(mounted.element, 'connecting');
      await set(mounted, properties);
      await aTimeout(50);
      answer(session('completed', ['active']));
      await reach(mounted.element, 'connected');
      await aTimeout(50);
      expect(mounted.element.value).to.equal('con_1');
    });
  }

  for (const kind of ['a client secret', 'the function for one'] as const) {
    it(`${kind} that came while Link was open is used next where the customer leaves, who reads that no bank is connected`, async () => {
      const mounted = await openLink();
      const { element, link, backend, log } = mounted;
      await set(mounted, LATE_OR_PERSON[kind] ?? {});
      await aTimeout(50);
      link.exit();
      await waitUntil(() => backend.calls.at(-1) === `createLinkToken ${LATE}`);
      await reach(element, 'ready');
      expect(spoken(element)).to.contain('No bank account was connected');
      expect(log.filter((line) => line.startsWith('fbc-canceled'))).to.have.length(1);
      press(element);
      link.succeed();
      await reach(element, 'connected');
      expect(backend.completed.map(({ secret }) => secret)).to.deep.equal([LATE]);
    });

    it(`${kind} that came while Link was open is used for another bank`, async () => {
      const mounted = await openLink();
      const { element, link, backend } = mounted;
      await set(mounted, LATE_OR_PERSON[kind] ?? {});
      await aTimeout(50);
      link.succeed();
      await reach(element, 'connected');
      linkNamed(element, 'Change').click();
      await reach(element, 'open');
      expect(backend.calls.at(-1)).to.equal(`createLinkToken ${LATE}`);
    });
  }

  it('a secret that comes before the press, or after the end, is another start', async () => {
    const mounted = await mount({});
    const { element, link, backend } = mounted;
    await reach(element, 'ready');
    await set(mounted, { clientSecret: LATE });
    await waitUntil(() => backend.calls.at(-1) === `createLinkToken ${LATE}`);
    await reach(element, 'ready');
    press(element);
    link.succeed();
    await reach(element, 'connected');
    await set(mounted, { clientSecret: 'ses_next_secret_abc' });
    await reach(element, 'ready');
    expect(element.value).to.equal(null);
  });

  it('another secret in place of the page’s own closes Link, which is another customer’s', async () => {
    const mounted = await mount({ clientSecret: FIRST });
    await reach(mounted.element, 'ready');
    press(mounted.element);
    await reach(mounted.element, 'open');
    await set(mounted, { clientSecret: LATE });
    await reach(mounted.element, 'ready');
    expect(mounted.link.handlers[0]?.destroyed).to.equal(true);
  });

  for (const asks of [false, true]) {
    it(`another secret ends ${asks ? 'a question' : 'Link'} with fbc-canceled, in whose listener Link opens for the session of then`, async () => {
      const mounted = await mount({ clientSecret: FIRST }, ({ completeAnswers }) => {
        if (asks)
          completeAnswers.push(
            refusal({ code: 'account_selection_required', action: 'choose_account', accounts: ACCOUNTS }),
          );
      });
      const { element, link, backend, log } = mounted;
      await reach(element, 'ready');
      press(element);
      if (asks) await reachQuestion(mounted);
      element.addEventListener('fbc-canceled', () => element.open(), { once: true });
      await set(mounted, { clientSecret: LATE });
      await reach(element, 'open');
      const canceled = log.filter((line) => line.startsWith('fbc-canceled'));
      expect(canceled).to.deep.equal(['fbc-canceled loading']);
      expect(backend.calls.at(-1)).to.equal(`createLinkToken ${LATE}`);
      link.succeed();
      await reach(element, 'connected');
      expect(backend.completed.at(-1)?.secret).to.equal(LATE);
    });
  }

  it('another secret while a bank is being connected sends no fbc-canceled: the server goes on', async () => {
    const mounted = await mount({ clientSecret: FIRST }, ({ completeAnswers }) =>
      completeAnswers.push(new Promise(() => {})),
    );
    const { element, link, log } = mounted;
    await reach(element, 'ready');
    press(element);
    link.succeed();
    await reach(element, 'connecting');
    await set(mounted, { clientSecret: LATE });
    await reach(element, 'ready');
    expect(log.join()).not.to.match(/canceled/);
  });
});
