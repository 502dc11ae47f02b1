/** A MongoDB behind a proxy. */

import { mongodbFraming, startProxy } from '../proxy.ts';
import type { Proxy } from '../proxy.ts';

/** To this server alone; and the driver looks again sooner than it would by itself. */
const options = {
  directConnection: 'true',
  minHeartbeatFrequencyMS: '50',
  serverSelectionTimeoutMS: '1000',
};

/** @param address of one server, or of several: then of the first */
export async function throughProxy(
  address: string,
  more: Record<string, string> = {},
): Promise<{ proxy: Proxy; address: string }> {
  const [, user = '', host = '', port = '27017', path = ''] =
    /^mongodb:\/\/([^/@]*@)?([^:/,]+)(?::(\d+))?[^/?]*([^?]*)/.exec(address) ?? [];
  const proxy = await startProxy({ host, port: Number(port) }, mongodbFraming);
  const query = new URLSearchParams(address.split('?')[1]);
  query.delete('replicaSet');
  for (const [option, value] of Object.entries({ ...options, ...more })) query.set(option, value);
  return { proxy, address: `mongodb://${user}127.0.0.1:${proxy.port}${path}?${query}` };
}
