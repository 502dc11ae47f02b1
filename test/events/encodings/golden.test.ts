/**
 * What goes over the wire for each type, in every form, as files: whoever receives it has written code for these
 * words. After a change that is meant, `npx vitest run test/events/encodings --update`.
 */

import { readdirSync } from 'node:fs';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { toldFields } from '../../../src/events/encodings/fields.ts';
import { clientReceiver } from '../../../src/events/encodings/logout_token.ts';
import { streamReceiver } from '../../../src/events/encodings/set.ts';
import { supportedSetTypes } from '../../../src/events/encodings/set_types.ts';
import { webhookReceiver } from '../../../src/events/encodings/webhook.ts';
import type { Receiver, Sign } from '../../../src/events/receivers.ts';
import { aDelivery, aNotice, at, issuer, noticeId, samples, someKeys } from './samples.ts';

let sign: Sign;

beforeAll(async () => {
  ({ sign } = await someKeys());
});

const golden = (name: string) => new URL(`../golden/${name}`, import.meta.url).pathname;

/** All that this receiver is sent. */
async function sent(receiver: Receiver, type: string): Promise<string[]> {
  const notice = aNotice(type);
  return Promise.all(
    receiver.wants(noticeId, notice).map(async (wanted) => {
      const { body } = await receiver.encode(noticeId, notice, aDelivery({ ...wanted }));
      return body;
    }),
  );
}

const clock = () => at + 20;

async function everyForm(type: string) {
  const url = 'https://receiver.example.com/';
  const secrets = ['whsec_AAAA'];
  const webhook = webhookReceiver({ id: 'crm', url, secrets, clock });
  const types = new Set<string>(supportedSetTypes);
  const stream = streamReceiver({ stream: 's', issuer, audience: 'crm', types, sign });
  const logouts = await Promise.all(
    ['web', 'admin'].map((id) => {
      const client = { id, url, idTokenAlg: 'RS256' as const };
      return sent(clientReceiver({ client, issuer, sign, clock }), type);
    }),
  );
  return {
    webhook: (await sent(webhook, type)).map((body): unknown => JSON.parse(body)),
    security_event_tokens: (await sent(stream, type)).map((body) => decodeJwt(body)),
    logout_tokens: logouts.flat().map((body) => {
      const claims = decodeJwt(new URLSearchParams(body).get('logout_token') ?? '');
      return { ...claims, jti: 'another one each time' };
    }),
  };
}

describe('what goes over the wire', () => {
  test.each([...toldFields.keys()])('%s', async (type) => {
    const text = `${JSON.stringify(await everyForm(type), undefined, 2)}\n`;
    await expect(text).toMatchFileSnapshot(golden(`${type}.json`));
  });

  test('there is a sample of each type, and no file too many', () => {
    expect(Object.keys(samples).toSorted()).toEqual([...toldFields.keys()].toSorted());
    const files = readdirSync(golden('')).map((name) => name.replace(/\.json$/, ''));
    expect(files.toSorted()).toEqual([...toldFields.keys()].toSorted());
  });
});
