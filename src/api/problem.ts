import { DavylampError } from '#base';

/** Everything the API can answer instead of a result, with its HTTP status. `docs/reference/api.md` lists the same. */
export const problemStatus = {
  BAD_INPUT: 400,
  HOST_REFUSED: 403,
  ORIGIN_REFUSED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  TOO_LARGE: 413,
  UNSUPPORTED_TYPE: 415,
  BUG: 500,
  STORE_UNUSABLE: 503,
  TOO_MANY_STREAMS: 503,
} as const;
export type ProblemCode = keyof typeof problemStatus;

/** JSON of every answer that is not a result. */
export interface ProblemView {
  readonly error: ProblemCode;
  /** For people: names the thing, says why and what to do. */
  readonly message: string;
}

/** Thrown by a handler to answer with a problem. */
export class Problem extends Error {
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string) {
    super(message);
    this.name = 'Problem';
    this.code = code;
  }
}

/** What a handler's error becomes for the client. What the client cannot help with keeps its details to the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof DavylampError && error.code === 'STORE_UNUSABLE') {
    return new Problem('STORE_UNUSABLE', 'the store cannot be used now; the log of the cloud says why');
  }
  return new Problem('BUG', 'something failed that must not; the log of the cloud says what');
}

/** The answer for a problem. */
export function problemResponse(problem: Problem): Response {
  const body: ProblemView = { error: problem.code, message: problem.message };
  return Response.json(body, { status: problemStatus[problem.code] });
}
