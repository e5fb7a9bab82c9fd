import { serve } from '@hono/node-server';
import { createServer } from 'finix-bank-connect-server';
import { Hono } from 'hono';

// PUBLIC_URL ends with the path of the mount: https://shop.example/connect
const connect = createServer(process.env);

const app = new Hono();
app.get('/', (c) => c.text('the shop'));
app.mount('/connect', connect.fetch);

const { PORT = '3000' } = process.env;
const http = serve({ fetch: app.fetch, port: Number(PORT) }, () => console.log(`listening on ${PORT}`));
// Opens the storage and starts the jobs now, rather than with the first request.
await connect.start();

process.once('SIGTERM', async () => {
  http.close();
  await connect.stop();
});
