/** What this transmitter is and can (SSF 1.0 §7.1), for receivers to discover. */

import { pollMethod, pushMethod } from './fields.ts';

/** As long as the keys may be cached. */
export const metadataMaxAgeSeconds = 300;

export function transmitterMetadata(issuer: string): object {
  return {
    // With an underscore: a version, not a number (CAEP interoperability §2.3.1).
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer}/oauth2/jwks`,
    delivery_methods_supported: [pushMethod, pollMethod],
    configuration_endpoint: `${issuer}/ssf/streams`,
    status_endpoint: `${issuer}/ssf/status`,
    add_subject_endpoint: `${issuer}/ssf/subjects/add`,
    remove_subject_endpoint: `${issuer}/ssf/subjects/remove`,
    verification_endpoint: `${issuer}/ssf/verify`,
    // OAuth 2.0: tokens from our own token endpoint.
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
    // A stream tells of everybody, but for those whom its receiver removes.
    default_subjects: 'ALL',
  };
}
