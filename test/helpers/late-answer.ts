import type { Clients } from '../../server/create-server.ts';

/**
 * Finix carries out create calls of instruments, and their answers are on their way until `arrives` resolves.
 * @param isLate for which calls, asked once Finix has carried one out
 */
export function lateInstrumentAnswers(arrives: Promise<void>, isLate: () => boolean = () => true) {
  return ({ plaid, finix }: Clients): Clients => ({
    plaid,
    finix: {
      ...finix,
      createPaymentInstrument: async (request) => {
        const made = await finix.createPaymentInstrument(request);
        if (isLate()) await arrives;
        return made;
      },
    },
  });
}
