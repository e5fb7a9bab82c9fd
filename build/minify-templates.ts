import type { Plugin } from 'vite';
import { isScript } from './environments.ts';
import { from } from './project.ts';

/** Where a part of a template's text is in the code. */
interface Piece {
  start: number;
  end: number;
  tag: string;
}

type Node = { type: string; [field: string]: unknown };

const CSS_IMPORT = 'import { css } from "lit"';
const TAGS = ['css', 'html', 'svg'];

/**
 * Takes the white space and the comments of the source out of the templates of our own, which no minifier of JavaScript
 * may touch.
 */
export function minifyTemplates(): Plugin {
  const folder = from('widget');
  return {
    name: 'finix-bank-connect:minify-templates',
    // After TypeScript: the parser reads JavaScript.
    enforce: 'post',
    applyToEnvironment: isScript,
    transform(code, id) {
      if (!id.startsWith(folder) || !TAGS.some((tag) => code.includes(`${tag}\``))) return null;
      const pieces = piecesIn(this.parse(code) as unknown as Node).sort((a, b) => b.start - a.start);
      const small = pieces.reduce((text, { start, end, tag }) => {
        const minify = tag === 'css' ? minifyCss : minifyHtml;
        return text.slice(0, start) + minify(text.slice(start, end)) + text.slice(end);
      }, code);
      return { code: isPlainCss(code, pieces) ? asUnsafeCss(small) : small, map: null };
    },
  };
}

/** A module of styles without expressions. */
function isPlainCss(code: string, pieces: Piece[]): boolean {
  return code.includes(CSS_IMPORT) && pieces.length === 1;
}

/** Nothing is put into the styles, so Lit's checks of what is put into them can stay out of the script. */
function asUnsafeCss(code: string): string {
  return code.replace(CSS_IMPORT, 'import { unsafeCSS } from "lit"').replace(/css`([^`]*)`/, 'unsafeCSS(`$1`)');
}

/**
 * In styles, white space counts only between two words; none of our strings has any, and none of our words is a number.
 */
export function minifyCss(css: string): string {
  return css
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,>/]) ?/g, '$1')
    .replace(/(?<=[{;(][\w-]+): /g, ':')
    .replace(/(?<=[ :(,/])0(?=\.\d)/g, '')
    .replace(/='([\w-]+)'\]/g, '=$1]')
    .replaceAll(';}', '}')
    .trim();
}

/** A line break with its indentation is one white space to a browser. */
export function minifyHtml(html: string): string {
  return html.replace(/\s*\n\s*/g, ' ');
}

function piecesIn(node: Node): Piece[] {
  const pieces: Piece[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (typeof value !== 'object' || value === null || !('type' in value)) return;
    const { type, tag, quasi } = value as { type: string; tag?: { name?: string }; quasi?: { quasis: Piece[] } };
    if (type === 'TaggedTemplateExpression' && TAGS.includes(tag?.name ?? '')) {
      for (const { start, end } of quasi?.quasis ?? []) pieces.push({ start, end, tag: tag?.name ?? '' });
    }
    Object.values(value).forEach(visit);
  };
  visit(node);
  return pieces;
}
