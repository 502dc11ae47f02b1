/** A clock of the whole process that is wrong, or that a test moves on: for the library as for the rest. */

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface MovingClock {
  /** For `startCluster`: its processes are ahead by what stands there. */
  file: string;
  /** So much time passes for all of them, and for the test. */
  pass(milliseconds: number): void;
  /** Puts the true one back. */
  restore(): void;
}

const width = 16;

export function startMovingClock(): MovingClock {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-clock-'));
  const file = join(folder, 'ahead');
  const descriptor = openSync(file, 'w');
  let ahead = 0;
  // In place and of one length: somebody reads it at any moment. Of a string Deno appends, whatever the position.
  const write = () =>
    writeSync(descriptor, Buffer.from(String(ahead).padStart(width)), 0, width, 0);
  write();
  const restoreDate = skewDate(() => ahead);
  return {
    file,
    pass(milliseconds) {
      ahead += milliseconds;
      write();
    },
    restore() {
      restoreDate();
      closeSync(descriptor);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

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
