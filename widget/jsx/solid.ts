/** Types of `<finix-bank-connect>` in Solid's JSX. */
import type { JSX } from 'solid-js';
import type { FinixBankConnect } from '../finix-bank-connect.ts';
import type { TagAttributes, TagEvents, TagProperties } from './tag.ts';

export type Tag = Omit<JSX.HTMLAttributes<FinixBankConnect>, keyof TagAttributes> &
  TagAttributes &
  TagProperties &
  TagEvents<'on:'>;

declare module 'solid-js' {
  namespace JSX {
    interface IntrinsicElements {
      'finix-bank-connect': Tag;
    }
  }
}
