/** A time for a test to wait for a condition, or for a call to answer. @param ms on an idle machine */
export function patient(ms: number): number;
