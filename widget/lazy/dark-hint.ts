// Of black 0, of white 255. Text this light is written on something dark.
const LIGHT = 160;

let isHinted = false;

/**
 * A page whose text is light, without a declared scheme: what is outside of a surface of ours can be read, but dialogs
 * and the browser's own controls in them are light. The console warns once; nothing is changed.
 */
export function hintAtDarkPage(element: HTMLElement): void {
  const { color, colorScheme } = getComputedStyle(element);
  const [red = 0, green = 0, blue = 0] = color.match(/[\d.]+/g)?.map(Number) ?? [];
  const isLight = /^rgb/.test(color) && 0.2126 * red + 0.7152 * green + 0.0722 * blue > LIGHT;
  // Where the property is not known, neither is a dark dialog.
  if (isHinted || !isLight || colorScheme !== 'normal') return;
  isHinted = true;
  console.warn(
    '<finix-bank-connect>: the text of this page is light, but no color-scheme is declared. Set theme="dark" or color-scheme: dark',
  );
}
