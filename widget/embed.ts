import { define } from './define.ts';
import { FinixBankConnect } from './finix-bank-connect.ts';

// The server gives out this script beside its API, so the script's own folder is the server's address.
const here = import.meta.url;
FinixBankConnect.defaultEndpoint = new URL('.', here).href;
define();
