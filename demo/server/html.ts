import { html, raw } from 'hono/html';
import type { MerchantConnection } from '../../widget/contract.ts';
import { dollars, type Merchant } from './merchants.ts';
import { isUnconfirmed, type Order } from './order.ts';

export type Html = ReturnType<typeof html>;

// Drawn here, so that nothing has to be fetched from anywhere.
const ART = {
  bag: raw(`<svg class="art" viewBox="0 0 64 64" aria-hidden="true"><path class="art-a" d="M18 14h28l3 40a3 3 0 0 1-3 3H18a3 3 0 0 1-3-3z"/><path
    class="art-b" d="M18 14l2-6h24l2 6z"/><rect class="art-c" x="22" y="26" width="20" height="20" rx="2"/><path class="art-d" d="M32 30c-4 3-4 9 0 12 4-3 4-9 0-12z"/></svg>`),
  dripper:
    raw(`<svg class="art" viewBox="0 0 64 64" aria-hidden="true"><path class="art-b" d="M12 12h40L38 36H26z"/><path class="art-a" d="M20 36h24v5H20z"/><path
    class="art-c" d="M22 41h20v11a5 5 0 0 1-5 5H27a5 5 0 0 1-5-5z"/><path class="art-d" d="M26 46h12v5a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2z"/></svg>`),
};

interface Line {
  name: string;
  detail: string;
  cents: number;
  art?: keyof typeof ART;
}

/** What each merchant sells, charges or owes. The lines add up to the merchant's amount. */
const COPY: Record<
  Merchant['key'],
  {
    wordmark: Html;
    tagline: string;
    title: string;
    lead: string;
    pay: string;
    hint: string;
    /** Another way to pay, or to be paid, where Link can't run. */
    fallback: string;
    button: string;
    /** The customer's permission for one debit, where the session asks for no lasting one. */
    authorization?: string;
    lines: Line[];
  }
> = {
  coffee: {
    wordmark: html`Kestrel <i>&amp;</i> Oak`,
    tagline: 'Coffee, roasted on Tuesdays',
    title: 'Checkout',
    lead: 'Ships to 48 Harbor Street, Portland, ME',
    pay: 'Pay by bank',
    hint: 'Straight from your account. Next time it is one tap.',
    fallback: 'Or pay by invoice: hello@kestrel.example',
    button: 'Place order',
    authorization: 'By placing this order, you authorize Kestrel & Oak to debit $86.60 from your bank account once.',
    lines: [
      { name: 'Ridgeline, whole beans', detail: '2 bags of 340 g', cents: 3_800, art: 'bag' },
      { name: 'Stoneware dripper', detail: 'One or two cups', cents: 4_200, art: 'dripper' },
      { name: 'Tax', detail: 'Shipping is free', cents: 660 },
    ],
  },
  rent: {
    wordmark: html`Linden Court`,
    tagline: 'Resident portal',
    title: 'December rent',
    lead: 'Apartment 4B · due on December 1',
    pay: 'Pay from your bank',
    hint: 'Connect once. The first of each month takes care of itself.',
    fallback: 'Or pay by check: office@linden.example',
    button: 'Pay rent',
    lines: [
      { name: 'Rent', detail: 'December', cents: 172_500 },
      { name: 'Water and heat', detail: 'Metered', cents: 8_400 },
      { name: 'Bike room', detail: 'Space 12', cents: 3_600 },
    ],
  },
  payout: {
    wordmark: html`Fieldnote<b>.</b>`,
    tagline: 'For independent illustrators',
    title: 'Your payout is ready',
    lead: 'Arrives in 1–2 business days',
    pay: 'Where should it go?',
    hint: 'Sign in to your bank. No account numbers to copy.',
    fallback: 'Or ask for a check: hello@fieldnote.example',
    button: 'Transfer',
    lines: [
      { name: 'Harbor atlas, 24 spreads', detail: 'Invoice 2061', cents: 216_000 },
      { name: 'Cover revisions', detail: 'Invoice 2064', cents: 31_000 },
    ],
  },
};

export function copyOf({ key }: Merchant) {
  return COPY[key];
}

/** Values for the placeholders of the merchants' page. */
export function checkoutValues(merchant: Merchant): Record<string, Html | string> {
  const { wordmark, tagline, title, lead, pay, hint, fallback, button, authorization, lines } = copyOf(merchant);
  const total = dollars(merchant.amountCents);
  const { firstName, lastName, owner } = merchant.person;
  return {
    merchant: merchant.key,
    'page-title': `${title} · ${merchant.name.replace('&', '&amp;')}`,
    main: html`<header class="masthead"><p class="wordmark">${wordmark}</p><p class="tagline">${tagline}</p></header>
<form class="checkout" id="checkout" action="/checkout" method="post">
  <input type="hidden" name="merchant" value="${merchant.key}">
  <div class="intro">
    <h1>${title}</h1>
    <p class="lead">${lead}</p>
  </div>
  <section class="summary" aria-label="Summary">
    <p class="amount">${total}</p>
    <ul class="items">${lines.map(
      ({ name, detail, cents, art }) => html`<li>
        ${art ? ART[art] : ''}
        <p class="item"><strong>${name}</strong><span>${detail}</span></p>
        <span class="price">${dollars(cents)}</span>
      </li>`,
    )}</ul>
    <p class="total"><span>Total</span><span>${total}</span></p>
  </section>
  <p class="person"><span class="initials" aria-hidden="true">${firstName.charAt(0)}${lastName.charAt(0)}</span>
    <span><strong>${firstName} ${lastName}</strong><span>${owner.email}</span></span></p>
  <section class="payment" aria-labelledby="pay">
    <h2 id="pay">${pay}</h2>
    <p class="hint">${hint}</p>
    <finix-bank-connect name="bank_account" required>
      <p slot="fallback" class="fallback">${fallback}</p>
    </finix-bank-connect>
  </section>
  ${authorization === undefined ? '' : html`<p class="terms">${authorization}</p>`}
  <button type="submit" class="place">${button} · ${total}</button>
</form>`,
  };
}

/**
 * What became of an order, in words for the customer, with the way forward. `repair` is the client secret of a repair
 * session.
 */
export function orderValues(
  merchant: Merchant,
  order: Order,
  connection: MerchantConnection | undefined,
  repair: string | undefined,
): Record<string, Html | string> {
  const { wordmark, tagline } = copyOf(merchant);
  const { title, sentence, tone, way } = outcome(merchant, order, connection);
  return {
    merchant: merchant.key,
    'page-title': `${title} · ${merchant.name.replace('&', '&amp;')}`,
    main: html`<header class="masthead"><p class="wordmark">${wordmark}</p><p class="tagline">${tagline}</p></header>
<article class="outcome" data-tone="${tone}" data-order="${order.id}" data-state="${order.state}">
  <span class="seal" aria-hidden="true">${SEALS[tone]}</span>
  <h1>${title}</h1>
  <p class="lead">${sentence}</p>
  ${repair === undefined ? '' : html`<finix-bank-connect data-purpose="repair" client-secret="${repair}"></finix-bank-connect>`}
  <dl class="facts">
    <div><dt>${merchant.purpose === 'payout' ? 'To' : 'From'}</dt><dd>${order.bank}</dd></div>
    <div><dt>Amount</dt><dd>${dollars(merchant.amountCents)}</dd></div>
    <div><dt>Reference</dt><dd>${order.id}</dd></div>
  </dl>
  ${proof(merchant, order, connection)}
  ${way === null ? '' : html`<p class="ways"><a class="place" href="/${merchant.key}${way === 'Use another bank' ? '?fresh' : ''}">${way}</a></p>`}
</article>`,
  };
}

/** What the merchant's server knows. In the story the panel shows it as it happens. */
function proof(merchant: Merchant, order: Order, connection: MerchantConnection | undefined): Html {
  const rows: [string, string][] = [
    ['Connection', order.connection],
    ['Customer', connection?.customer_id ?? '–'],
    ['Payment instrument', connection?.payment_instrument ?? 'follows once the bank has confirmed the account'],
    ['Check', order.check?.decision ?? 'not asked'],
    ['Transfer', order.transfer ?? 'none'],
  ];
  return html`<section class="proof" aria-labelledby="proof">
    <h2 id="proof">What the server of ${merchant.name} knows</h2>
    <p>It fetched the connection with its own key and compared the customer before it believed the form.</p>
    <dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
  </section>`;
}

type Tone = 'good' | 'waiting' | 'bad';

interface Outcome {
  title: string;
  sentence: string;
  tone: Tone;
  way: string | null;
}

const mark = (path: string) =>
  raw(
    `<svg viewBox="0 0 32 32" width="32" height="32"><path d="${path}" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`,
  );
const SEALS: Record<Tone, Html> = {
  good: html`${mark('M8 17l5.5 5.5L24.5 10.5')}`,
  waiting: html`${mark('M16 8.5V16l5 3.5')}`,
  bad: html`${mark('M16 8v10m0 5v.5')}`,
};

function outcome(merchant: Merchant, order: Order, connection: MerchantConnection | undefined): Outcome {
  const status = connection?.status;
  const { person, purpose } = merchant;
  const amount = dollars(merchant.amountCents);
  const thanks = `Thank you, ${person.firstName}.`;
  const nothing = purpose === 'payout' ? 'Nothing was sent' : 'Nothing was debited';
  if (status === 'needs_repair') {
    return {
      title: 'Please sign in to your bank again',
      sentence: `${order.bank} asks you to confirm that it is still you. Nothing is ${purpose === 'payout' ? 'sent' : 'debited'} until then.`,
      tone: 'waiting',
      way: null,
    };
  }
  const hasEnded = status === 'revoked' || status === 'removed';
  // Lack of money leaves the account usable: a permission that has ended since is the later event.
  if (order.state === 'returned' && !(hasEnded && order.returned === 'R01')) {
    const [sentence, way] = RETURNED[order.returned ?? ''] ?? ['Your bank returned the payment.', 'Use another bank'];
    return { title: 'Your bank returned the payment', sentence, tone: 'bad', way };
  }
  const returned = connection?.last_return?.code;
  // Lack of money ends nothing; any other return does.
  if (hasEnded && returned && returned !== 'R01') {
    const [sentence] = RETURNED[returned] ?? [];
    return {
      title: nothing,
      sentence: sentence ?? 'Your bank returned an earlier payment.',
      tone: 'bad',
      way: 'Use another bank',
    };
  }
  if (hasEnded) {
    return {
      title: 'You ended the permission at your bank',
      sentence: `Nothing more will be ${purpose === 'payout' ? 'sent to' : 'debited from'} ${order.bank}.`,
      tone: 'bad',
      way: 'Use another bank',
    };
  }
  if (order.state === 'stopped') {
    const reason = order.check?.reasons.map(({ message }) => message).join(' ') ?? '';
    return { title: nothing, sentence: reason, tone: 'bad', way: 'Use another bank' };
  }
  if (order.state === 'held') {
    return isUnconfirmed(order)
      ? {
          title: thanks,
          sentence: `${amount} will be ${purpose === 'payout' ? 'sent to' : 'collected from'} ${order.bank} once your bank has confirmed the account.`,
          tone: 'waiting',
          way: null,
        }
      : {
          title: 'We are taking a second look',
          sentence: `${nothing} yet. ${order.problem ?? order.check?.reasons[0]?.message ?? ''}`,
          tone: 'waiting',
          way: 'Use another bank',
        };
  }
  const sentence =
    purpose === 'payout'
      ? `${amount} is on its way to ${order.bank}.`
      : `${amount} will be debited from ${order.bank}.`;
  return { title: thanks, sentence, tone: 'good', way: null };
}

/** By return code: what the customer reads, and the way forward. */
const RETURNED: Record<string, [sentence: string, way: string] | undefined> = {
  R01: ['There was not enough money in the account. We will ask before we try again.', 'Use another bank'],
  R03: ['The bank did not find the account, so it can no longer be used.', 'Use another bank'],
  R10: ['The bank says that you did not authorize it. We have stopped using this account.', 'Use another bank'],
};

/** Why the order was not taken, in a sentence and with a way back. */
export function refusalValues(merchant: Merchant, title: string, sentence: string): Record<string, Html | string> {
  const { wordmark, tagline } = copyOf(merchant);
  return {
    merchant: merchant.key,
    'page-title': title,
    main: html`<header class="masthead"><p class="wordmark">${wordmark}</p><p class="tagline">${tagline}</p></header>
<article class="outcome" data-tone="bad">
  <span class="seal" aria-hidden="true">${SEALS.bad}</span>
  <h1>${title}</h1>
  <p class="lead">${sentence}</p>
  <p class="ways"><a class="place" href="/${merchant.key}">Back to ${merchant.purpose === 'payout' ? 'the payout' : 'checkout'}</a></p>
</article>`,
  };
}
