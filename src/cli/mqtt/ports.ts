import type { Clock, Dialer, Logger } from '#base';
import type { ProxyUrl } from './broker-url.ts';

/** What pub, sub and rr need of the machine: defined here, implemented in `app`. */
export interface MqttToolsPort {
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly processId: number;
  /** Nanoseconds since 1970 (UTC), as fine as the machine's clock is. */
  nanoseconds(): bigint;
  readonly output: ToolOutput;
  /** A line on standard error. */
  readonly printError: (line: string) => void;
  /** Rejects with CONNECT_FAILED where the address to connect from has no such name. */
  createDialer(target: BrokerTarget): Promise<Dialer>;
  /** The broker that the name service gives for a host. Rejects with CONNECT_FAILED. */
  resolveService(host: string, isTls: boolean): Promise<{ readonly host: string; readonly port: number }>;
  /** A whole file. Rejects with FILE_UNREADABLE. */
  readFile(file: string): Promise<Buffer>;
  /** The options file of a user, named as the program is; `null` where there is none. Rejects with FILE_UNREADABLE. */
  readDefaults(program: string): Promise<string | null>;
  /** Standard input, read no faster than it is asked for. */
  readInput(): ToolInput;
  /** SIGINT or SIGTERM came: once. The answer takes the callback away. */
  onStop(callback: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
}

/** Standard input. */
export interface ToolInput {
  readonly chunks: AsyncIterable<Buffer>;
  /** Nobody reads on: a read that waits does not keep the process alive. */
  close(): void;
}

/** Standard output. */
export interface ToolOutput {
  /** False: much is waiting; `onDrain` tells when it is gone. The bytes must not change any more. */
  write(bytes: Buffer): boolean;
  onDrain: () => void;
  /** Nobody reads any more; called once. */
  onClosed: () => void;
}

/** Where the broker is and how to get there. */
export interface BrokerTarget {
  readonly host: string;
  readonly port: number;
  readonly unixPath: string | undefined;
  readonly isWebSocket: boolean;
  /** An address of this machine, or a name for one. */
  readonly bindAddress: string | undefined;
  readonly proxy: ProxyUrl | undefined;
  readonly tls: ToolTls | null;
}

/** TLS as the options ask for it. */
export interface ToolTls {
  readonly caFile: string | undefined;
  readonly caFolder: string | undefined;
  readonly useSystemAuthorities: boolean;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly ciphers: string | undefined;
  readonly version: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly alpn: string | undefined;
  readonly keylogFile: string | undefined;
  /** Whose certificate it is does not count. */
  readonly insecure: boolean;
  readonly psk: { readonly identity: string; readonly key: Buffer } | undefined;
}
