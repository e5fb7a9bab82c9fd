import type { ElementProperties } from '../element/properties.ts';
import { hintAtDarkPage } from './page-scheme.ts';

/** What an attribute may be, and how the console lists it. Every one may be left out. */
const ATTRIBUTES = {
  mode: [/^(button|embedded|hosted)$/, 'button, embedded or hosted'],
  theme: [/^(dark|light)$/, 'dark or light'],
} as const;

/** Each is shown once, however many elements a page has. */
const shown = new Set<string>();

/** What of the page around an element, and of its attributes, is most likely a mistake. The console warns of it. */
export function hint(element: ElementProperties): void {
  hintAtDarkPage(element);
  const { mode, theme } = element;
  for (const [name, value] of Object.entries({ mode, theme })) {
    const [right, choices] = ATTRIBUTES[name as keyof typeof ATTRIBUTES];
    if (!value || right.test(value)) continue;
    const text = `finix-bank-connect: ${name}="${value}" is not valid. Use ${choices}`;
    if (!shown.has(text)) console.warn(text);
    shown.add(text);
  }
}
