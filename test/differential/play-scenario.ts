import { PacketType, type ProtocolVersion } from '#mqtt';
import { overTcp } from '../helpers/wire-client.ts';
import { wireBytes, type Names } from '../helpers/wire-notation.ts';
import { WirePeer } from '../helpers/wire-peer.ts';
import { describeFrame, IdNumbers } from './describe-frame.ts';

/** One broker that scenarios are played to. */
export interface Target {
  readonly port: number;
  /** Lets time pass for it. */
  readonly pass: (milliseconds: number) => Promise<void>;
}

/** What each client got, a line per packet, by the client's name. */
export type Account = ReadonlyMap<string, readonly string[]>;

/** A broker that says nothing to a stranger for so long says nothing at all. */
const silenceMs = 5000;
/** A keep alive of one second is over by then, however coarse the broker's clock is. */
const maximumWaitSeconds = 30;
const ping = Buffer.from([0xc0, 0]);

interface Actor {
  readonly peer: WirePeer;
  /** Answers that the broker waits for, in order: type and packet id. */
  readonly owed: [type: number, packetId: number][];
  /** CONNACK said success: it can be pinged. */
  isSignedIn: boolean;
  isOver: boolean;
}

/**
 * Plays a scenario and writes down what comes. After each step every client is pinged until all answers are there, so
 * that nothing is waited for by time.
 */
export async function playScenario(
  script: string,
  version: ProtocolVersion,
  target: Target,
): Promise<Account> {
  const play = new Play(version, target);
  try {
    await play.begin();
    for (const line of script.split('\n')) await play.step(line.trim());
    await play.settle();
    return play.account;
  } finally {
    play.end();
  }
}

class Play {
  readonly account = new Map<string, string[]>();
  readonly #version: ProtocolVersion;
  readonly #target: Target;
  readonly #actors = new Map<string, Actor>();
  readonly #ids = new Map<string, IdNumbers>();
  /** Takes no part; its pings make the broker's event loop go round. */
  #probe: WirePeer | null = null;

  constructor(version: ProtocolVersion, target: Target) {
    this.#version = version;
    this.#target = target;
  }

  async begin(): Promise<void> {
    this.#probe = await new WirePeer().open(overTcp, this.#target.port);
    this.#probe.send(wireBytes('10[ "MQTT" 04 02 0000 "probe" ]', new Map()));
    await this.#probe.next(silenceMs);
  }

  end(): void {
    this.#probe?.drop();
    for (const { peer } of this.#actors.values()) peer.drop();
  }

  async step(step: string): Promise<void> {
    const seconds = /^pause (\d+)s$/.exec(step)?.[1];
    if (seconds !== undefined) {
      await this.#target.pass(Number(seconds) * 1000);
      await this.settle();
      return;
    }
    const [, name = '', verb, rest = ''] =
      /^(\w+) (>|connects|resumes|drops|waits|answers)(?: (.*))?$/.exec(step) ?? [];
    if (verb === undefined) throw new Error(`no step: ${step}`);
    if (verb === 'drops') await this.#drop(name);
    else if (verb === 'waits') await this.#wait(name);
    else if (verb === 'answers') await this.#answer(name);
    else await this.#send(name, this.#notation(name, verb, rest));
  }

  /** Until the broker has dealt with everything, and every answer is written down. */
  async settle(first?: string): Promise<void> {
    const names = [...this.#actors.keys()];
    if (first !== undefined) names.unshift(first);
    for (const name of names) await this.#read(name);
  }

  #notation(name: string, verb: string, rest: string): string {
    const isV5 = this.#version === 5;
    const protocol = this.#version === 3 ? '"MQIsdp" 03' : `"MQTT" 0${this.#version}`;
    let text = rest;
    if (verb === 'connects') text = `10[ %protocol 02 003c %none "${name}" ]`;
    if (verb === 'resumes') text = `10[ %protocol 00 003c %hour "${name}" ]`;
    return text
      .replaceAll('%protocol', protocol)
      .replaceAll('%none', isV5 ? '00' : '')
      .replaceAll('%hour', isV5 ? '[ 11 00000e10 ]' : '');
  }

  async #send(name: string, notation: string): Promise<void> {
    const names: Names = new Map();
    for (const [, number = ''] of notation.matchAll(/\$(\d+)/g)) {
      const id = this.#idsOf(name).idOf(Number(number));
      if (id === undefined) {
        this.#note(name, `(has no message ${number} to answer)`);
        return;
      }
      names.set(number, id);
    }
    let actor = this.#actors.get(name);
    if (actor?.isOver === true && !notation.startsWith('10[')) return; // nobody to say it to
    if (actor === undefined || actor.isOver) {
      actor = {
        peer: await new WirePeer().open(overTcp, this.#target.port),
        owed: [],
        isSignedIn: false,
        isOver: false,
      };
      this.#actors.set(name, actor);
    }
    actor.peer.send(wireBytes(notation, names));
    // A ping that meets a closed connection could cost what the broker said last.
    await this.#rounds(2);
    await this.settle(name);
  }

  async #read(name: string): Promise<void> {
    const actor = this.#actors.get(name)!;
    if (actor.isOver) return;
    const wasSignedIn = actor.isSignedIn;
    if (wasSignedIn) actor.peer.send(ping);
    for (;;) {
      const frame = await actor.peer.next(silenceMs);
      if (frame === undefined) {
        this.#note(name, '(silence)');
        return;
      }
      if (frame === null) {
        this.#note(name, 'closed');
        actor.isOver = true;
        return;
      }
      if (frame[0] === PacketType.Pingresp << 4 && wasSignedIn) return;
      this.#note(name, describeFrame(frame, this.#version, this.#idsOf(name)));
      const answer = answerTo(frame);
      if (answer !== null) actor.owed.push(answer);
      if (frame[0] === PacketType.Connack << 4 && frame[3] === 0) {
        actor.isSignedIn = true;
        return;
      }
    }
  }

  /** Acknowledges whatever is not, and what comes of that, until nothing is left. */
  async #answer(name: string): Promise<void> {
    const actor = this.#actors.get(name);
    for (let owed = actor?.owed.shift(); owed !== undefined; owed = actor?.owed.shift()) {
      const [type, packetId] = owed;
      actor?.peer.send(Buffer.from([type, 2, packetId >> 8, packetId & 0xff]));
      await this.#read(name);
    }
  }

  async #drop(name: string): Promise<void> {
    const actor = this.#actors.get(name)!;
    actor.isOver = true;
    actor.peer.drop();
    // The end of a connection takes a few rounds of an event loop to be noticed.
    await this.#rounds(5);
    await this.settle();
  }

  /** Lets the broker's event loop go round, and so deal with what was sent before. */
  async #rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) {
      this.#probe?.send(ping);
      await this.#probe?.next(silenceMs);
    }
  }

  async #wait(name: string): Promise<void> {
    const actor = this.#actors.get(name)!;
    for (let second = 0; second < maximumWaitSeconds && !actor.peer.isClosed; second++) {
      await this.#target.pass(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#read(name);
  }

  #idsOf(name: string): IdNumbers {
    const ids = this.#ids.get(name) ?? new IdNumbers();
    this.#ids.set(name, ids);
    return ids;
  }

  #note(name: string, line: string): void {
    const lines = this.account.get(name) ?? [];
    lines.push(line);
    this.account.set(name, lines);
  }
}

/** What a packet of the broker is to be answered with. */
function answerTo(frame: Buffer): [type: number, packetId: number] | null {
  const type = frame[0]! >> 4;
  const qos = (frame[0]! >> 1) & 3;
  let at = 2;
  while (frame[at - 1]! > 127) at++;
  if (type === PacketType.Pubrel) return [PacketType.Pubcomp << 4, frame.readUInt16BE(at)];
  if (type !== PacketType.Publish || qos === 0) return null;
  const packetId = frame.readUInt16BE(at + 2 + frame.readUInt16BE(at));
  return [(qos === 1 ? PacketType.Puback : PacketType.Pubrec) << 4, packetId];
}
