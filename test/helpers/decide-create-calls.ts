import { eventually, type TestServer } from './server.ts';

/** Lets time pass, a second at each round of jobs, until it is certain what every create call has made. */
export async function decideCreateCalls(server: TestServer): Promise<void> {
  await eventually(async () => {
    await server.jobs.tick();
    server.clockOffset += 1_000;
    return (await server.storage.db.selectFrom('create_calls').select('id').execute()).length === 0;
  });
}
