import { getRequestListener } from '@hono/node-server';
import express from 'express';
import { createServer } from 'finix-bank-connect-server';

// PUBLIC_URL ends with the path of the mount: https://shop.example/connect
const connect = createServer(process.env);

const app = express();
// Before express.json(): webhooks are signed over the bytes of the body, so no parser may read it first.
app.use('/connect', getRequestListener(connect.fetch));
app.use(express.json());
app.get('/', (_request, response) => response.send('the shop'));

const { PORT = '3000' } = process.env;
const http = app.listen(Number(PORT), () => console.log(`listening on ${PORT}`));
// Opens the storage and starts the jobs now, rather than with the first request.
await connect.start();

process.once('SIGTERM', async () => {
  http.close();
  await connect.stop();
});
