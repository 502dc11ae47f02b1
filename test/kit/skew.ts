/** A clock of the whole process that is wrong, or that a test moves on: for the library as for the rest. */

/** @returns puts the true one back */
export function skewDate(aheadMs: () => number): () => void {
  const RealDate = globalThis.Date;
  class SkewedDate extends RealDate {
    constructor(...given: unknown[]) {
      super(...((given.length === 0 ? [RealDate.now() + aheadMs()] : given) as [number]));
    }

    static override now(): number {
      return RealDate.now() + aheadMs();
    }
  }
  globalThis.Date = SkewedDate as DateConstructor;
  return () => {
    globalThis.Date = RealDate;
  };
}
