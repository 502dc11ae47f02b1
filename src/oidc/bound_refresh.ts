/**
 * How long a refresh token lives, and which are rotated. Sender-constrained ones are of no use to a thief
 * (RFC 9700 §4.14.2), so they stay as they are; use moves their idle end as rotation does for the others.
 */

import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Clock } from '../base/clock.ts';
import type { Config } from '../config.ts';
import type { UnitOfWork } from '../storage/work.ts';
import { touchFamily } from './grants.ts';
import type { Tokens } from './tokens.ts';

type Lifetimes = Pick<Config['lifetimes'], 'refreshIdle' | 'refreshAbsolute'>;

/** The absolute end never moves (`begunAt` is when the family began); the idle end moves with use. */
export function refreshLifetimeSeconds(
  lifetimes: Lifetimes,
  begunAtSeconds: number,
  nowSeconds: number,
): number {
  const end = begunAtSeconds + lifetimes.refreshAbsolute;
  return Math.max(1, Math.min(lifetimes.refreshIdle, end - nowSeconds));
}

export interface BoundRefreshDependencies {
  work: UnitOfWork;
  tokens: Tokens;
  lifetimes: Lifetimes;
  clock: Clock;
}

/** @returns for the library's configuration: whether the refresh token of this request is rotated */
export function createRotates(
  dependencies: BoundRefreshDependencies,
): (ctx: KoaContextWithOIDC) => boolean {
  const { work, tokens, lifetimes, clock } = dependencies;
  return (ctx) => {
    const token = ctx.oidc.entities.RefreshToken as
      | { jti: string; iiat: number; isSenderConstrained(): boolean }
      | undefined;
    if (token?.isSenderConstrained() !== true) return true;
    const parts = tokens.parseRefreshToken(token.jti);
    if (parts === undefined) throw new Error('a refresh token of a foreign form');
    const now = Math.floor(clock() / 1000);
    const expiresAt = (now + refreshLifetimeSeconds(lifetimes, token.iiat, now)) * 1000;
    work.current().record('grant', parts.grant, touchFamily(parts.family, expiresAt));
    return false;
  };
}
