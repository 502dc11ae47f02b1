/** The names of security events: CAEP 1.0, RISC 1.0, and what the Shared Signals Framework 1.0 itself has. */

const schemas = 'https://schemas.openid.net/secevent';

export const setTypes = {
  sessionRevoked: `${schemas}/caep/event-type/session-revoked`,
  tokenClaimsChange: `${schemas}/caep/event-type/token-claims-change`,
  credentialChange: `${schemas}/caep/event-type/credential-change`,
  accountDisabled: `${schemas}/risc/event-type/account-disabled`,
  accountEnabled: `${schemas}/risc/event-type/account-enabled`,
  accountPurged: `${schemas}/risc/event-type/account-purged`,
  verification: `${schemas}/ssf/event-type/verification`,
  streamUpdated: `${schemas}/ssf/event-type/stream-updated`,
} as const;

export type SetType = (typeof setTypes)[keyof typeof setTypes];

/** What a stream may ask for. The other two are about the stream itself, and come unasked. */
export const supportedSetTypes: readonly SetType[] = [
  setTypes.sessionRevoked,
  setTypes.tokenClaimsChange,
  setTypes.credentialChange,
  setTypes.accountDisabled,
  setTypes.accountEnabled,
  setTypes.accountPurged,
];
