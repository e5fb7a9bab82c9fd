import type { ConnectServer, connectServer, Forward } from '../../demo/server/connect-server.ts';
import { type OpenConnectServer, openConnectServer } from '../../demo/server/open-connect-server.ts';

/** The demo's connect server in the process of the test, for all journeys but those that kill it. */
export const connectServerHere: typeof connectServer = (_entry, settings, tap): ConnectServer & Forward => {
  let opened: OpenConnectServer | undefined;
  return {
    pid: undefined,
    get port() {
      return opened?.port;
    },
    async start() {
      opened = await openConnectServer(settings, tap);
    },
    kill: async () => {
      throw new Error(
        'A server in the process of the test can not be killed: give the journey the demo’s own connectServer.',
      );
    },
    async stop() {
      await opened?.stop();
      opened = undefined;
    },
  };
};
