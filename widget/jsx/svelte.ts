/** Types of `<finix-bank-connect>` in Svelte 5. */
import type { HTMLAttributes } from 'svelte/elements';
import type { FinixBankConnect } from '../finix-bank-connect.ts';
import type { TagAttributes, TagEvents, TagProperties } from './tag.ts';

export type Tag = Omit<HTMLAttributes<FinixBankConnect>, keyof TagAttributes> &
  TagAttributes &
  TagProperties &
  TagEvents<'on'>;

declare module 'svelte/elements' {
  interface SvelteHTMLElements {
    'finix-bank-connect': Tag;
  }
}
