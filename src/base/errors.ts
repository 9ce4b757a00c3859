/**
 * The one error catalogue. Every error that a person or a program may see has a code here; `docs/reference/errors.md`
 * lists the same codes (a test holds the two together). Nothing branches on a message; codes are never reused.
 */

/** Who has to act: the other side of a connection, whoever called us, we ourselves, or the machine around us. */
export type Blame = 'peer' | 'caller' | 'us' | 'environment';

/** Exit codes of the command line: 0 done, 1 could not run, 2 wrong usage, 3 wrong configuration. */
export type ExitCode = 1 | 2 | 3;

interface CatalogEntry {
  readonly blame: Blame;
  readonly exit: ExitCode;
  /** What it means, in a sentence, for the reference page. */
  readonly meaning: string;
}

export const errorCatalog = {
  // command line
  USAGE: {
    blame: 'caller',
    exit: 2,
    meaning: 'A command or an option is unknown, is missing or has a wrong value.',
  },
  // files and configuration
  FILE_UNREADABLE: { blame: 'environment', exit: 1, meaning: 'A file that is needed cannot be read.' },
  FILE_UNWRITABLE: {
    blame: 'environment',
    exit: 1,
    meaning: 'A file or folder that is needed cannot be written.',
  },
  CONFIG_INVALID: {
    blame: 'caller',
    exit: 3,
    meaning: 'A configuration file has a syntax error, an unknown key or a wrong value.',
  },
  CREDENTIALS_INVALID: {
    blame: 'caller',
    exit: 3,
    meaning: 'A password, access or certificate file does not hold what it must.',
  },
  // network
  PORT_TAKEN: {
    blame: 'environment',
    exit: 1,
    meaning: 'Another program already listens on the address and port.',
  },
  LISTEN_FAILED: { blame: 'environment', exit: 1, meaning: 'A listener cannot be opened.' },
  TLS_INVALID: { blame: 'caller', exit: 1, meaning: 'A certificate, key or CA file cannot be used for TLS.' },
  CONNECT_FAILED: { blame: 'environment', exit: 1, meaning: 'A broker cannot be reached.' },
  CONNECTION_REFUSED: {
    blame: 'peer',
    exit: 1,
    meaning: 'The broker answered and refused the connection; the reason is its own.',
  },
  CONNECTION_LOST: { blame: 'peer', exit: 1, meaning: 'The connection ended before an answer came.' },
  PROTOCOL: { blame: 'peer', exit: 1, meaning: 'The other side broke the MQTT protocol.' },
  REFUSED: {
    blame: 'peer',
    exit: 1,
    meaning: 'The broker refused a publish or a subscription; the reason is its own.',
  },
  QUEUE_FULL: {
    blame: 'caller',
    exit: 1,
    meaning: 'More is waiting to be sent than the bound allows; nothing was taken.',
  },
  // store
  STORE_UNUSABLE: {
    blame: 'environment',
    exit: 1,
    meaning: 'The database cannot be opened, is of another version or failed to commit.',
  },
  // journal
  JOURNAL_UNUSABLE: {
    blame: 'environment',
    exit: 1,
    meaning: 'The journal cannot be opened, is damaged, of another version or in use, or failed to write.',
  },
  // our own fault
  BUG: { blame: 'us', exit: 1, meaning: 'Something happened that must not. Please report it with the text.' },
} as const satisfies Record<string, CatalogEntry>;

export type ErrorCode = keyof typeof errorCatalog;

/**
 * An error with a stable code. The message names the thing, says why and what to do, in one line:
 * `listener detectors: port 1883 is taken; choose another port or stop the program that uses it`.
 */
export class DavylampError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'DavylampError';
    this.code = code;
  }

  get blame(): Blame {
    return errorCatalog[this.code].blame;
  }

  get exitCode(): ExitCode {
    return errorCatalog[this.code].exit;
  }
}

/** The message of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

/** The system's code (`EADDRINUSE`, `ENOENT`, …) of whatever was thrown, or `undefined`. */
export function systemCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
