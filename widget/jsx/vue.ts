/**
 * Types of `<finix-bank-connect>` in Vue's templates. The compiler has to know it as a custom element:
 * `compilerOptions.isCustomElement`.
 */
import type { HTMLAttributes } from 'vue';
import type { FbcEventMap } from '../lazy/events.ts';
import type { TagAttributes, TagProperties } from './tag.ts';

type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;
type Camelized<Attributes> = { [Name in keyof Attributes as Camel<Name & string>]: Attributes[Name] };

type Listeners = { [Type in keyof FbcEventMap as `on${Capitalize<Camel<Type>>}`]?: (event: FbcEventMap[Type]) => void };

export interface Tag {
  $props: Omit<HTMLAttributes, keyof Camelized<TagAttributes>> & Camelized<TagAttributes> & TagProperties & Listeners;
}

declare module 'vue' {
  interface GlobalComponents {
    'finix-bank-connect': new () => Tag;
  }
}
