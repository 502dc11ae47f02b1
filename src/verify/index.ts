/** `tollgate/verify`: what a service imports. */

export type { AccessClaims } from './claims.ts';
export { VerifyError } from './errors.ts';
export type { EventReason, VerifyErrorCode } from './errors.ts';
export type { ReceivedEvent } from './events.ts';
export { express, expressEvents } from './express.ts';
export { guard } from './guard.ts';
export { hono } from './hono.ts';
export { koa, koaEvents } from './koa.ts';
export { allows, may } from './plan.ts';
export type { PlanPolicy } from './plan.ts';
export type { PollOptions } from './poll.ts';
export type { HeaderRecord, Presentation, RequestLike } from './presented.ts';
export type { VerifierOptions } from './settings.ts';
export type { DenylistStore } from './store.ts';
export type { Demands } from './token.ts';
export { verifier } from './verifier.ts';
export type { Verifier } from './verifier.ts';
export type { Warning } from './warnings.ts';
