import type { FinixBankConnect } from '../../../widget/index.ts';
import type { State } from '../../widget/helpers/states.ts';

// WCAG 2.2 AA: text, and what shows that a control is one; and the least that a finger can hit.
const TEXT = 4.5;
const SHAPE = 3;
const TARGET = 24;

type Color = [red: number, green: number, blue: number, alpha: number];

/**
 * What is wrong with how a state is drawn, in words; for browsers in which the tools of other tests do not run. A
 * control without a shape, a text that can't be read, a text that is cut, a dialog that is see-through.
 */
export function faultsOf(element: FinixBankConnect, state: State): string[] {
  const faults: string[] = [];
  const root = element.shadowRoot as ShadowRoot;
  if (element.getAttribute('status') !== state.status) faults.push(`status ${element.getAttribute('status')}`);
  for (const text of drawnTexts(root)) {
    const parent = text.parentElement as Element;
    const ratio = contrast(over(colorOf(parent, 'color'), backgroundOf(parent)), backgroundOf(parent));
    if (ratio < TEXT && !parent.closest(':disabled')) faults.push(`"${text.data.trim()}" has ${ratio.toFixed(2)}:1`);
  }
  for (const control of root.querySelectorAll('button, input, .card')) {
    const { width, height } = control.getBoundingClientRect();
    if (!width) continue;
    const name = control.textContent?.trim() || control.className;
    if (control.matches('button') && Math.min(width, height) < TARGET) faults.push(`"${name}" is ${width} × ${height}`);
    if (!control.matches('.main, .card:not(.dead)')) continue;
    const around = backgroundOf(control.parentElement as Element);
    const edges = (['backgroundColor', 'borderTopColor'] as const).map((name) =>
      contrast(over(colorOf(control, name), around), around),
    );
    if (Math.max(...edges) < SHAPE) faults.push(`"${name}" has no shape`);
  }
  const dialog = root.querySelector('dialog');
  if (dialog?.open && colorOf(dialog, 'backgroundColor')[3] < 1) faults.push('the dialog is see-through');
  for (const one of root.querySelectorAll('.main, .card, .note p, .account *, dialog')) {
    const { overflowX } = getComputedStyle(one);
    if (one.scrollWidth > one.clientWidth + 1 && overflowX === 'visible' && one.clientWidth) {
      faults.push(`"${one.textContent?.trim()}" is wider than its place`);
    }
  }
  return faults;
}

function drawnTexts(root: ShadowRoot): Text[] {
  const texts: Text[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    // A slot has no box of its own.
    const box = parent?.closest(':not(slot)');
    const isDrawn = box?.getClientRects().length && getComputedStyle(box).visibility === 'visible';
    if (isDrawn && !box.closest('.spoken') && (node as Text).data.trim()) texts.push(node as Text);
  }
  return texts;
}

function colorOf(element: Element, name: 'color' | 'backgroundColor' | 'borderTopColor'): Color {
  const [red = 0, green = 0, blue = 0, alpha = 1] =
    getComputedStyle(element)
      [name].match(/[\d.]+/g)
      ?.map(Number) ?? [];
  return [red, green, blue, alpha];
}

/** Of everything that is drawn under the content of an element, on a white page. */
function backgroundOf(element: Element): Color {
  const layers: Color[] = [];
  for (let at: Element | null = element; at; ) {
    layers.push(colorOf(at, 'backgroundColor'));
    if (layers.at(-1)?.[3] === 1) break;
    const root: Node = at.getRootNode();
    at = at.assignedSlot ?? at.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
  }
  return layers.reduceRight<Color>((below, above) => over(above, below), [255, 255, 255, 1]);
}

function over([red, green, blue, alpha]: Color, below: Color): Color {
  const mix = (one: number, other: number) => one * alpha + other * (1 - alpha);
  return [mix(red, below[0]), mix(green, below[1]), mix(blue, below[2]), 1];
}

function contrast(one: Color, other: Color): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function luminance(color: Color): number {
  const [red = 0, green = 0, blue = 0] = color.slice(0, 3).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
