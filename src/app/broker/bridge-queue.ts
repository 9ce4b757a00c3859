import type { ListenerProfile } from '#broker';
import type { BridgeConfig, Config } from '#config';

/** Messages that wait for a link, where they wait on the disk. */
const messagesOnDisk = 10_000_000;
/** Memory that one of them takes all the same: its place in the index of the journal (benchmarks/durability.ts). */
const indexBytes = 128;

/** How messages wait in our own broker for a bridge's link: on the disk where there is a journal. */
export function bridgeQueue(bridge: BridgeConfig, whole: Config): Pick<ListenerProfile, 'limits' | 'queue'> {
  const { limits, persistence = null } = whole;
  // As many as the journal may take: before the queue is full and drops, the journal is and refuses publishers.
  const bytesOnDisk = (persistence?.maximumBytes ?? 0) || Infinity;
  const isKept = persistence !== null;
  const { maximumMemory = 0 } = limits;
  // A third of the memory at most: a long outage must not lock detectors out.
  const inMemory = maximumMemory === 0 ? Infinity : Math.floor(maximumMemory / 3 / indexBytes);
  return {
    limits: {
      ...limits,
      maximumQueuedMessages:
        bridge.maximumQueuedMessages ??
        (isKept ? Math.min(messagesOnDisk, inMemory) : limits.maximumQueuedMessages),
      // A lazy link begins because something waits, and QoS 0 is all that some send.
      queueQos0: bridge.startType === 'lazy' || limits.queueQos0 === true,
      maximumQueuedBytes: bridge.maximumQueuedBytes ?? (isKept ? bytesOnDisk : limits.maximumQueuedBytes),
    },
    queue: {
      urgentTopics: bridge.urgentTopics ?? [],
      whenFull: bridge.queueFullPolicy ?? 'drop-new',
      maximumAgeMs: (bridge.maximumQueuedAgeSeconds ?? 0) * 1000,
    },
  };
}
