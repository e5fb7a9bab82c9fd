import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

/** Milliseconds of each whole session, and how long the measurement took. */
export interface Load {
  sessions: number[];
  failures: number;
  seconds: number;
}

/**
 * Keeps `inFlight` sessions going: each is made, gets its link token and is completed; then the next begins in its
 * place.
 * @param rampSeconds until as many end as begin; what ends before is not counted
 */
export async function generate(
  url: string,
  merchantKey: string,
  inFlight: number,
  seconds: number,
  rampSeconds = 0,
): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const load: Load = { sessions: [], failures: 0, seconds: 0 };
  const began = performance.now();
  const from = began + rampSeconds * 1000;
  const end = from + seconds * 1000;
  const one = async () => {
    // Spread over the first moments, or all would be in step for good.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(1_000, seconds * 100)));
    while (performance.now() < end) {
      const start = performance.now();
      const ok = await session(agent, url, merchantKey).catch(() => false);
      const now = performance.now();
      if (now > end) break;
      if (now < from) continue;
      if (ok) load.sessions.push(now - start);
      else load.failures++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  load.seconds = seconds;
  agent.destroy();
  return load;
}

async function session(agent: Agent, url: string, merchantKey: string): Promise<boolean> {
  const random = randomBytes(12).toString('hex');
  const made = await post(agent, `${url}/v1/sessions`, merchantKey, { customer_id: `customer ${random}` });
  const secret = made['client_secret'] as string;
  const path = `${url}/v1/sessions/${made['id'] as string}`;
  await post(agent, `${path}/link-token`, secret, {});
  const body = { public_token: `public-sandbox-${random}`, accounts: [] };
  const done = await post(agent, `${path}/complete`, secret, body);
  return done['status'] === 'completed';
}

/** Not `fetch`: the generator shares the machine with what it measures, and should cost as little as can be. */
function post(agent: Agent, url: string, key: string, body: object): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const headers = {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        answer += chunk;
      });
      response.on('end', () => {
        if ((response.statusCode ?? 500) >= 300) reject(new Error(`answered ${response.statusCode}`));
        else resolve(JSON.parse(answer) as Record<string, unknown>);
      });
    });
    sent.on('error', reject);
    sent.end(text);
  });
}
