import { aTimeout, fixture, fixtureCleanup } from '@open-wc/testing';
import type { ElementStatus } from '../../../widget/flow/state.ts';
import type { FinixBankConnect } from '../../../widget/index.ts';
import type { FbcEventMap } from '../../../widget/lazy/events.ts';
import '../../../widget/index.ts';
// Here as in a bundle that has it: how it is fetched is tested with the built script
// (test/package/detour-chunk.test.ts).
import '../../../widget/detour/index.ts';
import { SimulatedBackend } from './simulated-backend.ts';
import { SimulatedLink } from './simulated-link.ts';
import { waitUntil } from './wait-until.ts';

export const EVENTS = [
  'fbc-open',
  'fbc-step',
  'fbc-connected',
  'fbc-pending',
  'fbc-needs-repair',
  'fbc-canceled',
  'fbc-error',
] as const satisfies (keyof FbcEventMap)[];

export interface Mounted {
  element: FinixBankConnect;
  backend: SimulatedBackend;
  link: SimulatedLink;
  /** Every event of the element, as `name status-at-that-moment`. */
  log: string[];
  details: unknown[];
}

/** An element on the page, with a server in memory and a simulated Link. */
export async function mount<Link extends SimulatedLink = SimulatedLink>(
  properties: Partial<FinixBankConnect> = {},
  prepare: (backend: SimulatedBackend) => void = () => {},
  parent: ParentNode & Node = document.createElement('div'),
  link: Link = SimulatedLink.install() as Link,
): Promise<Mounted & { link: Link }> {
  const backend = new SimulatedBackend();
  prepare(backend);
  const element = document.createElement('finix-bank-connect');
  const log: string[] = [];
  const details: unknown[] = [];
  for (const name of EVENTS) {
    element.addEventListener(name, (event) => {
      log.push(`${name} ${element.getAttribute('status')}`);
      details.push(event.detail);
    });
  }
  Object.assign(element, { backend, ...properties });
  parent.append(element);
  const host = await fixture(document.createElement('section'));
  host.append(parent);
  return { element, backend, link, log, details };
}

/** An element so far down the page that its customer does not come near, after the time in which one in view asks. */
export async function mountFarAway(): Promise<Mounted> {
  const far = document.createElement('div');
  far.style.paddingTop = '5000px';
  const mounted = await mount({}, undefined, far);
  await mounted.element.updateComplete;
  // No event shows that nothing was prepared; an element in view has asked its server well before.
  await aTimeout(100);
  return mounted;
}

/** Link ends, and the backend has a question about it that opens as a dialog. */
export async function reachQuestion({ element, link }: Mounted): Promise<void> {
  link.succeed();
  await waitUntil(() => element.shadowRoot?.querySelector('dialog')?.open);
}

export async function reach(element: FinixBankConnect, status: ElementStatus): Promise<void> {
  await waitUntil(() => element.status === status, `the element to be ${status}`);
  await element.updateComplete;
}

/** To Link and back with a bank. */
export async function connect({ element, link }: Mounted, status: ElementStatus = 'connected'): Promise<void> {
  await reach(element, 'ready');
  press(element);
  link.succeed();
  await reach(element, status);
}

export function part(element: FinixBankConnect, name: string): HTMLElement {
  const found = element.shadowRoot?.querySelector<HTMLElement>(`[part~="${name}"]`);
  if (!found) throw new Error(`There is no part "${name}" in status ${element.status}`);
  return found;
}

export function press(element: FinixBankConnect): void {
  part(element, 'button').click();
}

export function linkNamed(element: FinixBankConnect, text: string): HTMLButtonElement {
  const all = [...(element.shadowRoot?.querySelectorAll('button') ?? [])];
  const found = all.find((button) => button.textContent?.trim() === text);
  if (!found)
    throw new Error(`There is no button "${text}" among: ${all.map((one) => one.textContent?.trim()).join(', ')}`);
  return found;
}

export function spoken(element: FinixBankConnect): string {
  return element.shadowRoot?.querySelector('[role=status]')?.textContent ?? '';
}

export function textOf(element: FinixBankConnect): string {
  return (element.shadowRoot?.querySelector('.base')?.textContent ?? '').replace(/\s+/g, ' ');
}

/** For `afterEach`: a test leaves nothing behind for the next. */
export async function cleanUp(): Promise<void> {
  fixtureCleanup();
  await aTimeout(0);
  SimulatedLink.remove();
  sessionStorage.clear();
  document.body.style.overflow = '';
}
