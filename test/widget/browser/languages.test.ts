import { expect } from '@open-wc/testing';
import { LANGUAGES } from '../../../widget/i18n/languages.ts';
import { cleanUp, linkNamed, mount, part, press, reach, spoken, textOf } from '../helpers/element.ts';
import { failedSession, refusal } from '../helpers/simulated-backend.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const base = ({ shadowRoot }: Element) => shadowRoot?.querySelector<HTMLElement>('.base');
const words = {
  en: 'Connect your bank',
  es: 'Conectar su banco',
  fr: 'Connecter votre banque',
  pt: 'Conectar seu banco',
  de: 'Bank verbinden',
  zh: '关联您的银行',
  vi: 'Kết nối ngân hàng',
  ar: 'اربط حسابك المصرفي',
  it: 'Collega la tua banca',
  nl: 'Koppel je bank',
  pl: 'Połącz swój bank',
  ko: '은행 연결하기',
  tl: 'I-connect ang inyong bangko',
};

describe('the language of the element', () => {
  const page = document.documentElement;
  const before = page.lang;
  afterEach(async () => {
    page.lang = before;
    page.dir = '';
    await cleanUp();
  });

  it('is each of those that we have', () => {
    expect(Object.keys(words).sort()).to.deep.equal([...LANGUAGES].sort());
  });

  for (const [language, connect] of Object.entries(words)) {
    it(`is the page’s: ${language}`, async () => {
      page.lang = `${language}-US`;
      const { element } = await mount();
      await reach(element, 'ready');
      await waitUntil(() => textOf(element).includes(connect));
      expect(base(element)?.hasAttribute('lang')).to.equal(false);
    });
  }

  it('the language is English, and declared as such, where the page speaks an unsupported one', async () => {
    page.lang = 'he';
    const { element } = await mount();
    await reach(element, 'ready');
    expect(textOf(element)).to.contain(words.en);
    expect(base(element)?.lang).to.equal('en');
    expect(base(element)?.dir).to.equal('ltr');
  });

  for (const tag of ['zh-Hant', 'zh-TW', 'zh-HK', 'zh_TW', 'zh-Hant-MO', 'ZH-tw']) {
    it(`the characters are declared as the simplified ones where the page’s are not: ${tag}`, async () => {
      page.lang = tag;
      const { element } = await mount();
      await waitUntil(() => textOf(element).includes(words.zh));
      expect(base(element)?.lang).to.equal('zh-Hans');
    });
  }

  for (const tag of ['zh', 'zh-CN', 'zh-Hans', 'zh-Hans-SG', 'zh_SG']) {
    it(`the characters are the page’s own: ${tag}`, async () => {
      page.lang = tag;
      const { element } = await mount();
      await waitUntil(() => textOf(element).includes(words.zh));
      expect(base(element)?.hasAttribute('lang')).to.equal(false);
    });
  }

  it('an element on a page in traditional characters speaks English where its own `lang` is English', async () => {
    page.lang = 'zh-TW';
    const { element } = await mount({ lang: 'en' });
    await reach(element, 'ready');
    expect(textOf(element)).to.contain(words.en);
  });

  it('the page’s own content keeps the page’s direction where English stands in for its language', async () => {
    page.lang = 'he';
    page.dir = 'rtl';
    const { element, link } = await mount({}, (backend) => {
      backend.completeAnswers.push(failedSession('instrument_refused', 'use_other_method'));
    });
    element.innerHTML = `<span slot="legal">התנאים.</span><p slot="fallback">שלמו בכרטיס.</p>
      <p slot="fallback" dir="ltr">Pay by card.</p><b slot="label">חברו בנק.</b>`;
    await reach(element, 'ready');
    const directions = () => [...element.children].map((child) => getComputedStyle(child).direction);
    const [label] = element.querySelectorAll('b');
    expect(getComputedStyle(label as Element).direction).to.equal('rtl');
    expect(directions().slice(0, 3)).to.deep.equal(['rtl', 'rtl', 'ltr']);
    expect(getComputedStyle(part(element, 'legal')).direction).to.equal('ltr');
    press(element);
    link.succeed();
    await reach(element, 'error');
    expect(getComputedStyle(part(element, 'error')).direction).to.equal('ltr');
    // The button with its label is another one now.
    expect(directions().slice(0, 3)).to.deep.equal(['rtl', 'rtl', 'ltr']);
    page.dir = 'ltr';
    expect(directions().slice(0, 3)).to.deep.equal(['ltr', 'ltr', 'ltr']);
  });

  it('our sentences keep their own direction in a slot that the page leaves empty', async () => {
    page.lang = 'he';
    page.dir = 'rtl';
    const { element } = await mount();
    await reach(element, 'ready');
    const [slot] = part(element, 'legal').querySelectorAll('slot');
    expect(getComputedStyle(slot as Element).direction).to.equal('ltr');
  });

  it('the language is never another one first, and a text on its way keeps its space', async () => {
    const { element } = await mount({ lang: 'ko' });
    const seen = new Set<string>();
    const heights = new Set<number>();
    for (let frame = 0; frame < 30; frame++) {
      await new Promise(requestAnimationFrame);
      const label = element.shadowRoot?.querySelector<HTMLElement>('[part=label]');
      if (!label) continue;
      heights.add(part(element, 'button').getBoundingClientRect().height);
      if (getComputedStyle(label).visibility === 'visible') seen.add(label.textContent?.trim() ?? '');
    }
    expect([...seen]).to.deep.equal([words.ko]);
    expect(heights.size).to.equal(1);
  });

  it('follows the page while the element is on it', async () => {
    const { element } = await mount({ lang: 'de' });
    await waitUntil(() => textOf(element).includes(words.de));
    element.lang = 'pl';
    await waitUntil(() => textOf(element).includes(words.pl));
    element.lang = 'en';
    await waitUntil(() => textOf(element).includes(words.en));
  });

  it('is ours where the page gives a text that it does not have', async () => {
    const { element } = await mount({ lang: 'ja', strings: { connect: undefined, legal: 'Own words' } });
    await reach(element, 'ready');
    expect(textOf(element)).to.contain(words.en);
    expect(part(element, 'legal').textContent).to.contain('Own words');
    await waitUntil(() => part(element, 'legal').closest('[lang]') || part(element, 'legal').hasAttribute('lang'));
  });

  it('is the page’s own words where it gives some', async () => {
    const { element } = await mount({ lang: 'de', strings: { connect: 'Konto bei {bank}' } });
    await waitUntil(() => textOf(element).includes('Konto bei'));
  });
});

describe('the merchant in the texts', () => {
  afterEach(cleanUp);

  it('the texts name the merchant that the server names', async () => {
    const { element, link } = await mount();
    await reach(element, 'ready');
    press(element);
    link.exit('INVALID_API_KEYS', null, 'INVALID_INPUT');
    await reach(element, 'error');
    const sentence = 'Try another way to pay, or contact Acme.';
    expect(spoken(element)).to.contain(sentence);
    expect(element.error?.message).to.contain(sentence);
  });

  it('is the page’s host as long as the server has named none', async () => {
    const { element } = await mount({}, ({ linkTokenErrors }) =>
      linkTokenErrors.push(refusal({ code: 'provider_misconfigured', action: 'contact_merchant' })),
    );
    await reach(element, 'error');
    expect(element.error?.message).to.contain(`or contact ${location.hostname}.`);
  });

  for (const purpose of ['payout', 'settlement'] as const) {
    it(`is asked for no payment where the purpose of the session is a ${purpose}`, async () => {
      const authorization = { text: 'Acme may credit your account.', version: '1', text_sha256: 'ab'.repeat(32) };
      const { element, link } = await mount({}, (backend) => {
        backend.purpose = purpose;
        backend.completeAnswers.push(refusal({ code: 'authorization_required', action: 'retry', authorization }));
      });
      const dialog = () => element.shadowRoot?.querySelector('dialog');
      await reach(element, 'ready');
      press(element);
      link.succeed();
      await waitUntil(() => dialog()?.open);
      expect(dialog()?.querySelector('h2')?.textContent).to.equal('Authorization');
      linkNamed(element, 'Cancel').click();
      await reach(element, 'ready');
      press(element);
      link.exit('INVALID_API_KEYS', null, 'INVALID_INPUT');
      await reach(element, 'error');
      expect(element.error?.message).to.equal('We can’t connect your bank right now. Please contact Acme.');
    });
  }
});
