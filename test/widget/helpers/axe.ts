import type axeCore from 'axe-core';
import 'axe-core';

// The package is no ES module; as a script it leaves itself on the window.
const { axe } = globalThis as unknown as { axe: typeof axeCore };

/** What axe has against an element, one line for each. A single element needs no landmarks around it. */
export async function violations(element: Element): Promise<string[]> {
  const found = await axe.run(element, { rules: { region: { enabled: false } } });
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
}
