import type { Line } from './suite.ts';

const WIDTHS = [9, 58, 8, 9, 8, 5, 6, 9, 8] as const;
const COLUMNS = ['store', 'fault', 'sessions', 'completed', 'restart', 'lost', 'double', 'longest', 'verdict'];

export function heading(): string {
  return `${line(COLUMNS)}\n${line(WIDTHS.map((width) => '-'.repeat(width)))}`;
}

export function formatLine({ store, fault, verdict, ok, control }: Line): string {
  const { sessions, completed, restartsAsked, lost, double, needless, longestMs } = verdict;
  const judged = control ? (ok ? 'caught' : 'NOT CAUGHT') : ok ? 'ok' : needless.length > 0 ? 'NEEDLESS' : 'FAILED';
  const seconds = `${(longestMs / 1000).toFixed(1)} s`;
  return line(
    [store, fault, sessions, completed, restartsAsked, lost.length, double.length, seconds, judged].map(String),
  );
}

/** Of the complete server; controls are counted separately. */
export function total(lines: Line[]): string {
  const own = lines.filter(({ control }) => !control);
  const sum = (of: (line: Line) => number) => own.reduce((all, one) => all + of(one), 0);
  const longest = Math.max(0, ...own.map(({ verdict }) => verdict.longestMs));
  const controls = lines.filter(({ control }) => control);
  const caught = controls.filter(({ ok }) => ok).length;
  const seconds = lines.reduce((all, { ms }) => all + ms, 0) / 1000;
  return [
    line(WIDTHS.map((width) => '-'.repeat(width))),
    line([
      'all',
      `${seconds.toFixed(0)} s; ${caught} of ${controls.length} controls caught`,
      ...[
        sum(({ verdict }) => verdict.sessions),
        sum(({ verdict }) => verdict.completed),
        sum(({ verdict }) => verdict.restartsAsked),
        sum(({ verdict }) => verdict.lost.length),
        sum(({ verdict }) => verdict.double.length),
      ].map(String),
      `${(longest / 1000).toFixed(1)} s`,
      lines.every(({ ok }) => ok) ? 'ok' : 'FAILED',
    ]),
  ].join('\n');
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => (i === 1 || i === 0 ? cell.padEnd(WIDTHS[i] ?? 0) : cell.padStart(WIDTHS[i] ?? 0)))
    .join(' ');
}
