/** Parts of a header of the PROXY protocol, version 2; what is left out is a client from 192.0.2.5:6275. */
export interface BinaryHeaderParts {
  readonly address?: string;
  readonly port?: number;
  readonly command?: number;
  readonly family?: number;
  /** The address block as it is, instead of `address` and `port`. */
  readonly addresses?: Buffer;
  /** Types with values. */
  readonly values?: Buffer;
}

/** A header as a proxy sends it. */
export function binaryProxyHeader(parts: BinaryHeaderParts): Buffer {
  const { address = '192.0.2.5', port = 6275, command = 1, family = 0x11, values = Buffer.alloc(0) } = parts;
  const block =
    parts.addresses ??
    Buffer.concat([
      Buffer.from([...address.split('.').map(Number), 198, 51, 100, 1]),
      shortOf(port),
      shortOf(1883),
    ]);
  const head = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
  return Buffer.concat([
    head,
    Buffer.of(0x20 | command, family),
    shortOf(block.length + values.length),
    block,
    values,
  ]);
}

/** What a proxy says of the client's TLS (PP2_TYPE_SSL). */
export function proxyTlsValue(tls: {
  readonly commonName?: string | Buffer;
  readonly flags?: number;
  readonly verify?: number;
}): Buffer {
  const { commonName, flags = commonName === undefined ? 1 : 7, verify = 0 } = tls;
  const result = Buffer.alloc(4);
  result.writeUInt32BE(verify);
  const name = commonName === undefined ? [] : [valueOf(0x22, Buffer.from(commonName as string))];
  return valueOf(
    0x20,
    Buffer.concat([Buffer.of(flags), result, valueOf(0x21, Buffer.from('TLSv1.3')), ...name]),
  );
}

function valueOf(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(type), shortOf(value.length), value]);
}

function shortOf(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
