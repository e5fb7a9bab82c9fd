import { parseWebhook } from 'finix-bank-connect/client';

/** For any server that has the raw body and the headers of the request. @returns the status to answer with */
export async function receiveWebhook(rawBody, headers, save) {
  try {
    const event = await parseWebhook(rawBody, headers, process.env.MERCHANT_WEBHOOK_SECRET);
    switch (event.type) {
      case 'connection.active':
      case 'connection.needs_repair':
      case 'connection.revoked':
        await save(event.data);
        break;
      default: // types of later versions
    }
    return 204;
  } catch (error) {
    if (error.name === 'WebhookError') return 400;
    throw error; // answered 500: the event is sent again
  }
}
