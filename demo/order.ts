import { html, raw } from 'hono/html';

// Drawn here, so that nothing has to be fetched from anywhere.
const ART = {
  bag: raw(`<svg class="art" viewBox="0 0 64 64" aria-hidden="true"><path class="art-a" d="M18 14h28l3 40a3 3 0 0 1-3 3H18a3 3 0 0 1-3-3z"/><path
    class="art-b" d="M18 14l2-6h24l2 6z"/><rect class="art-c" x="22" y="26" width="20" height="20" rx="2"/><path class="art-d" d="M32 30c-4 3-4 9 0 12 4-3 4-9 0-12z"/></svg>`),
  dripper:
    raw(`<svg class="art" viewBox="0 0 64 64" aria-hidden="true"><path class="art-b" d="M12 12h40L38 36H26z"/><path class="art-a" d="M20 36h24v5H20z"/><path
    class="art-c" d="M22 41h20v11a5 5 0 0 1-5 5H27a5 5 0 0 1-5-5z"/><path class="art-d" d="M26 46h12v5a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2z"/></svg>`),
};

/** The order of the invented shop. Cents, so that sums are exact. */
const ITEMS = [
  { name: 'Ridgeline, whole beans', detail: '2 bags of 340 g, roasted to order', cents: 3800, art: 'bag' },
  { name: 'Stoneware dripper', detail: 'Speckled, for one or two cups', cents: 4200, art: 'dripper' },
] as const;
const TAX_CENTS = 660;

export const TOTAL = dollars(ITEMS.reduce((sum, { cents }) => sum + cents, TAX_CENTS));

export function orderLines() {
  return html`<ul class="items">
    ${ITEMS.map(
      ({ name, detail, cents, art }) => html`<li>
        ${ART[art]}
        <div class="item"><strong>${name}</strong><span>${detail}</span></div>
        <span class="price">${dollars(cents)}</span>
      </li>`,
    )}
  </ul>
  <dl class="sums">
    <div><dt>Shipping</dt><dd>Free</dd></div>
    <div><dt>Tax</dt><dd>${dollars(TAX_CENTS)}</dd></div>
    <div class="total"><dt>Total</dt><dd>${TOTAL}</dd></div>
  </dl>`;
}

function dollars(cents: number): string {
  return `$${(cents / 100).toFixed(2)}`;
}
