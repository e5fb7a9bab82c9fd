import type { Actor, Line, Phase } from './words.ts';

const ACTORS: Record<Actor, string> = {
  customer: 'Customer',
  page: 'Page',
  shop: 'Shop’s server',
  server: 'Connect server',
  plaid: 'Plaid',
  finix: 'Finix',
};

/** How near the end a reader must be for new lines to be brought into view: about two lines. */
const FOLLOW_PX = 96;

/** The panel's list: lines by time, grouped by what the customer is at. A new attempt begins new groups. */
export class Timeline {
  readonly #lines: Line[] = [];
  #group: { phase: Phase; list: HTMLElement } | null = null;
  #last: Line | null = null;

  constructor(
    private readonly root: HTMLElement,
    private readonly empty: HTMLElement,
  ) {}

  /** Server and page tell their steps on two ways, so a line can come after a later one; it is put where it belongs. */
  add(line: Line | undefined): void {
    if (!line) return;
    const scroller = this.root.closest<HTMLElement>('.panel');
    const follows = scroller && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < FOLLOW_PX;
    const isLate = (this.#lines.at(-1)?.at ?? line.at) > line.at;
    this.#lines.push(line);
    if (isLate) this.#redraw();
    else this.#draw(line);
    this.empty.hidden = true;
    if (follows) scroller.scrollTop = scroller.scrollHeight;
  }

  #redraw(): void {
    this.#lines.sort((a, b) => a.at.getTime() - b.at.getTime());
    this.root.replaceChildren();
    this.#group = null;
    this.#last = null;
    for (const line of this.#lines) this.#draw(line);
  }

  #draw(line: Line): void {
    // Link tells some steps twice, as a view and as an action; one line is enough.
    const isRepeated = line.actor === 'customer' && line.text === this.#last?.text;
    this.#last = line;
    if (isRepeated) return;
    if (this.#group?.phase !== line.phase) {
      const list = element('ol', {});
      this.root.append(element('section', { class: 'group' }, element('h3', {}, line.phase), list));
      this.#group = { phase: line.phase, list };
    }
    this.#group.list.append(row(line));
  }
}

function row({ at, actor, text, detail, failed }: Line): HTMLElement {
  const clock = at.toLocaleTimeString('en-US', { hour12: false });
  const time = element('time', { datetime: at.toISOString() }, clock);
  const name = element('span', { class: 'actor' }, ACTORS[actor]);
  const words = element('p', {}, name, ' ', text);
  const small = detail ? [element('code', {}, detail)] : [];
  return element('li', { 'data-actor': actor, ...(failed ? { class: 'failed' } : {}) }, time, words, ...small);
}

function element(tag: string, attributes: Record<string, string>, ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
