import { ProtocolVersion, ReasonCode } from '#mqtt';
import type { Connection } from './connection.ts';
import type { BrokerCore } from './core.ts';
import type { JournalState } from './ports.ts';

/**
 * What happens while the journal takes no new messages. Subscribers go on: their acknowledgements make room. Messages at
 * QoS 0 go to whoever is connected. Publishers at QoS 1 and 2 are refused (MQTT 5), or get no answer: a client before
 * MQTT 5 stops when its window is full, and its connection is ended once there is room, so that it sends again.
 */
export class DiskWatch {
  readonly #core: BrokerCore;
  readonly #unanswered = new Set<Connection>();

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** The next message of this publisher cannot be kept. */
  get isFull(): boolean {
    return this.#core.journal.state !== 'ok';
  }

  /** A message cannot be taken. True: its sender knows no refusal (before MQTT 5) and gets no answer. */
  leavesUnanswered(connection: Connection): boolean {
    this.#core.statistics.reached.journal++;
    if (connection.version === ProtocolVersion.V5) return false;
    connection.openInbound--;
    this.#unanswered.add(connection);
    return true;
  }

  forget(connection: Connection): void {
    this.#unanswered.delete(connection);
  }

  onState(state: JournalState): void {
    if (state !== 'ok') return;
    const { turn } = this.#core;
    turn.addTask(() => {
      for (const connection of this.#unanswered)
        connection.disconnect(ReasonCode.ServerBusy, 'there is room again for what was not answered');
      this.#unanswered.clear();
      return false;
    });
  }
}
