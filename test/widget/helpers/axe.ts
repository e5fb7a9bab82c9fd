import type axeCore from 'axe-core';
import 'axe-core';

// The package is no ES module; as a script it leaves itself on the window.
const { axe } = globalThis as unknown as { axe: typeof axeCore & Internals };

/** What axe's own rules use, and its types leave out. */
interface Internals {
  setup(root: Element): unknown;
  teardown(): void;
  commons: { text: { accessibleText(element: Element): string } };
}

const RULES = {
  rules: {
    region: { enabled: false },
    // WCAG 2.2, which axe leaves out unless it is asked.
    'target-size': { enabled: true },
  },
};

/** What axe has against an element, one line for each. A single element needs no landmarks around it. */
export async function violations(element: Element): Promise<string[]> {
  const found = await axe.run(element, RULES);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
}

/** The accessible name of an element, also one in a shadow tree. */
export function nameOf(element: Element): string {
  axe.setup(document.documentElement);
  try {
    return axe.commons.text.accessibleText(element).replace(/\s+/g, ' ').trim();
  } finally {
    axe.teardown();
  }
}

/** The accessible description of an element: the text of what it refers to in its own tree. */
export function descriptionOf(element: Element): string {
  const root = element.getRootNode() as ShadowRoot;
  const ids = element.getAttribute('aria-describedby')?.split(/\s+/) ?? [];
  const words = ids.map((id) => {
    const found = root.getElementById(id);
    const slot = found?.querySelector('slot');
    const assigned = slot?.assignedNodes({ flatten: true }) ?? [];
    return assigned.length ? assigned.map(({ textContent }) => textContent).join(' ') : (found?.textContent ?? '');
  });
  return words.join(' ').replace(/\s+/g, ' ').trim();
}
