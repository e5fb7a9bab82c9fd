/**
 * What a transaction has done, for those who count it once it is committed: a transaction may run again, and may fail.
 */
export interface CommittedFact {
  /** As in the audit: `session.completed`, `connection.active`, … */
  action: string;
  /** Why, where there is a closed list of reasons: a ProblemCode. */
  code: string | undefined;
}

const noted = new WeakMap<object, CommittedFact[]>();

/** @param trx the transaction that makes it true */
export function noteFact(trx: object, fact: CommittedFact): void {
  const facts = noted.get(trx);
  if (facts) facts.push(fact);
  else noted.set(trx, [fact]);
}

/** The facts of a transaction that is committed. */
export function factsOf(trx: object | undefined): readonly CommittedFact[] {
  return (trx && noted.get(trx)) ?? [];
}
