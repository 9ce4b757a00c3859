import assert from 'node:assert/strict';
import type { WireTransport } from './wire-client.ts';
import { matchesWire, wireBytes, type Names } from './wire-notation.ts';
import { WirePeer } from './wire-peer.ts';
import type { WireServer } from './wire-server.ts';

/** Where a script is played. */
export interface Stage {
  readonly transport: WireTransport;
  /** Its time belongs to the script. */
  readonly server: WireServer;
  /** Protocol level that `connects` and `resumes` use, and what `%protocol` stands for. */
  readonly version: 3 | 4 | 5;
}

/** Only a hang is ended by it. */
const hangMs = 20_000;

/**
 * Plays a script, a step per line, with any number of connections by name:
 *
 *   a > 10[ %protocol 02 0000 "a" ]     connection a (opened where it is not) sends
 *   a < 20[ 00 00 ]                     the next that a gets is this
 *   a < closed                          the broker closes a
 *   a < nothing                         nothing has come: proven by the answer to a ping
 *   a connects                          as the first two lines: client id `a`, clean session
 *   a resumes                           the same without clean session; what CONNACK says of a session is not looked at
 *   a drops                             the connection breaks off
 *   advance 90s                         time passes
 *   # …                                 a comment
 *
 * At the end nothing may be left on any connection.
 */
export async function playScript(script: string, stage: Stage): Promise<void> {
  const play = new Play(stage);
  try {
    for (const line of script.split('\n')) {
      const step = line.replace(/(?:^|\s)# .*$/, '').trim();
      if (step !== '') await play.step(step);
    }
    await play.finish();
  } finally {
    play.end();
  }
}

class Play {
  readonly #stage: Stage;
  readonly #peers = new Map<string, WirePeer>();
  readonly #names: Names = new Map();
  /** Connections that are open, as far as the script can know. */
  #open = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async step(step: string): Promise<void> {
    const time = /^advance (\d+)(ms|s)$/.exec(step);
    if (time !== null) {
      this.#stage.server.clock.advance(Number(time[1]) * (time[2] === 's' ? 1000 : 1));
      return;
    }
    const parts = /^(\w+) (>|<|connects|resumes|drops)(?: (.*))?$/.exec(step);
    if (parts === null) throw new Error(`no step: ${step}`);
    const [, name = '', verb, rest = ''] = parts;
    const notation = this.#expand(rest);
    if (verb === '>') (await this.#peer(name)).send(wireBytes(notation, this.#names));
    else if (verb === '<') await this.#expect(name, notation, step);
    else if (verb === 'drops') await this.#end(name);
    else await this.#connect(name, verb === 'connects' ? '02' : '00', step);
  }

  /** Nothing is left that the script did not look at. */
  async finish(): Promise<void> {
    for (const name of this.#peers.keys())
      await this.#expect(name, 'nothing', `${name} < nothing (at the end)`);
  }

  /** Closes whatever is open. */
  end(): void {
    for (const peer of this.#peers.values()) peer.drop();
  }

  #expand(text: string): string {
    const { version } = this.#stage;
    const protocol = version === 3 ? '"MQIsdp" 03' : `"MQTT" 0${version}`;
    return text.replaceAll('%protocol', protocol).replaceAll('%present', version === 3 ? '00' : '01');
  }

  async #peer(name: string): Promise<WirePeer> {
    const known = this.#peers.get(name);
    if (known !== undefined) return known;
    const peer = await new WirePeer().open(this.#stage.transport, this.#stage.server.port);
    this.#peers.set(name, peer);
    this.#open++;
    return peer;
  }

  async #connect(name: string, flags: string, step: string): Promise<void> {
    const v5 = this.#stage.version === 5;
    const peer = await this.#peer(name);
    const connect = `10[ ${this.#expand('%protocol')} ${flags} 0000 ${v5 ? '00' : ''} "${name}" ]`;
    peer.send(wireBytes(connect, this.#names));
    await this.#expect(name, v5 ? '20[ .. 00 ... ]' : '20[ .. 00 ]', step);
  }

  async #expect(name: string, notation: string, step: string): Promise<void> {
    const peer = this.#peers.get(name);
    assert.ok(peer !== undefined, `${name} was never opened: ${step}`);
    if (notation === 'nothing') peer.send(Buffer.from([0xc0, 0]));
    const frame = await peer.next(hangMs);
    assert.notEqual(frame, undefined, `nothing came within ${hangMs / 1000} s: ${step}`);
    const got = frame === null || frame === undefined ? 'closed' : frame.toString('hex');
    if (notation === 'closed') {
      assert.equal(got, 'closed', step);
      await this.#end(name);
    } else if (notation === 'nothing') assert.equal(got, 'd000', step);
    else {
      assert.ok(
        frame !== null && frame !== undefined && matchesWire(notation, frame, this.#names),
        `expected: ${step}; got: ${got}`,
      );
    }
  }

  /** A connection is over, or ended now; waits until the broker has noticed. */
  async #end(name: string): Promise<void> {
    if (!this.#peers.has(name)) return;
    this.#peers.get(name)?.drop();
    this.#peers.delete(name);
    this.#open--;
    await this.#stage.server.untilOpen(this.#open);
  }
}
