import { html, raw } from 'hono/html';
import type { Order } from './customers.ts';
import { orderLines, TOTAL } from './order.ts';

type Html = ReturnType<typeof html>;

interface Frame {
  title: string;
  /** `<link>` tags. */
  styles: string;
  theme: string;
  /** No bank and no money behind it. */
  simulated: boolean;
}

function frame({ title, styles, theme, simulated }: Frame, body: Html): Html {
  return html`<!doctype html>
<html lang="en" data-theme="${theme}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title} · Kestrel &amp; Oak</title>
    <link rel="icon" href="data:,">
    ${raw(styles)}
  </head>
  <body class="plain">
    <main class="paper">
      <header class="head">
        <p class="wordmark">Kestrel <i>&amp;</i> Oak</p>
        ${simulated ? html`<p class="tag">Simulator, nothing is real</p>` : ''}
      </header>
      ${body}
    </main>
  </body>
</html>`;
}

/** What the customer keeps, and beside it what the shop's server has learned: the payment instrument that it can now charge. */
export function receiptPage(order: Order, look: Omit<Frame, 'title'>): Html {
  const { connection } = order;
  const { institution, account, payment_instrument, status } = connection;
  const bank = `${institution.name ?? 'Bank'} ••${account.mask ?? ''}`;
  const rows: [string, string][] = [
    ['Payment instrument', payment_instrument ?? 'follows once the bank has confirmed the account'],
    ['Connection', connection.id],
    ['Customer', connection.customer_id],
    ['Finix identity', connection.finix_identity ?? '–'],
    ['Status', status.replace('_', ' ')],
  ];
  return frame(
    { title: 'Thank you', ...look },
    html`<h1>Thank you, Maya.</h1>
      <p class="lead">Order ${order.id} is on its way to the roaster. ${
        status === 'pending_verification'
          ? `${TOTAL} will be collected from ${bank} once your bank has confirmed the account.`
          : `${TOTAL} will be collected from ${bank}.`
      }</p>
      ${orderLines()}
      <section class="proof" aria-labelledby="proof">
        <h2 id="proof">What the shop’s server knows</h2>
        <p>It fetched the connection with its own key and compared the customer before it believed the form.</p>
        <dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      </section>
      <p class="actions"><a class="place" href="/">Start again</a></p>`,
  );
}

/** Why the order was not taken, in a sentence and with a way back. */
export function refusalPage(title: string, sentence: string, look: Omit<Frame, 'title'>): Html {
  return frame(
    { title, ...look },
    html`<h1>${title}</h1>
      <p class="lead">${sentence}</p>
      <p class="actions"><a class="place" href="/">Back to the checkout</a></p>`,
  );
}
