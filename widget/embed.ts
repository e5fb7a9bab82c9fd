import { define } from './define.ts';
import { FinixBankConnect } from './finix-bank-connect.ts';

// The server serves this script at its API's address, so the script's own folder is the server's address.
const here = import.meta.url;
// Not by `URL`, which is the name of a variable on many a page.
FinixBankConnect.defaultEndpoint = here.replace(/[^/]*([?#].*)?$/, '');
define();
