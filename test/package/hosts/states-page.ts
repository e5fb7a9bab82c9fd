import '../../../widget/index.ts';
import { SimulatedLink } from '../../widget/helpers/simulated-link.ts';

SimulatedLink.install();

import type { FinixBankConnect } from '../../../widget/index.ts';
import { overflow, PLACEMENTS } from '../../widget/helpers/placements.ts';
import { showState } from '../../widget/helpers/show-state.ts';
import { type State, states } from '../../widget/helpers/states.ts';
import { faultsOf } from './faults.ts';

/** Where an element is, in pixels. */
export interface Place {
  width: number;
  /** By how much it reaches out of its parent. */
  outside: number;
  /** By how much its content is wider than it is. */
  overflow: number;
  buttonHeight: number;
  /** The width once a bank is connected. */
  connected: number;
}

declare global {
  /** Brings a new element to the state, and leaves it in the page; the faults in what is drawn. */
  var show: (name: string) => Promise<string[]>;
  /** Takes the element away again. */
  var hide: () => Promise<void>;
  /** Brings a new element into one of the parents, and to a connected bank. */
  var place: (name: string, width: number) => Promise<Place>;
}

let shown: FinixBankConnect | undefined;

globalThis.show = async (name) => {
  const box = document.body.appendChild(document.createElement('main'));
  const state = stateNamed(name);
  const { element } = await showState(box, name, state);
  shown = element;
  return faultsOf(element, state);
};

globalThis.hide = async () => {
  const box = shown?.closest('main');
  shown?.reset();
  await shown?.updateComplete;
  shown?.remove();
  // What goes with an element that leaves its page goes a moment later.
  await new Promise((resolve) => setTimeout(resolve));
  box?.remove();
  sessionStorage.clear();
};

globalThis.place = async (name, width) => {
  const box = document.body.appendChild(document.createElement('main'));
  box.style.inlineSize = `${width}px`;
  // A parent of its own keeps the place until the element comes; some placements style the tag itself.
  box.innerHTML = (PLACEMENTS[name] ?? '').replace('@', '<finix-bank-connect></finix-bank-connect>');
  const written = box.querySelector('finix-bank-connect') as FinixBankConnect;
  const { element, link } = await showState(box, name, stateNamed('ready'));
  element.style.cssText = written.style.cssText;
  written.replaceWith(element);
  await new Promise(requestAnimationFrame);
  shown = element;
  const { width: own, right } = element.getBoundingClientRect();
  const button = element.shadowRoot?.querySelector('.main')?.getBoundingClientRect();
  const found = {
    width: own,
    outside: Math.max(0, right - box.getBoundingClientRect().right),
    overflow: overflow(element),
    buttonHeight: button?.height ?? 0,
  };
  element.open();
  link.succeed();
  while (element.status !== 'connected') await new Promise((resolve) => setTimeout(resolve, 5));
  await element.updateComplete;
  const connected = element.getBoundingClientRect().width;
  return { ...found, overflow: Math.max(found.overflow, overflow(element)), connected };
};

function stateNamed(name: string): State {
  const state = states[name];
  if (!state) throw new Error(name);
  return state;
}

Object.assign(globalThis, { names: Object.keys(states), placements: Object.keys(PLACEMENTS) });
