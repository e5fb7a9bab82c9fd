/** What a provider's own code throws to refuse a request, ready to be sent. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: Record<string, unknown>;

  constructor(status: number, body: Record<string, unknown>) {
    super('refused');
    this.name = 'Refusal';
    this.status = status;
    this.body = body;
  }
}
