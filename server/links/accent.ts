/**
 * A merchant's color as a button's background and as text, readable by WCAG 2.2 AA for any color that the merchant
 * chose.
 */
export interface Accent {
  color: string;
  on: string;
}

/** WCAG 2.2, 1.4.3 asks for 4.5; the element's hovered button is a fifth lighter, and must stay above it. */
const READABLE = 6.5;
/** Steps of 4 % toward black or white: fine enough to stay close to the merchant's color. */
const STEP = 0.04;

type Rgb = readonly [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];

/**
 * @param accent `#rrggbb`
 * @param surface `#rrggbb`: what links in this color stand on
 * @returns the nearest shade that is readable on the surface, and the text color that is readable on it
 */
export function readableAccent(accent: string, surface: string): Accent {
  const background = parse(surface);
  const target = luminance(background) > 0.5 ? BLACK : WHITE;
  const wanted = parse(accent);
  let color = wanted;
  for (let share = STEP; contrast(color, background) < READABLE && share <= 1; share += STEP) {
    color = mix(wanted, target, share);
  }
  const on = contrast(color, WHITE) >= contrast(color, BLACK) ? WHITE : BLACK;
  return { color: format(color), on: format(on) };
}

/** The ratio of WCAG 2.2, from 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function mix(color: Rgb, target: Rgb, share: number): Rgb {
  return color.map((value, i) => Math.round(value + ((target[i] ?? 0) - value) * Math.min(1, share))) as unknown as Rgb;
}

export function parse(hex: string): Rgb {
  return [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as unknown as Rgb;
}

function format(color: Rgb): string {
  return `#${color.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}
