import * as v from 'valibot';
import type { ApiRequest } from './context.ts';
import { Problem } from './problem.ts';

/** Bytes of a body: the longest honest one is a comment of 500 characters. */
const maximumBodyBytes = 16_384;

/** Bytes that are read of a body that is too large. */
const maximumReadBytes = 1_048_576;

const maximumLimit = 10_000;

/** Who acts: a person's name, for the record. */
export const personSchema = v.pipe(
  v.string('must be text'),
  v.trim(),
  v.minLength(1, 'must not be empty'),
  v.maxLength(64, 'must not be longer than 64 characters'),
  v.regex(/^\P{C}+$/u, 'must not hold control characters'),
);

/** `?limit=`: how many rows, 1 to 10,000. */
export function limitSchema(otherwise: number) {
  const message = `must be a whole number from 1 to ${maximumLimit}`;
  return v.optional(
    v.pipe(
      v.string(message),
      v.regex(/^[1-9][0-9]{0,4}$/, message),
      v.transform(Number),
      v.maxValue(maximumLimit, message),
    ),
    String(otherwise),
  );
}

/** Query parameters by a schema. Throws `BAD_INPUT` that names the parameter and what is allowed. */
export function readQuery<Schema extends v.GenericSchema>(
  request: ApiRequest,
  schema: Schema,
): v.InferOutput<Schema> {
  return parse(schema, request.req.query());
}

/** A JSON body by a schema. Throws `UNSUPPORTED_TYPE`, `TOO_LARGE` or `BAD_INPUT`. */
export async function readBody<Schema extends v.GenericSchema>(
  request: ApiRequest,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const type = request.req.header('content-type') ?? '';
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new Problem('UNSUPPORTED_TYPE', 'the content type must be application/json');
  }
  const text = await readText(request);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Problem('BAD_INPUT', 'the body is not JSON');
  }
  return parse(schema, body);
}

/**
 * Keeps no more than the bound, whatever length the client claims. A little more is read and forgotten, because a
 * client that is still sending when its connection ends may never see why.
 */
async function readText(request: ApiRequest): Promise<string> {
  const tooLarge = new Problem('TOO_LARGE', `the body is larger than ${maximumBodyBytes} bytes`);
  if (Number(request.req.header('content-length') ?? 0) > maximumReadBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop must not destroy the stream: the answer still has to go out on its socket.
  for await (const chunk of request.env.incoming.iterator({ destroyOnReturn: false })) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > maximumReadBytes) throw tooLarge;
    if (size <= maximumBodyBytes) chunks.push(bytes);
  }
  if (size > maximumBodyBytes) throw tooLarge;
  return Buffer.concat(chunks).toString('utf8');
}

function parse<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return result.output;
  throw new Problem('BAD_INPUT', describe(result.issues[0]));
}

function describe(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue);
  if (field === null) return 'the body must be a JSON object';
  if (issue.type === 'strict_object') {
    return issue.expected === 'never' ? `${field}: is not known here` : `${field}: is missing`;
  }
  return `${field}: ${issue.message}`;
}
