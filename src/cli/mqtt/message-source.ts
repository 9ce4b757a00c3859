import { usage } from '../command.ts';
import type { ToolSession } from './tool-session.ts';

/** The most that a PUBLISH carries (MQTT 5, 2.1.4). */
export const largestPayload = 268_435_455;

/** The one message to send, of the text, the file, the whole input or none. Rejects with FILE_UNREADABLE and USAGE. */
export async function readMessage({ settings, port }: ToolSession): Promise<Buffer> {
  const { source, sourceValue, tool } = settings;
  const payload =
    source === 'file'
      ? await port.readFile(sourceValue)
      : source === 'input'
        ? await readAll(port.readInput().chunks)
        : Buffer.from(sourceValue);
  if (payload.length > largestPayload)
    throw usage(tool, `the message is longer than the ${largestPayload} bytes that MQTT carries`);
  if (source === 'input' && payload.length === 0)
    throw usage(tool, 'standard input is empty; use -n to send an empty message');
  return payload;
}

async function readAll(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length > largestPayload) break; // refused by the caller
  }
  return Buffer.concat(parts);
}
