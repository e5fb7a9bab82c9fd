import { type Actor, type Line, PHASES, type Phase } from './words.ts';

const ACTORS: Record<Actor, string> = {
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
  #group: { phase: Phase; list: HTMLElement } | null = null;
  #lastText = '';

  constructor(
    private readonly root: HTMLElement,
    private readonly empty: HTMLElement,
  ) {}

  /** Link reports some steps twice, as a view and as an action; one line is enough. */
  add(line: Line | undefined): void {
    if (!line || (line.actor === 'page' && line.text === this.#lastText)) return;
    this.#lastText = line.text;
    this.empty.hidden = true;
    const scroller = this.root.closest<HTMLElement>('.panel');
    const follows = scroller && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < FOLLOW_PX;
    this.#listFor(line.phase).append(row(line));
    if (follows) scroller.scrollTop = scroller.scrollHeight;
  }

  #listFor(phase: Phase): HTMLElement {
    if (this.#group && this.#staysIn(this.#group.phase, phase)) return this.#group.list;
    const title = element('h3', {}, phase);
    const list = element('ol', {});
    this.root.append(element('section', { class: 'group' }, title, list));
    this.#group = { phase, list };
    return list;
  }

  /** Page and server tell their steps on two ways, so a late line of the phase before must not open a group of its own. */
  #staysIn(current: Phase, next: Phase): boolean {
    const [at, to] = [PHASES.indexOf(current), PHASES.indexOf(next)];
    return at === to || (at - to === 1 && to > 0);
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
