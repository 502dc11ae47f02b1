import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A key and a certificate that signs itself, valid for a day, for these names. */
export function selfSigned(names: readonly string[]): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid('2a8648ce3d040302'));
  const name = sequence(set(sequence(oid('550403'), utf8(names[0] ?? ''))));
  const alternative = sequence(...names.map((text) => tag(0x82, Buffer.from(text))));
  const extensions = sequence(
    sequence(oid('551d11'), octets(alternative)),
    sequence(
      oid('551d13'),
      tag(0x01, Buffer.from([0xff])),
      octets(sequence(tag(0x01, Buffer.from([0xff])))),
    ),
  );
  const body = sequence(
    tag(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    sequence(time(-3_600_000), time(86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tag(0xa3, extensions),
  );
  const signature = sign('sha256', body, privateKey);
  const certificate = sequence(
    body,
    algorithm,
    tag(0x03, Buffer.concat([Buffer.from([0]), signature])),
  );
  return {
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
  };
}

function tag(type: number, content: Buffer): Buffer {
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([type, ...length]), content]);
}

const sequence = (...parts: Buffer[]) => tag(0x30, Buffer.concat(parts));
const set = (part: Buffer) => tag(0x31, part);
const oid = (hex: string) => tag(0x06, Buffer.from(hex, 'hex'));
const utf8 = (text: string) => tag(0x0c, Buffer.from(text));
const octets = (content: Buffer) => tag(0x04, content);
const integer = (content: Buffer) => tag(0x02, content);

function time(offset: number): Buffer {
  const text = new Date(Date.now() + offset).toISOString().replace(/[-:T]/g, '');
  return tag(0x17, Buffer.from(`${text.slice(2, 14)}Z`));
}
