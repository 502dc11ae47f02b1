import { expect, test } from 'vitest';
import { eventTypes } from '../../src/config/event_types.ts';
import { toldFields } from '../../src/events/encodings/fields.ts';
import { complaints, goodInput, load } from './world.ts';

const secretOf = (fill: number) =>
  `whsec_${Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37 + fill) % 256)).toString('base64')}`;
const [secret, older] = [secretOf(11), secretOf(5)];
const allowPrivate = ['127.0.0.0/8', '10.0.0.0/8'];

function withReceiver(change: object, more: object = {}): object {
  const receiver = { id: 'crm', url: 'https://crm.example.com/events', secret, ...change };
  return { ...goodInput(), receivers: [receiver], ...more };
}

test('a receiver needs a name, an address and a secret, which the environment has', async () => {
  expect(await complaints(withReceiver({}))).toEqual([]);
  const env = { TOLLGATE_RECEIVER_CRM_SECRET: `${secret}, ${older}` };
  const config = await load(withReceiver({ secret: undefined, types: ['session.*'] }), env);
  expect(config.receivers).toEqual([
    {
      id: 'crm',
      url: 'https://crm.example.com/events',
      types: ['session.*'],
      secret: `${secret}, ${older}`,
    },
  ]);
});

test.each([
  ['plain http', { url: 'http://crm.example.com/' }, 'receivers[0].url', 'https://'],
  ['http to a network that is not named', { url: 'http://10.0.0.7/' }, '[0].url', 'allowPrivate'],
  ['an address with a password', { url: 'https://a:b@crm.example.com/' }, '[0].url', 'password'],
  ['no address', { url: 'crm' }, '[0].url', 'no address'],
  ['a misspelled event', { types: ['sesion.ended'] }, '[0].types[0]', '`session.ended`'],
  ['no events', { types: [] }, '[0].types', 'at least 1'],
  ['no secret', { secret: undefined }, '[0].secret', 'TOLLGATE_RECEIVER_CRM_SECRET'],
  ['a secret of another kind', { secret: 'a'.repeat(40) }, '[0].secret', 'whsec_'],
  ['a short one', { secret: 'whsec_AAECAwQFBgc=' }, '[0].secret', '24 to 64'],
  ['a weak one', { secret: `whsec_${'A'.repeat(43)}=` }, '[0].secret', 'different characters'],
  ['three of them', { secret: [1, 2, 3].map(secretOf).join(',') }, '[0].secret', 'There are 3'],
  ['one with a letter too many', { secrets: secret }, 'receivers[0].secrets', '`secret`'],
])('%s is refused', async (_name, change, key, told) => {
  const found = await complaints(withReceiver(change));
  expect(found.join('\n')).toContain(key);
  expect(found.join('\n')).toContain(told);
  expect(found.join('\n')).not.toContain('AAECAwQ');
});

test('plain http is accepted within networks that requests may go to', async () => {
  for (const url of [
    'http://127.0.0.1:9000/',
    'http://localhost/',
    'http://10.0.0.7/',
    'http://crm/',
  ]) {
    expect(await complaints(withReceiver({ url }, { outgoing: { allowPrivate } }))).toEqual([]);
  }
  const elsewhere = withReceiver({ url: 'http://192.168.0.7/' }, { outgoing: { allowPrivate } });
  expect(await complaints(elsewhere)).toHaveLength(1);
});

test('two receivers share neither name nor secret', async () => {
  const url = 'https://crm.example.com/';
  const receivers = [
    { id: 'crm', url, secret },
    { id: 'CRM', url, secret },
  ];
  const found = await complaints({ ...goodInput(), receivers });
  expect(found.join('\n')).toContain('receivers[0] has the same id');
  expect(found.join('\n')).toContain('the same secret as receivers[0].secret');
});

test('the events that a receiver may ask for are those that webhooks tell of', () => {
  const told = [...toldFields.keys()].filter((type) => type !== 'ping');
  expect(eventTypes).toEqual(told.toSorted());
});
