/**
 * Invitations whose links were opened at this browser: kept sealed in a cookie, so that their tokens are in no address
 * of a page. A few of them, since somebody may be invited to several accounts at once.
 */

import type { ParameterizedContext } from 'koa';
import type { Clock } from '../base/clock.ts';
import type { Secrets } from '../base/secrets.ts';
import type { Directory } from '../directory/directory.ts';
import type { CookieKind, Cookies } from '../web/cookies.ts';

export interface HeldInvitations {
  hold(ctx: ParameterizedContext, invitation: string): void;
  /** The newest first. */
  all(ctx: ParameterizedContext): string[];
  drop(ctx: ParameterizedContext, invitation: string): void;
  /** Whether one of them is of use: somebody new may come because of it. */
  isInvited(ctx: ParameterizedContext): Promise<boolean>;
}

const cookie: CookieKind = { name: 'tollgate_invitation', prefix: '__Host-' };
const label = 'invitation_cookie';
const lifetimeSeconds = 24 * 60 * 60;
const mostHeld = 5;

interface Kept {
  invitations: string[];
  at: number;
}

export function createHeldInvitations(deps: {
  cookies: Cookies;
  secrets: Secrets;
  clock: Clock;
  directory: Pick<Directory, 'invitations'>;
}): HeldInvitations {
  const { cookies, secrets, clock } = deps;

  function all(ctx: ParameterizedContext): string[] {
    const sealed = cookies.read(ctx, cookie);
    if (sealed === undefined) return [];
    try {
      const kept = JSON.parse(secrets.open(label, sealed, cookie.name)) as Kept;
      return kept.at + lifetimeSeconds * 1000 > clock() ? kept.invitations : [];
    } catch {
      // Altered, or sealed with a secret that is gone.
      return [];
    }
  }

  function keep(ctx: ParameterizedContext, invitations: string[]): void {
    if (invitations.length === 0) return cookies.clear(ctx, cookie);
    const kept: Kept = { invitations, at: clock() };
    const sealed = secrets.seal(label, JSON.stringify(kept), cookie.name);
    cookies.write(ctx, cookie, sealed, lifetimeSeconds);
  }

  return {
    all,
    hold(ctx, invitation) {
      const others = all(ctx).filter((one) => one !== invitation);
      keep(ctx, [invitation, ...others].slice(0, mostHeld));
    },
    drop(ctx, invitation) {
      const before = all(ctx);
      const others = before.filter((one) => one !== invitation);
      if (others.length < before.length) keep(ctx, others);
    },
    async isInvited(ctx) {
      for (const id of all(ctx)) {
        const invitation = await deps.directory.invitations.get(id);
        if (invitation === undefined) continue;
        // Who waits for it may be somebody to whom it was forwarded: whom it was sent to is not known yet.
        const standing = await deps.directory.invitations.standing(invitation, { atOnce: true });
        if (standing === 'open' || standing === 'waiting') return true;
      }
      return false;
    },
  };
}
