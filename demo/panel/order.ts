import type { Step } from '../step.ts';
import { CHAPTERS, type Chapter, type Line, lineOf, type Names } from './words.ts';

/** A line of the log, in its place. */
export interface Shown {
  step: Step;
  line: Line;
  chapter: Chapter;
  /** A call during which others were made has two lines: its question before them, and its outcome after them. */
  part: 'whole' | 'question' | 'outcome';
}

/** A line, and the id of the step that it comes after. */
type Placed = Omit<Shown, 'chapter'> & { after: number };

/** The lines of some steps from cause to effect: what came of a call is below the calls that it came of. */
export function shownLines(steps: Iterable<Step>, names: Names): Shown[] {
  const all = [...steps].sort((a, b) => a.id - b.id);
  const placed = all.flatMap((step): Placed[] => {
    const line = lineOf(step, names);
    if (!line) return [];
    const last = lastCause(step, all);
    const question = lineOf(asked(step), names);
    const text = question?.text.replace(/ …$/, '') ?? line.text;
    // Without a sentence for its outcome a call is said once.
    if (!question || last === step.id || text === line.text) return [{ after: step.id, step, line, part: 'whole' }];
    return [
      { after: step.id, step, line: { ...question, text }, part: 'question' },
      // It stays in the chapter of its causes.
      { after: last, step, line: { ...line, chapter: undefined }, part: 'outcome' },
    ];
  });
  // After the same call an inner outcome comes before the outer one, and that call itself before both.
  placed.sort((a, b) => a.after - b.after || b.step.id - a.step.id);
  let chapter: Chapter = CHAPTERS[0];
  return placed.map(({ step, line, part }) => {
    // Making the same thing ready again later is part of what happens later.
    const isBack = line.chapter !== undefined && CHAPTERS.indexOf(line.chapter) < CHAPTERS.indexOf(chapter);
    if (line.chapter && !(isBack && chapter === CHAPTERS[4] && line.chapter !== CHAPTERS[0])) chapter = line.chapter;
    return { step, line, chapter, part };
  });
}

/** Whether the receiver of a call made others before it answered. */
export function hasCauses(step: Step, steps: Iterable<Step>): boolean {
  return lastCause(step, [...steps]) > step.id;
}

/** The step as it was before its answer. */
export function asked({ status: _status, ms: _ms, response: _response, ...question }: Step): Step {
  return question;
}

/**
 * When a call began and how long it took are whole milliseconds, each half of one off at most; so is another's begin.
 */
const ROUNDING_MS = 2;

/** The id of the last call that an answer came after; the step's own id where there is none. */
function lastCause(step: Step, all: readonly Step[]): number {
  const end = endOf(step);
  if (end === undefined) return step.id;
  const causes = all.filter(
    (other) => isCall(other) && other.from === step.to && other.id > step.id && other.at <= end + ROUNDING_MS,
  );
  return Math.max(step.id, ...causes.map((cause) => lastCause(cause, all)));
}

/** Undefined while a call is on its way. */
function endOf(step: Step): number | undefined {
  return isCall(step) && step.ms !== undefined ? step.at + step.ms : undefined;
}

/** An event is neither a question nor an answer, although it goes over the wire. */
function isCall({ kind, what }: Step): boolean {
  return kind === 'call' && !what.startsWith('POST /webhooks/');
}
