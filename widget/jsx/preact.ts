/** Types of `<finix-bank-connect>` in Preact's JSX. */
import type { HTMLAttributes } from 'preact';
import type { FinixBankConnect } from '../finix-bank-connect.ts';
import type { TagAttributes, TagEvents, TagProperties } from './tag.ts';

export type Tag = Omit<HTMLAttributes<FinixBankConnect>, keyof TagAttributes> &
  TagAttributes &
  TagProperties &
  TagEvents<'on'>;

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'finix-bank-connect': Tag;
    }
  }
}
