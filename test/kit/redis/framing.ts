/** Redis' protocol for the proxy: what a client sends are arrays of strings with their lengths. */

import type { Framing, Message } from '../proxy.ts';

/** All count but what the library sends of its own accord at each connection. */
export const redisFraming: Framing = () => {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const messages: Message[] = [];
    for (let length = lengthOf(rest); length !== undefined; length = lengthOf(rest)) {
      const bytes = rest.subarray(0, length);
      rest = rest.subarray(length);
      messages.push({ bytes, counts: !/^(auth|hello|select|client)$/i.test(nameOf(bytes)) });
    }
    return messages;
  };
};

/** Of the first whole command; undefined when there is none yet. */
function lengthOf(buffer: Buffer): number | undefined {
  let at = 0;
  const number = (): number | undefined => {
    const end = buffer.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const value = Number(buffer.toString('latin1', at + 1, end));
    at = end + 2;
    return value;
  };
  const count = number();
  if (count === undefined) return undefined;
  for (let position = 0; position < count; position += 1) {
    const length = number();
    if (length === undefined) return undefined;
    at += length + 2;
  }
  return at <= buffer.length ? at : undefined;
}

function nameOf(bytes: Buffer): string {
  return bytes.toString('latin1').split('\r\n', 3)[2] ?? '';
}
