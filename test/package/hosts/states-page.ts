import { showState } from '../../widget/helpers/show-state.ts';
import { states } from '../../widget/helpers/states.ts';

declare global {
  /** Brings a new element to the state, and takes it away again. */
  var show: (name: string) => Promise<void>;
}

globalThis.show = async (name) => {
  const box = document.body.appendChild(document.createElement('main'));
  const state = states[name];
  if (!state) throw new Error(name);
  const { element } = await showState(box, name, state);
  element.reset();
  await element.updateComplete;
  element.remove();
  // What goes with an element that leaves its page goes a moment later.
  await new Promise((resolve) => setTimeout(resolve));
  box.remove();
  sessionStorage.clear();
};
Object.assign(globalThis, { names: Object.keys(states) });
