import type { FinixBankConnect } from '../finix-bank-connect.ts';
import type { FbcEventMap } from '../lazy/events.ts';

type Element = FinixBankConnect;

/** What can be written on the tag in any framework. */
export interface TagAttributes {
  endpoint?: string | null;
  'client-secret'?: string | null;
  mode?: Element['mode'];
  theme?: Element['theme'];
  name?: string | null;
  required?: boolean;
  disabled?: boolean;
  'first-name'?: string | null;
  'last-name'?: string | null;
  email?: string | null;
  nonce?: string;
}

/** What frameworks set as properties, because the element has them under these names. */
export type TagProperties = Partial<
  Pick<Element, 'clientSecret' | 'firstName' | 'lastName' | 'fetchClientSecret' | 'backend' | 'strings'>
>;

/** The events, as a framework spells their listeners. */
export type TagEvents<Prefix extends string> = {
  [Type in keyof FbcEventMap as `${Prefix}${Type}`]?: (event: FbcEventMap[Type]) => void;
};
