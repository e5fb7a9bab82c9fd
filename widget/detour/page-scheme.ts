// Of black 0, of white 1. Text this light is written on something dark.
const LIGHT = 0.63;

let isHinted = false;

/**
 * The scheme that the text at the element's place asks for, not the one that the page declares: on a surface of the
 * browser's own, as dialogs have, text and surface then belong together.
 */
export function schemeOf(element: Element): 'dark' | 'light' {
  return lightness(getComputedStyle(element).color) > LIGHT ? 'dark' : 'light';
}

/**
 * A page whose text is light, without a declared scheme: what is outside of a surface of ours can be read, and dialogs
 * follow the text, but the page's own controls and scroll bars are light. The console warns once; nothing is changed.
 */
export function hintAtDarkPage(element: HTMLElement): void {
  // Where the property is not known, neither is a dark dialog.
  if (isHinted || getComputedStyle(element).colorScheme !== 'normal' || schemeOf(element) === 'light') return;
  isHinted = true;
  console.warn(
    'finix-bank-connect: the text of this page is light, but no color-scheme is declared. Set theme="dark" or color-scheme: dark',
  );
}

/** As a browser computes a color: `rgb(…)`, `color(srgb …)`, `lab(…)`, `oklch(…)` and their like. */
function lightness(color: string): number {
  // The names of spaces are no numbers; neither is `none`, which means 0.
  const [first = 0, green = 0, blue = 0] = color
    .split(/[ ,()]+/)
    .map(parseFloat)
    .filter((value) => value >= 0);
  if (/^(ok|l)/.test(color)) return first / (color.startsWith('ok') ? 1 : 100);
  return (0.2126 * first + 0.7152 * green + 0.0722 * blue) / (color.startsWith('rgb') ? 255 : 1);
}
