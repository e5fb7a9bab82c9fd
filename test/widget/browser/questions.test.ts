import { expect, waitUntil } from '@open-wc/testing';
import { cleanUp, linkNamed, mount, press, reach, textOf } from '../helpers/element.ts';
import { refusal } from '../helpers/simulated-backend.ts';

describe('a question between Link and the connection', () => {
  afterEach(cleanUp);

  it('asks which account, and sends the same public token again', async () => {
    const accounts = ['a', 'b'].map((id) => ({ id, name: id, mask: id, subtype: 'checking' }));
    const mounted = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'account_selection_required', action: 'choose_account', accounts })),
    );
    const { element, backend, link, log } = mounted;
    await reach(element, 'ready');
    press(element);
    link.succeed();
    const root = element.shadowRoot as ShadowRoot;
    await waitUntil(() => root.querySelector('dialog')?.open);
    expect(log).to.include('fbc-step connecting');
    const name = root.querySelector('dialog')?.getAttribute('aria-labelledby') ?? '';
    expect(root.getElementById(name)?.textContent).to.equal('Choose an account');
    root.querySelector<HTMLInputElement>('input[value="b"]')?.click();
    linkNamed(element, 'Use this account').click();
    await reach(element, 'connected');
    expect(
      backend.completed.map(({ input }) => [input.public_token, input.accounts.map(({ id }) => id)]),
    ).to.deep.equal([
      ['public-sandbox-1', ['acc_1']],
      ['public-sandbox-1', ['b']],
    ]);
    expect(root.querySelector('dialog')?.open).to.equal(false);
  });

  it('names the kinds of account in the customer’s language, and leaves a kind that it does not know as it is', async () => {
    const accounts = ['savings', 'cash management', 'prepaid'].map((subtype) => ({
      id: subtype,
      name: 'x',
      mask: '1',
      subtype,
    }));
    const { element, link } = await mount({ lang: 'de' }, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'account_selection_required', action: 'choose_account', accounts })),
    );
    await reach(element, 'ready');
    press(element);
    link.succeed();
    const root = element.shadowRoot as ShadowRoot;
    await waitUntil(() => root.querySelector('dialog')?.open);
    const kinds = [...root.querySelectorAll('label .small')].map(({ textContent }) => textContent);
    expect(kinds).to.deep.equal(['Sparkonto', 'Cash-Management-Konto', 'prepaid']);
  });

  it('shows the text to agree to, and sends the same public token again with its hash', async () => {
    const authorization = { text: 'Northwind may debit your account.', version: '1', text_sha256: 'ab'.repeat(32) };
    const { element, backend, link } = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'authorization_required', action: 'retry', authorization })),
    );
    await reach(element, 'ready');
    press(element);
    link.succeed();
    await waitUntil(() => element.shadowRoot?.querySelector('dialog')?.open);
    expect(textOf(element)).to.contain(authorization.text);
    linkNamed(element, 'Agree and continue').click();
    await reach(element, 'connected');
    expect(backend.completed[1]?.input).to.deep.include({
      public_token: 'public-sandbox-1',
      authorization: { accepted: true, text_sha256: authorization.text_sha256 },
    });
  });

  it('takes Escape in a question for a no', async () => {
    const authorization = { text: 'x', version: '1', text_sha256: 'ab' };
    const { element, link, log } = await mount({}, ({ completeAnswers }) =>
      completeAnswers.push(refusal({ code: 'authorization_required', action: 'retry', authorization })),
    );
    await reach(element, 'ready');
    press(element);
    link.succeed();
    const dialog = element.shadowRoot?.querySelector('dialog') as HTMLDialogElement;
    await waitUntil(() => dialog.open);
    dialog.dispatchEvent(new Event('cancel', { cancelable: true }));
    await reach(element, 'ready');
    expect(dialog.open).to.equal(false);
    expect(log.at(-1)).to.match(/^fbc-canceled/);
  });

  it('offers a copy of the authorization, and names whom to contact to revoke it', async () => {
    const authorization = { text: 'Debit me: 100 % of “this”', version: '2026-11', text_sha256: 'ab12' };
    const mounted = await mount({}, (backend) => {
      const error = { code: 'authorization_required', action: 'retry', retryable: true, authorization } as const;
      backend.completeAnswers.push(refusal(error));
    });
    await reach(mounted.element, 'ready');
    press(mounted.element);
    mounted.link.succeed();
    await waitUntil(() => mounted.element.shadowRoot?.querySelector('dialog')?.open);
    const copy = mounted.element.shadowRoot?.querySelector<HTMLAnchorElement>('a[download]');
    const kept = await (await fetch(copy?.href ?? '')).text();
    expect(kept).to.contain(authorization.text);
    expect(kept).to.contain('ab12');
    expect(mounted.element.shadowRoot?.getElementById('title')?.textContent).to.equal('Authorize payments');
    expect(textOf(mounted.element)).to.contain('You can revoke this at any time by contacting Acme.');
  });

  it('authorizes no payments where the session pays out', async () => {
    const authorization = { text: 'Pay me here', version: '1', text_sha256: 'ab12' };
    const mounted = await mount({}, (backend) => {
      backend.purpose = 'payout';
      const error = { code: 'authorization_required', action: 'retry', retryable: true, authorization } as const;
      backend.completeAnswers.push(refusal(error));
    });
    await reach(mounted.element, 'ready');
    press(mounted.element);
    mounted.link.succeed();
    await waitUntil(() => mounted.element.shadowRoot?.querySelector('dialog')?.open);
    expect(mounted.element.shadowRoot?.getElementById('title')?.textContent).to.equal('Authorization');
  });
});
