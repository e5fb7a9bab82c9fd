import { expect } from '@open-wc/testing';
import { LANGUAGES } from '../../../widget/i18n/languages.ts';
import { cleanUp, type Mounted, mount, press, reach } from '../helpers/element.ts';
import { failedSession, refusal } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

/** What a window of 320 px leaves, between margins of 16 px. */
const NARROW = 288;
const page = document.documentElement;
const accounts = ['checking', 'savings', 'cash management'].map((subtype, i) => ({
  id: `acc_${i}`,
  name: `Plaid ${subtype}`,
  mask: `00${i}0`,
  subtype,
}));
const authorization = { text: 'I authorize Acme to debit my account once.', version: '1', text_sha256: 'ab' };

/** A text that is wider than its box: it is cut off, or makes the page scroll in two directions. */
function tooWide(root: Element): string[] {
  return (
    [root, ...root.querySelectorAll<HTMLElement>('*')]
      .filter((one) => one instanceof HTMLElement && getComputedStyle(one).display !== 'inline')
      // The answers reach over the padding of the dialog, and so out of the form.
      .filter((one) => one.localName !== 'form' && !one.closest('.spoken'))
      .filter((one) => one.scrollWidth > one.clientWidth + 1)
      .map((one) => `${one.localName}.${one.className} ${one.scrollWidth} > ${one.clientWidth}`)
  );
}

describe('text of twice its size in a narrow window', () => {
  beforeEach(() => {
    page.style.fontSize = '200%';
  });
  afterEach(async () => {
    page.style.fontSize = '';
    await cleanUp();
  });

  async function ask({ element, link }: Mounted): Promise<HTMLDialogElement> {
    await reach(element, 'ready');
    press(element);
    link.succeed();
    const dialog = () => element.shadowRoot?.querySelector<HTMLDialogElement>('dialog[open]');
    await waitUntil(dialog);
    const open = dialog() as HTMLDialogElement;
    open.style.inlineSize = `${NARROW}px`;
    return open;
  }

  for (const lang of LANGUAGES) {
    it(`is whole in the question about accounts: ${lang}`, async () => {
      const mounted = await mount({ lang }, ({ completeAnswers }) =>
        completeAnswers.push(refusal({ code: 'account_selection_required', action: 'choose_account', accounts })),
      );
      const dialog = await ask(mounted);
      expect(tooWide(dialog)).to.deep.equal([]);
      for (const mask of dialog.querySelectorAll('[part=mask]')) {
        const lines = new Set([...mask.getClientRects()].map(({ top }) => top));
        expect(lines.size, 'digits on more than one line').to.equal(1);
      }
    });

    it(`is whole in the question about the authorization: ${lang}`, async () => {
      const mounted = await mount({ lang }, ({ completeAnswers }) =>
        completeAnswers.push(refusal({ code: 'authorization_required', action: 'retry', authorization })),
      );
      expect(tooWide(await ask(mounted))).to.deep.equal([]);
    });

    it(`is whole where there is nothing to press: ${lang}`, async () => {
      const parent = document.createElement('div');
      parent.style.inlineSize = `${NARROW}px`;
      const { element } = await mount(
        { lang, clientSecret: 'ses_1_secret_abc' },
        ({ sessionAnswers }) => sessionAnswers.push(failedSession('instrument_refused', 'use_other_method')),
        parent,
      );
      await reach(element, 'error');
      await waitUntil(() => element.shadowRoot?.querySelector('.dead'));
      const area = element.shadowRoot?.querySelector('.area') as Element;
      await waitUntil(() => area.clientWidth > 0);
      expect(tooWide(area)).to.deep.equal([]);
      expect(parent.scrollWidth).to.equal(NARROW);
    });
  }
});
