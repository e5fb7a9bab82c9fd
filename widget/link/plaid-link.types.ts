/**
 * The part of Link's web interface that is used here. Values may be null where Plaid's own documents promise otherwise.
 */

export interface PlaidGlobal {
  create(config: PlaidLinkConfig): PlaidHandler;
  /** Absent from older copies of the script. */
  createEmbedded?(config: PlaidLinkConfig, place: HTMLElement): EmbeddedHandler;
}

export interface PlaidHandler {
  open(): void;
  exit(options?: { force?: boolean }): void;
  destroy(): void;
}

export interface EmbeddedHandler {
  destroy(): void;
}

export interface PlaidLinkConfig {
  token: string;
  receivedRedirectUri?: string;
  onSuccess(publicToken: string | null, metadata: PlaidSuccess): void;
  onExit(error: PlaidLinkError | null, metadata: Partial<PlaidExit> | null): void;
  onEvent(name: string, metadata: PlaidEvent | null): void;
}

export interface PlaidSuccess {
  institution: { institution_id: string; name: string } | null;
  accounts: PlaidAccount[];
  link_session_id: string;
}

export interface PlaidAccount {
  id: string;
  name: string | null;
  mask: string | null;
  type: string | null;
  subtype: string | null;
  verification_status: string | null;
}

export interface PlaidLinkError {
  error_type: string;
  error_code: string;
}

export interface PlaidExit {
  status: string | null;
  request_id: string;
  link_session_id: string;
  institution: { institution_id: string; name: string } | null;
}

/** Also carries what the customer typed (routing number, search words); only these two are ever read. */
export interface PlaidEvent {
  view_name?: string | null;
}

declare global {
  var Plaid: PlaidGlobal | undefined;
}
