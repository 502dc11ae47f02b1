/** The lines of a file of any size, one after the other: memory is that of one line, and a line has a limit. */

import { createReadStream } from 'node:fs';

const longestLine = 1024 * 1024;

export interface Line {
  number: number;
  /** Absent for a line that is too long, or is no UTF-8. */
  text?: string;
  problem?: string;
}

/** Empty ones are left out, and counted. */
export async function* linesOf(file: string): AsyncGenerator<Line> {
  let number = 0;
  let parts: Buffer[] = [];
  let length = 0;
  const finish = (): Line | undefined => {
    number += 1;
    const line = length > longestLine ? tooLong(number) : decoded(number, Buffer.concat(parts));
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
    const bytes = chunk as Buffer;
    let start = 0;
    while (start < bytes.length) {
      const newline = bytes.indexOf(10, start);
      const end = newline === -1 ? bytes.length : newline;
      length += end - start;
      if (length <= longestLine) parts.push(bytes.subarray(start, end));
      start = end + 1;
      if (newline === -1) break;
      const line = finish();
      if (line !== undefined) yield line;
    }
  }
  const rest = length > 0 ? finish() : undefined;
  if (rest !== undefined) yield rest;
}

function tooLong(number: number): Line {
  return { number, problem: `The line has more than ${longestLine} bytes.` };
}

function decoded(number: number, bytes: Buffer): Line | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: number > 1 }).decode(bytes);
    return text.trim() === '' ? undefined : { number, text };
  } catch {
    return { number, problem: 'The line is no UTF-8.' };
  }
}
