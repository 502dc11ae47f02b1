/**
 * Tokens of invitations: `tgi.<key version>.<invitation>.<mac>`. Nothing of them is stored: the same invitation has the
 * same token for as long as its secret is the newest one, and one of an older secret that is still known is good as well.
 */

import type { Secrets } from '../base/secrets.ts';

const label = 'invitation';
const pattern = /^tgi\.([A-Za-z0-9]{1,16})\.(inv_[0-9a-f]{1,64})\.([A-Za-z0-9_-]{43})$/;

export interface InvitationTokens {
  make(invitation: string): string;
  /** @returns the id of the invitation, if we made the token */
  read(token: string): string | undefined;
}

export function createInvitationTokens(secrets: Secrets | undefined): InvitationTokens {
  return {
    make(invitation) {
      if (secrets === undefined) throw new Error('links of invitations need the secrets');
      return `tgi.${secrets.version}.${invitation}.${secrets.mac(label, invitation)}`;
    },
    read(token) {
      const [, version, invitation, mac] = (token.length > 200 ? null : pattern.exec(token)) ?? [];
      if (secrets === undefined || version === undefined) return undefined;
      if (invitation === undefined || mac === undefined) return undefined;
      return secrets.verify(label, invitation, mac, version) ? invitation : undefined;
    },
  };
}
