import type { ElementProperties } from '../element/properties.ts';
import type { View } from '../element/view.ts';
import type { Strings } from '../i18n/index.ts';

/** What the detour's parts are made of: with every text. */
export interface DetourView extends View {
  strings: Strings;
  element: ElementProperties;
}
