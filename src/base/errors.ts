/**
 * The one error class. Whatever a person, an app or an operator should be told about is a Problem;
 * anything else that is thrown is a defect and is answered with a bare 500. One place renders them:
 * `src/web/failure.ts`.
 */

export interface ProblemOptions {
  /** For the log only: never shown. */
  cause?: unknown;
  /** Safe facts for the answer's JSON body, such as `{ field: 'return_to' }`. */
  details?: Record<string, unknown>;
  /** Seconds after which trying again makes sense (`Retry-After`). */
  retryAfterSeconds?: number;
  /** For the log only: what an operator is to do about it. */
  remedy?: string | undefined;
  /** Whoever throws it has logged what there is to say: anybody can cause it, as often as they like. */
  isLogged?: boolean;
}

export class Problem extends Error {
  /** A stable word in snake_case, such as `login_required`: documented, never changed. */
  readonly code: string;
  /** HTTP status of the answer. */
  readonly status: number;
  readonly details: Record<string, unknown>;
  readonly retryAfterSeconds: number | undefined;
  readonly remedy: string | undefined;
  readonly isLogged: boolean;

  /** @param message one plain sentence that is safe to show: no ids of others, no internals. */
  constructor(code: string, status: number, message: string, options: ProblemOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.status = status;
    this.details = options.details ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.remedy = options.remedy;
    this.isLogged = options.isLogged ?? false;
  }
}
