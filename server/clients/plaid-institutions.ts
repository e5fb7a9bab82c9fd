import type { CountryCode } from 'plaid';
import { z } from 'zod';
import type { PlaidCall } from './plaid-risk.ts';

export interface PlaidInstitutionCalls {
  /** A PNG of 152 by 152 pixels in base64, as Plaid returns it; null: Plaid has none. Not checked. */
  getInstitutionLogo(institutionId: string): Promise<string | null>;
}

/** The customer sees the bank's initial in the meantime, so nothing is lost by giving up early. */
const LOGO_TIMEOUT_MS = 5_000;

const logoBody = z.object({ institution: z.object({ logo: z.string().nullish() }).loose() });

export function createInstitutionCalls(call: PlaidCall, countryCodes: string[]): PlaidInstitutionCalls {
  return {
    async getInstitutionLogo(institutionId) {
      const request = {
        institution_id: institutionId,
        country_codes: countryCodes as CountryCode[],
        // Without it there is no logo in the answer.
        options: { include_optional_metadata: true },
      };
      const { institution } = await call(
        'institutions/get_by_id',
        logoBody,
        (api, options) => api.institutionsGetById(request, options),
        LOGO_TIMEOUT_MS,
      );
      return institution.logo ?? null;
    },
  };
}
