/** Types of `<finix-bank-connect>` in the JSX of React 19, which sets properties and listens to events by itself. */
import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { FinixBankConnect } from '../finix-bank-connect.ts';
import type { TagAttributes, TagEvents, TagProperties } from './tag.ts';

export type Tag = Omit<DetailedHTMLProps<HTMLAttributes<FinixBankConnect>, FinixBankConnect>, keyof TagAttributes> &
  TagAttributes &
  TagProperties &
  TagEvents<'on'>;

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'finix-bank-connect': Tag;
    }
  }
}
