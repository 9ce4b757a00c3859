/** A sequence of numbers that a seed gives again and again (xorshift). */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/**
 * Filters that never overlap, because there the brokers differ, and topics that they match. What is retained is matched
 * by one filter only, because the order of retained messages is the broker's choice.
 */
const filters = ['x/1', 'x/2', 'y/+', 'z/#', '$own/q'];
/** Mosquitto 2.0.11 answers otherwise for a tree of topics that it does not know. */
const unsubscribed = filters.slice(0, 4);
const topics = ['x/1', 'x/2', 'y/1', 'y/2', 'z', 'z/1/2', '$own/q', 'nobody'];
const retainable = new Set(['x/1', 'x/2', 'z/1/2', '$own/q', 'nobody']);

const clients = ['a', 'b', 'c'];

/** A script of valid steps: clients come, go and come back, subscribe, publish at every QoS, and answer late. */
export function randomScript(seed: number, version: 4 | 5, steps: number): string {
  const random = randomOf(seed);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const lines = ['a resumes', 'b resumes', 'c connects'];
  const online = new Set(clients);
  let packetId = 0;
  const nextId = (): string => {
    packetId++;
    return packetId.toString(16).padStart(4, '0');
  };
  const publish = (client: string): void => {
    const topic = pick(topics);
    const qos = random(3);
    const retain = retainable.has(topic) && random(3) === 0 ? 1 : 0;
    const payload = retain === 1 && random(4) === 0 ? '' : `'${lines.length}'`;
    const id = nextId();
    const first = (0x30 | (qos << 1) | retain).toString(16);
    lines.push(`${client} > ${first}[ "${topic}" ${qos === 0 ? '' : id} %none ${payload} ]`);
    if (qos === 2) lines.push(`${client} > 62[ ${id} ]`);
  };
  const subscribe = (client: string): void => {
    const filter = pick(filters);
    let options = random(3);
    if (version === 5) {
      // No-local and retain-as-published are the same each time: Mosquitto 2.0.11 keeps those of the first time.
      const kind = (filters.indexOf(filter) + clients.indexOf(client)) & 3;
      // Without retained messages where it is no-local: Mosquitto sends a client's own all the same.
      const retainHandling = (kind & 1) === 1 ? 2 : random(3);
      options |= (kind << 2) | (retainHandling << 4);
    }
    lines.push(`${client} > 82[ ${nextId()} %none "${filter}" ${options.toString(16).padStart(2, '0')} ]`);
  };
  const leave = (client: string): void => {
    online.delete(client);
    lines.push(random(2) === 0 ? `${client} drops` : `${client} > e0 00`);
  };
  for (let step = 0; step < steps; step++) {
    const client = pick(clients);
    if (!online.has(client)) {
      online.add(client);
      lines.push(`${client} ${random(4) === 0 ? 'connects' : 'resumes'}`);
      continue;
    }
    const choice = random(20);
    if (choice < 8) publish(client);
    else if (choice < 13) subscribe(client);
    else if (choice < 14) lines.push(`${client} > a2[ ${nextId()} %none "${pick(unsubscribed)}" ]`);
    else if (choice < 18) lines.push(`${client} answers`);
    else leave(client);
  }
  for (const client of clients) {
    if (!online.has(client)) lines.push(`${client} resumes`);
    lines.push(`${client} answers`);
  }
  return lines.join('\n');
}
