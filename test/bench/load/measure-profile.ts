import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadOptions, measureLoad, SUBJECTS, type Subject } from './measure-load.ts';
import { readParts } from './profile.ts';

/**
 * Half of what the server can do: nothing waits in line, and the parts are those of a session and not of contention.
 */
const IN_FLIGHT = 32;
/** The start, the first imports and the warm-up are not part of a session. */
const AFTER_MS = 10_000;

/** Milliseconds of processor time for one session by part, of each subject. */
export async function measureProfile(
  options: Omit<LoadOptions, 'report' | 'inFlight'>,
): Promise<Record<string, Partial<Record<Subject, string>>>> {
  const rows: Record<string, Partial<Record<Subject, string>>> = {};
  const add = (part: string, subject: Subject, ms: number) => {
    rows[part] = { ...rows[part], [subject]: ms.toFixed(2) };
  };
  for (const subject of options.subjects ?? SUBJECTS) {
    const folder = await mkdtemp(join(tmpdir(), 'fbc-profile-'));
    const serverArgs = ['--cpu-prof', '--cpu-prof-dir', folder];
    const [measured] = await measureLoad({ ...options, subjects: [subject], inFlight: [IN_FLIGHT], serverArgs });
    if (measured) {
      for (const [part, share] of readParts(folder, AFTER_MS)) add(part, subject, share * measured.cpu_ms);
      add('together', subject, measured.cpu_ms);
    }
    await rm(folder, { recursive: true, force: true });
  }
  return rows;
}
