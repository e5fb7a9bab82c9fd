import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { INSTITUTIONS, SCENARIOS } from '../../demo/simulator/index.ts';

describe('the table of scenarios', () => {
  it('the table of scenarios is the table in the README', async () => {
    const readme = await readFile(fileURLToPath(new URL('../../demo/simulator/README.md', import.meta.url)), 'utf8');
    // A formatter pads the cells.
    const rows = (readme.match(/^\| `user_.*$/gm) ?? []).map((row) => row.replace(/ +/g, ' '));
    expect(rows).toEqual(SCENARIOS.map(({ username, description }) => `| \`${username}\` | ${description} |`));
  });

  it('the table of scenarios has every user name once, with a title', () => {
    expect(new Set(SCENARIOS.map(({ username }) => username)).size).toBe(SCENARIOS.length);
    expect(SCENARIOS.every(({ title }) => title.length > 0)).toBe(true);
  });
});

describe('the institutions', () => {
  it('the institutions have routing numbers with a good checksum, and ids that occur once', () => {
    for (const { name, routing_number } of INSTITUTIONS) {
      // The ABA checksum weighs the digits 3, 7, 1, over and over.
      const weights = [3, 7, 1, 3, 7, 1, 3, 7, 1];
      const sum = weights.reduce((total, weight, i) => total + weight * Number(routing_number[i]), 0);
      expect([name, routing_number.length, sum % 10]).toEqual([name, 9, 0]);
    }
    expect(new Set(INSTITUTIONS.map(({ institution_id }) => institution_id)).size).toBe(INSTITUTIONS.length);
  });
});
