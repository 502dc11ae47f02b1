import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { webhookReceiver } from '../../../src/events/encodings/webhook.ts';
import type { WebhookReceiverOptions } from '../../../src/events/encodings/webhook.ts';
import { aDelivery, aNotice, at, noticeId } from './samples.ts';

const key = Buffer.from('a secret of tests, of thirty-two b');
const secret = `whsec_${key.toString('base64')}`;
const older = `whsec_${Buffer.from('the one that was before it, of tests').toString('base64')}`;

const receiver = (more: Partial<WebhookReceiverOptions> = {}) =>
  webhookReceiver({
    id: 'crm',
    url: 'https://crm.example.com/hook',
    secrets: [secret],
    clock: () => at + 5000,
    ...more,
  });

describe('a webhook', () => {
  test('is signed as Standard Webhooks says, once for each secret', async () => {
    const both = receiver({ secrets: [secret, older] });
    const { body, headers } = await both.encode(noticeId, aNotice('member.removed'), aDelivery());
    const timestamp = String(Math.floor((at + 5000) / 1000));
    const signed = `${noticeId}.${timestamp}.${body}`;
    const mac = createHmac('sha256', key).update(signed).digest('base64');
    expect(headers).toEqual({
      'content-type': 'application/json',
      'webhook-id': noticeId,
      'webhook-timestamp': timestamp,
      'webhook-signature': expect.stringMatching(/^v1,[\w+/]{43}= v1,[\w+/]{43}=$/),
    });
    expect(headers['webhook-signature']?.split(' ')[0]).toBe(`v1,${mac}`);
    expect(JSON.parse(body)).toEqual({
      type: 'member.removed',
      timestamp: '2027-01-02T03:04:05.678Z',
      version: 1,
      data: { user: 'usr_ada', account: 'acc_acme', actor: 'usr_bob' },
    });
  });

  test('agrees with the example that the specification has', async () => {
    const { webhookSignature } = await import('../../../src/events/encodings/webhook.ts');
    // https://github.com/standard-webhooks/standard-webhooks, the vector of its reference libraries.
    const message = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: '1614265330',
      body: '{"test": 2432232314}',
    };
    expect(webhookSignature('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', message)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  test('says nothing that is not declared', async () => {
    const data = { user: 'usr_ada', account: 'acc_acme', name: 'Ada', password: 'never' };
    const { body } = await receiver().encode(
      noticeId,
      aNotice('user.registered', data),
      aDelivery(),
    );
    expect(JSON.parse(body)).toMatchObject({ data: { user: 'usr_ada', account: 'acc_acme' } });
    expect(body).not.toMatch(/Ada|never/);
  });

  test('what its answers mean', () => {
    const { judge } = receiver();
    const meanings = [200, 204, 301, 400, 404, 410, 429, 502].map((one) => judge(one));
    expect(meanings).toEqual([
      'delivered',
      'delivered',
      'later',
      'later',
      'later',
      'gone',
      'later',
      'later',
    ]);
  });
});

describe('what it is told', () => {
  const hears = (types: string[] | undefined, type: string) =>
    receiver({ types }).wants(noticeId, aNotice(type)).length === 1;

  test.each<[string[] | undefined, string, boolean]>([
    [undefined, 'session.ended', true],
    [['session.ended'], 'session.ended', true],
    [['session.*'], 'session.ended', true],
    [['user.*'], 'session.ended', false],
    [['session.ende'], 'session.ended', false],
    [[], 'session.ended', false],
    [undefined, 'owner.removed', false],
    [undefined, 'stream.verification', false],
    [['session.ended'], 'ping', true],
  ])('of %j it hears %s: %s', (types, type, expected) => {
    expect(hears(types, type)).toBe(expected);
  });

  test('no ping that is meant for another', () => {
    expect(receiver({ id: 'other' }).wants(noticeId, aNotice('ping'))).toEqual([]);
  });
});
