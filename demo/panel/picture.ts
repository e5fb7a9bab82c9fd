import { html, svg, type TemplateResult } from 'lit';
import type { Place, Step } from '../step.ts';

/** A node of the picture; the merchant's server and the connect server share one, as they share an owner. */
type Node = 'browser' | 'server' | 'plaid' | 'finix';

interface Box {
  x: number;
  y: number;
  width: number;
  name: string;
  small: string;
}

const HEIGHT = 62;
const LOW_HEIGHT = 40;
/** Below this there is room for one line in a node. */
const ROOMY_PX = 500;
/** How long a step stays lit: long enough to be seen from the back of a room. */
const LIT_MS = 1_100;

interface Lit {
  from: Node;
  to: Node;
  actor: Place;
  isFailed: boolean;
  until: number;
}

/**
 * Browser, server, Plaid and Finix, and what is going on between them right now. Drawn in pixels, so that its text
 * keeps its size.
 */
export class Picture {
  #lit: Lit | undefined;
  #isDead = false;

  /** Lights up where the step is. */
  show(step: Step, isFailed: boolean): void {
    if (step.kind === 'process') this.#isDead = step.what === 'killed';
    const [from, to] = [nodeOf(step.from), nodeOf(step.to)];
    this.#lit = { from, to, actor: step.from, isFailed, until: performance.now() + LIT_MS };
  }

  draw(width: number): TemplateResult {
    const isRoomy = width >= ROOMY_PX;
    const lit = this.#lit && this.#lit.until > performance.now() ? this.#lit : undefined;
    const height = isRoomy ? HEIGHT : LOW_HEIGHT;
    const boxes = layout(width, height, isRoomy);
    const wires = wiresBetween(boxes, height).map(({ a, b, path, length }) => {
      const isLive = lit !== undefined && ((lit.from === a && lit.to === b) || (lit.from === b && lit.to === a));
      if (a === 'browser' && b === 'plaid' && !isLive) return svg`<path class="wire dotted" d=${path} />`;
      const state = isLive ? (lit.isFailed ? 'failed' : 'live') : '';
      const pulse = isLive ? (lit.from === a ? 'out' : 'back') : '';
      return svg`<g data-actor=${lit?.actor ?? 'connect'}><path class=${`wire ${state}`} d=${path} />
        <path class=${`pulse ${pulse}`} style=${`--length: ${length}`} d=${path} /></g>`;
    });
    const nodes = (Object.keys(boxes) as Node[]).map((name) => {
      const { x, y, width: wide, name: title, small } = boxes[name];
      const isDead = name === 'server' && this.#isDead;
      const state = isDead ? 'dead' : lit?.from === name || lit?.to === name ? 'live' : '';
      const middle = x + wide / 2;
      const below = isRoomy ? svg`<text class="small" x=${middle} y=${y + 49}>${isDead ? 'killed' : small}</text>` : '';
      return svg`<g class=${`node ${state}`} data-actor=${name === 'server' ? 'connect' : name}>
        <rect x=${x} y=${y} width=${wide} height=${height} rx="13" />
        <text x=${middle} y=${y + 27}>${title}</text>${below}
      </g>`;
    });
    const total = height * 2 + 24;
    return html`<div class="picture">
      <svg width=${width} height=${total} role="img" aria-label="Browser, your server, Plaid and Finix">${wires}${nodes}</svg>
    </div>`;
  }
}

/** Three columns: the browser, the server, and the two providers one above the other. */
function layout(width: number, height: number, isRoomy: boolean): Record<Node, Box> {
  const [browser, server, provider] = isRoomy ? [144, 152, 116] : [90, 78, 68];
  const middle = (height * 2 + 24 - height) / 2;
  const right = width - provider - 1;
  const between = (width - browser - server - provider) / 2;
  return {
    browser: { x: 1, y: middle, width: browser, name: 'Browser', small: 'page and Link' },
    server: {
      x: browser + between,
      y: middle,
      width: server,
      name: isRoomy ? 'Your server' : 'Server',
      small: 'keys stay here',
    },
    plaid: { x: right, y: 3, width: provider, name: 'Plaid', small: 'the bank' },
    finix: { x: right, y: height + 21, width: provider, name: 'Finix', small: 'the money' },
  };
}

function wiresBetween({ browser, server, plaid, finix }: Record<Node, Box>, height: number) {
  const half = height / 2;
  const y = server.y + half;
  const start = server.x + server.width;
  const bend = (start + plaid.x) / 2;
  const length = Math.round(Math.hypot(plaid.x - start, half + 12) * 1.1);
  const top = plaid.y + half;
  const low = finix.y + half;
  const gap = server.x - browser.x - browser.width;
  const over = browser.x + browser.width / 2;
  return [
    { a: 'browser', b: 'server', path: `M${browser.x + browser.width} ${y}h${gap}`, length: Math.round(gap) },
    { a: 'server', b: 'plaid', path: `M${start} ${y - 8}C${bend} ${y - 8} ${bend} ${top} ${plaid.x} ${top}`, length },
    { a: 'server', b: 'finix', path: `M${start} ${y + 8}C${bend} ${y + 8} ${bend} ${low} ${finix.x} ${low}`, length },
    {
      a: 'browser',
      b: 'plaid',
      path: `M${over} ${browser.y}C${over} ${plaid.y - 2} ${over + 60} ${plaid.y + 4} ${over + 110} ${plaid.y + 4}H${plaid.x - 12}l12 6`,
      length: Math.round(plaid.x - over + 20),
    },
  ];
}

function nodeOf(place: Place): Node {
  return place === 'shop' || place === 'connect' ? 'server' : place;
}
