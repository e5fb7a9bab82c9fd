/** The value below which `share` of all lie; 0.5 gives the median. Of an even number the upper middle one. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (value === undefined) throw new Error('There are no values.');
  return value;
}
