import net from 'node:net';

/** What a server answered. */
export interface HttpAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends bytes as they are to a server of this machine and reads until it closes; `null`: it closed without a word. */
export async function rawHttp(port: number, bytes: string): Promise<HttpAnswer | null> {
  const socket = net.connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {}); // a reset is an end too
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  const text = Buffer.concat(chunks).toString();
  if (text === '') return null;
  const [head = '', ...body] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(first.split(' ')[1]), headers: new Map(headers), body: body.join('\r\n\r\n') };
}

/** `method` of `path`, with `Host: localhost` unless another one is given. */
export function httpRequest(
  port: number,
  path: string,
  options: { readonly method?: string; readonly token?: string; readonly host?: string } = {},
): Promise<HttpAnswer | null> {
  const { method = 'GET', token, host = 'localhost' } = options;
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
  return rawHttp(port, `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n`);
}
