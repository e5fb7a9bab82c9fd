import '../../../widget/index.ts';
import '../../../widget/detour/index.ts';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { SimulatedBackend } from './simulated-backend.ts';
import { SimulatedLink } from './simulated-link.ts';
import type { Shown, State } from './states.ts';

// What a test waits for takes less than this.
const LONG = 5_000;
// A message that something is slow waits as long as this, first and then again.
const SLOW = [8_000, 52_000];

/** Puts an element into the page and brings it to a state. */
export async function showState(parent: Element, name: string, state: State): Promise<Shown> {
  const link = SimulatedLink.install();
  const backend = new SimulatedBackend();
  state.server?.(backend);
  state.before?.(name);
  const element = document.createElement('finix-bank-connect');
  Object.assign(element, { backend, name, ...state.properties });
  element.innerHTML = state.inside ?? '';
  parent.append(element);
  await element.updateComplete;
  element.dispatchEvent(new Event('pointerenter'));
  const shown = { element, backend, link };
  if (state.act) {
    if (backend.hold === null) await until(() => element.status === 'ready', `${name} is not ready`);
    const timers = hurry(state.slow ?? 0);
    state.act(shown);
    await until(timers.areOver, `${name} is not slow`).finally(timers.stop);
  }
  await reached(element, name, state);
  return shown;
}

async function reached(element: FinixBankConnect, name: string, { status, announces, shows }: State): Promise<void> {
  const root = element.shadowRoot as ShadowRoot;
  const isThere = () =>
    element.status === status &&
    (!announces || announces.test(root.querySelector('[role=status]')?.textContent ?? '')) &&
    (!shows || root.querySelector(`[part~="${CSS.escape(shows)}"]`) || root.textContent?.includes(shows));
  await until(() => Boolean(isThere()), `${name} is not there, but ${element.status}: ${root.textContent}`);
  await element.updateComplete;
}

async function until(done: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + LONG; !done(); await new Promise((resolve) => setTimeout(resolve, 5))) {
    if (performance.now() > end) throw new Error(what);
  }
}

/** The next timers that show that something is slow, as many as given, run out at once. */
function hurry(count: number): { areOver(): boolean; stop(): void } {
  const { setTimeout: wait } = globalThis;
  let left = count;
  let running = count;
  const hurried = (act: () => void, delay = 0) => {
    if (!SLOW.includes(delay) || left <= 0) return wait(act, delay);
    left--;
    return wait(() => {
      running--;
      act();
    });
  };
  globalThis.setTimeout = hurried as typeof setTimeout;
  return {
    areOver: () => running <= 0,
    stop() {
      globalThis.setTimeout = wait;
    },
  };
}
