import { isIP, type Socket } from 'node:net';

/** A SOCKS 5 proxy (RFC 1928), with user name and password (RFC 1929) where it asks for them. */
export interface SocksProxy {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
}

/** Where the proxy shall connect to. */
interface Place {
  readonly host: string;
  readonly port: number;
}

interface Outcome {
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

const version = 5;
const noAuthentication = 0;
const byPassword = 2;
const connectCommand = 1;

/** What a proxy says with its reply (RFC 1928, 6). */
const refusals = [
  '',
  'it has failed',
  'it does not allow the connection',
  'the network cannot be reached',
  'the host cannot be reached',
  'the connection was refused',
  'the connection took too long',
  'it does not know the command',
  'it does not know this kind of address',
];

/** Asks the proxy at the other end of `socket` for a connection to `target`. One of the two is called, once. */
export function askSocksProxy(socket: Socket, target: Place, proxy: SocksProxy, outcome: Outcome): void {
  new SocksRequest(socket, target, proxy, outcome).begin();
}

class SocksRequest {
  readonly #socket: Socket;
  readonly #target: Place;
  readonly #proxy: SocksProxy;
  readonly #outcome: Outcome;
  readonly #onData = (chunk: Buffer): void => this.#onBytes(chunk);
  #held: Buffer = Buffer.alloc(0);
  /** Length of the answer that is awaited, of its first bytes; `null` = more are needed to tell. */
  #measure: (bytes: Buffer) => number | null = twoBytes;
  #onAnswer: (answer: Buffer) => void = (answer) => this.#onMethod(answer);

  constructor(socket: Socket, target: Place, proxy: SocksProxy, outcome: Outcome) {
    this.#socket = socket;
    this.#target = target;
    this.#proxy = proxy;
    this.#outcome = outcome;
  }

  begin(): void {
    const methods = this.#proxy.username === undefined ? [noAuthentication] : [noAuthentication, byPassword];
    this.#socket.on('data', this.#onData);
    this.#socket.write(Buffer.from([version, methods.length, ...methods]));
  }

  #onBytes(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    const length = this.#measure(this.#held);
    if (length === null || this.#held.length < length) return;
    const answer = this.#held;
    this.#held = Buffer.alloc(0);
    // Nobody may speak before we do: neither the proxy, nor a broker behind it.
    if (answer.length > length) this.#refuse('it says more than it was asked for');
    else this.#onAnswer(answer);
  }

  #onMethod(answer: Buffer): void {
    const { username } = this.#proxy;
    if (answer[0] !== version) this.#refuse('it does not speak SOCKS 5; check host and port');
    else if (answer[1] === noAuthentication) this.#ask();
    else if (answer[1] === byPassword && username !== undefined) this.#signIn(username);
    else
      this.#refuse(username === undefined ? 'it asks for a user name and password' : 'it takes no password');
  }

  #signIn(name: string): void {
    const parts = [Buffer.from(name), Buffer.from(this.#proxy.password ?? '')];
    if (parts.some((part) => part.length > 255)) {
      this.#refuse('user name and password have at most 255 bytes');
      return;
    }
    this.#onAnswer = (answer) => {
      if (answer[1] === 0) this.#ask();
      else this.#refuse('it does not accept the user name or password');
    };
    this.#socket.write(
      Buffer.concat([Buffer.of(1), ...parts.flatMap((part) => [Buffer.of(part.length), part])]),
    );
  }

  #ask(): void {
    const address = addressBytes(this.#target.host);
    if (address === null) {
      this.#refuse('the host name has more than 255 bytes');
      return;
    }
    const port = Buffer.alloc(2);
    port.writeUInt16BE(this.#target.port);
    this.#measure = replyLength;
    this.#onAnswer = (answer) => this.#onReply(answer);
    this.#socket.write(Buffer.concat([Buffer.of(version, connectCommand, 0), address, port]));
  }

  #onReply(answer: Buffer): void {
    const reply = answer[1] ?? 1;
    if (answer[0] !== version || reply !== 0) {
      this.#refuse(refusals[reply] ?? `it refuses with code ${reply}`);
      return;
    }
    this.#socket.off('data', this.#onData);
    this.#outcome.done();
  }

  #refuse(reason: string): void {
    this.#socket.off('data', this.#onData);
    this.#outcome.fail(new Error(`the SOCKS proxy does not let us through: ${reason}`));
  }
}

function twoBytes(): number {
  return 2;
}

/** Version, reply, nothing, kind of address, address, port. */
function replyLength(bytes: Buffer): number | null {
  if (bytes.length < 5) return null;
  const kind = bytes[3];
  if (kind === 1) return 10;
  return kind === 4 ? 22 : 7 + (bytes[4] ?? 0);
}

function addressBytes(host: string): Buffer | null {
  const kind = isIP(host);
  if (kind === 4) return Buffer.from([1, ...host.split('.').map(Number)]);
  const name = Buffer.from(host);
  // An IPv6 address in text is a name that the proxy reads; a binary one would say no more.
  return name.length > 255 ? null : Buffer.concat([Buffer.of(3, name.length), name]);
}
