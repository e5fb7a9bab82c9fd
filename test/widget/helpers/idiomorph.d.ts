declare module 'idiomorph/dist/idiomorph.esm.js' {
  export const Idiomorph: {
    morph(from: Element, to: string, options?: { morphStyle?: 'innerHTML' | 'outerHTML' }): void;
  };
}
