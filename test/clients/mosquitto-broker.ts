import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '../helpers/demo-process.ts';

const program = '/usr/sbin/mosquitto';

/** Why tests with Mosquitto's broker cannot run; `false` where they can. */
export const skipWithoutMosquitto = existsSync(program)
  ? false
  : 'mosquitto is not installed (apt-get install mosquitto)';

/** Debian's mosquitto on a free port of loopback, with a configuration of the test's. */
export class MosquittoBroker {
  readonly port: number;
  log = '';
  readonly #folder: string;
  readonly #child: ChildProcess;

  /** Resolves when it takes connections. */
  static async start(configuration = ''): Promise<MosquittoBroker> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-mosquitto-'));
    const port = await freePort();
    const file = path.join(folder, 'mosquitto.conf');
    // As root it would become another user, who may not read the files of a test.
    const always = `user ${os.userInfo().username}\nlistener ${port} 127.0.0.1\nallow_anonymous true\n`;
    await writeFile(file, `${always}${configuration}`);
    const broker = new MosquittoBroker(folder, port, spawn(program, ['-v', '-c', file]));
    while (!(await isOpen(port))) {
      if (broker.#child.exitCode !== null) throw new Error(`mosquitto ended: ${broker.log}`);
    }
    return broker;
  }

  private constructor(folder: string, port: number, child: ChildProcess) {
    this.#folder = folder;
    this.port = port;
    this.#child = child;
    const keep = (chunk: Buffer): void => {
      this.log += chunk.toString();
    };
    // Also where a test gives up half-way.
    process.once('exit', () => child.kill('SIGKILL'));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = new Promise<void>((resolve) => this.#child.once('close', () => resolve()));
      this.#child.kill();
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => setImmediate(() => resolve(false)));
  });
}

/** A line to a port of loopback that can be cut. */
export class CuttableLine {
  port = 0;
  /** Connections that were made through it. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async to(port: number): Promise<CuttableLine> {
    const line = new CuttableLine(port);
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    line.port = (line.#server.address() as AddressInfo).port;
    return line;
  }

  private constructor(port: number) {
    this.#server = createServer((near) => {
      this.connections += 1;
      const far = createConnection({ host: '127.0.0.1', port });
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
  }

  /** Loses what is on its way, in both directions. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
