import { expect, test } from 'vitest';
import { configSchema } from '../../src/config.ts';
import type { Config, ConfigInput } from '../../src/config.ts';
import { changeable, changesBetween } from '../../src/config/changes.ts';
import { clientSecret, goodInput } from './world.ts';

const configOf = (change: Partial<ConfigInput> = {}): Config =>
  configSchema.parse({ ...goodInput(), ...change });

const app = goodInput().clients![0]!;
const present = configOf({
  clients: [app, { ...app, id: 'second' }, { ...app, id: 'third' }],
  products: [{ id: 'api', name: 'API', audience: 'https://api.example.com' }],
});

test('nothing has changed in a file that was written again', () => {
  expect(changesBetween(present, structuredClone(present))).toEqual({
    config: present,
    taken: [],
    left: [],
    ids: {},
  });
});

test('clients and products are told apart by their ids, and no secret is told', () => {
  const secret = 'another.secret-of.32_characters~ok';
  const next = {
    ...present,
    clients: configOf({
      clients: [
        { ...app, secret },
        { ...app, id: 'third' },
        { ...app, id: 'new' },
      ],
    }).clients,
    products: [],
  };
  const changes = changesBetween(present, next);
  expect(changes.config).toEqual(next);
  expect(changes.taken).toEqual(['clients', 'products']);
  expect(changes.ids).toEqual({
    clients_added: ['new'],
    clients_removed: ['second'],
    clients_changed: ['app'],
    products_removed: ['api'],
  });
  const { config: _config, ...told } = changes;
  for (const value of [secret, clientSecret]) expect(JSON.stringify(told)).not.toContain(value);
});

test('another order is a change: the first product is the default', () => {
  const next = { ...present, clients: present.clients.toReversed() };
  expect(changesBetween(present, next)).toMatchObject({
    config: next,
    taken: ['clients'],
    ids: {},
  });
});

test('what is built once for the process is left, and the rest is taken all the same', () => {
  const next: Config = {
    ...present,
    secrets: ['0f1e2d3c4b5a69788796a5b4c3d2e1f0'],
    registration: 'open',
    defaultProvider: 'google',
    returnOrigins: ['https://other.example.com'],
  };
  const changes = changesBetween(present, next);
  expect(changes.left.toSorted()).toEqual(['defaultProvider', 'registration', 'secrets']);
  expect(changes.taken).toEqual(['returnOrigins']);
  expect(changes.config).toEqual({ ...present, returnOrigins: next.returnOrigins });
});

test('a key that is gone is a change, too', () => {
  const { defaultProvider: _gone, ...without } = configOf({ defaultProvider: 'google' });
  expect(changesBetween(configOf({ defaultProvider: 'google' }), without).left).toEqual([
    'defaultProvider',
  ]);
  expect(changeable).not.toContain('defaultProvider');
});

test.each(['stripe', 'registration'] as const)(
  'what is sold waits for the restart where %s decides about it',
  (key) => {
    const { registration, stripe } = configOf({
      registration: 'checkout',
      stripe: { secretKey: 'sk_test_51Nothing0Of0This0Is0True' },
    });
    const clients = [{ ...configOf().clients[0], id: 'another' }] as Config['clients'];
    const decides = key === 'stripe' ? { stripe } : { registration };
    const next: Config = { ...configOf(), ...decides, clients };
    expect(changesBetween(configOf(), next).left.toSorted()).toEqual(['clients', key].toSorted());
    const other = { ...configOf(), registration: 'open', clients } as Config;
    expect(changesBetween(configOf(), other).taken).toEqual(['clients']);
  },
);
